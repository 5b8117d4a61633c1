# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's packages: every release of the table, signed as GitLab signs."""

from __future__ import annotations

import re
import subprocess
import typing as t
from pathlib import Path

import pytest
from testbed.gitlab_server import spec
from testbed.gitlab_server.releases import RELEASES, release
from testbed.packages import keys, server_repository
from testbed.packages.publish import Repositories

FEW = ("17.8.1", "17.8.2", "18.8.11", "19.3.2")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def built(cache: Path) -> t.Iterator[Repositories]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_repository, "RELEASES", tuple(release(version) for version in FEW))
        yield server_repository.repositories({"TESTBED_OS": "el9"}, cache)


def _packages(built: Repositories, name: str) -> dict[str, Path]:
    return {path.name: path for path in (built.www / name / "Packages").iterdir()}


def _ask(package: Path, query: str) -> str:
    words = ["rpm", "-qp", "--nosignature", "--qf", query, str(package)]
    return subprocess.run(words, text=True, capture_output=True, check=True).stdout


def test_names(built: Repositories) -> None:
    machine = next(iter(_packages(built, "gitlab-ce"))).rsplit(".", 2)[1]
    assert set(_packages(built, "gitlab-ce")) == {f"gitlab-ce-{version}-ce.0.el9.{machine}.rpm" for version in FEW}
    assert set(_packages(built, "gitlab-ee")) == {f"gitlab-ee-18.8.11-ee.0.el9.{machine}.rpm"}
    assert built.versions == FEW


@pytest.mark.parametrize(
    ("name", "version", "signer"),
    [
        pytest.param("gitlab-ce", "17.8.1", keys.FORMER, id="before-the-change"),
        pytest.param("gitlab-ce", "17.8.2", keys.PACKAGES, id="after-the-change"),
        pytest.param("gitlab-ee", "18.8.11", keys.PACKAGES, id="enterprise"),
        pytest.param("gitlab-ce-unsigned-packages", "19.3.2", None, id="unsigned"),
        pytest.param("gitlab-ce-foreign-packages", "19.3.2", keys.STRANGER, id="foreign"),
        pytest.param("gitlab-ce-foreign-metadata", "19.3.2", keys.PACKAGES, id="foreign-metadata"),
    ],
)
def test_signatures(built: Repositories, cache: Path, name: str, version: str, signer: str | None) -> None:
    (package,) = (path for file, path in _packages(built, name).items() if f"-{version}-" in file)
    wanted = keys.key(signer, cache / "keys").fingerprint[-16:].lower() if signer else "(none)"
    assert wanted in keys.signature(package)


def test_all_keys_are_served(built: Repositories) -> None:
    assert [(built.www / file).exists() for file in built.key_files] == [True, True, True]


def test_content(built: Repositories) -> None:
    (package,) = (path for file, path in _packages(built, "gitlab-ce").items() if "-18.8.11-" in file)
    files = set(_ask(package, r"[%{FILENAMES}\n]").split())
    assert {f"/opt/gitlab/bin/gitlab-{name}" for name in ("ctl", "rake", "rails", "psql", "backup")} <= files
    assert {f"/opt/gitlab/embedded/bin/{name}" for name in ("rake", "psql", "ruby", "runsv", "chpst")} <= files
    assert {"/opt/gitlab/version-manifest.json", "/opt/gitlab/embedded/postgresql/16/VERSION"} <= files
    assert not [file for file in files if file.startswith(("/etc/", "/usr/bin/", "/usr/lib/systemd/"))]


def test_editions_exclude_each_other(built: Repositories) -> None:
    ce = next(iter(_packages(built, "gitlab-ce").values()))
    ee = next(iter(_packages(built, "gitlab-ee").values()))
    assert "gitlab-ee" in _ask(ce, r"[%{OBSOLETENAME}\n]").split()
    assert "gitlab-ce" in _ask(ee, r"[%{CONFLICTNAME}\n]").split()


def test_scriptlets_are_whole() -> None:
    texts = {spec.scriptlet(file, one) for one in RELEASES for _section, file in spec.SECTIONS}
    assert {mark for text in texts for mark in re.findall(r"@[A-Z_]+@", text)} == {"@URL@"}  # that of gitlab.rb
    subprocess.run(["sh", "-n"], input=spec.scriptlet("pre", RELEASES[-1]), text=True, check=True)


def test_a_package_of_others_takes_the_place_of_all(built: Repositories, cache: Path, tmp_path: Path) -> None:
    (package,) = (path for file, path in _packages(built, "gitlab-ce").items() if "-18.8.11-" in file)
    (tmp_path / package.name).write_bytes(package.read_bytes())
    other = server_repository.repositories({"TESTBED_PACKAGES": str(tmp_path)}, cache)
    assert other.versions == ("18.8.11",)
