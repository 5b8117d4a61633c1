# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab.rb is replaced whole or not at all, and what must follow is noted before."""

from __future__ import annotations

import hashlib
import pathlib
import typing as t

import pytest

pytest.importorskip("ansible.module_utils.basic")
write_module = pytest.importorskip(
    "ansible_collections.fleetwright.gitlab_aws.plugins.modules.gitlab_server_config_write"
)

NEW = "external_url 'http://new'\n"


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "etc" / "gitlab.rb"


def write(path: pathlib.Path, expected: str | None, **more: t.Any) -> dict[str, t.Any]:
    checksum = None if expected is None else hashlib.sha256(expected.encode()).hexdigest()
    params = {"content": NEW, "expect_sha256": checksum, "backup_count": 2, "reconfigure": True, **more}
    found: dict[str, t.Any] = write_module.write(str(path), str(path.parent / "state" / "pending"), params)
    return found


def test_a_new_file(path: pathlib.Path) -> None:
    assert write(path, None) == {"changed": True, "conflict": False}
    assert (path.read_text(), path.stat().st_mode & 0o777) == (NEW, 0o600)
    assert (path.parent / "state").stat().st_mode & 0o777 == 0o700
    assert (path.parent / "state" / "pending").exists()


def test_an_earlier_file_is_kept_and_few_of_them(path: pathlib.Path) -> None:
    path.parent.mkdir()
    for number in range(4):
        path.write_text(f"old {number}\n")
        path.chmod(0o644)
        result = write(path, f"old {number}\n")
        assert pathlib.Path(result["backup_file"]).read_text() == f"old {number}\n"
    kept = sorted(path.parent.glob("gitlab.rb.*.bak"))
    assert [(one.read_text(), one.stat().st_mode & 0o777) for one in kept] == [("old 2\n", 0o600), ("old 3\n", 0o600)]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("expected", [None, "old\n"])
def test_somebody_elses_file_stays(path: pathlib.Path, expected: str | None) -> None:
    path.parent.mkdir()
    path.write_text("theirs\n")
    assert write(path, expected) == {"changed": False, "conflict": True}
    assert path.read_text() == "theirs\n"
    assert list(path.parent.glob("*.bak")) == list(path.parent.glob(".gitlab.rb*")) == []


def test_a_mode_alone_needs_no_reconfigure(path: pathlib.Path) -> None:
    path.parent.mkdir()
    path.write_text(NEW)
    path.chmod(0o644)
    assert write(path, NEW, reconfigure=False, backup_count=0) == {"changed": True, "conflict": False}
    assert path.stat().st_mode & 0o777 == 0o600
    assert not (path.parent / "state").exists()
