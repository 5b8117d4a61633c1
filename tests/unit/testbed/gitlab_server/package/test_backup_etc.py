# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-ctl backup-etc, with the real tar (observed 6)."""

from __future__ import annotations

import subprocess
import time
import typing as t
from pathlib import Path

import pytest
from testbed.gitlab_server.ctl import backup_etc

from .conftest import Ground

KEEPING = "Keeping all older configuration backups"


@pytest.fixture
def etc(ground: Ground) -> Ground:
    ground.put("etc/gitlab/gitlab-secrets.json", "{}")
    return ground


def _archives(folder: Path) -> list[Path]:
    return sorted(folder.glob("gitlab_config_*.tar"))


def _members(archive: Path, root: Path) -> list[str]:
    listing = subprocess.run(["tar", "-tPf", str(archive)], text=True, capture_output=True, check=True).stdout
    return sorted(line.replace(str(root), "") for line in listing.splitlines())


def test_default(etc: Ground) -> None:
    code, out, err = etc.ctl("backup-etc")
    folder = etc.places.etc / "config_backup"
    (archive,) = _archives(folder)
    first = ["Could not find '/etc/gitlab/config_backup' directory. Creating.", "Running configuration backup"]
    assert (code, err, out.splitlines()[:3]) == (
        0,
        "",
        [*first, f"Creating configuration backup archive: {archive.name}"],
    )
    assert out.splitlines()[-2:] == [
        f"Configuration backup archive complete: /etc/gitlab/config_backup/{archive.name}",
        KEEPING,
    ]
    assert (folder.stat().st_mode & 0o777, archive.stat().st_mode & 0o777) == (0o700, 0o600)
    names = ["/etc/gitlab/", "/etc/gitlab/gitlab-secrets.json", "/etc/gitlab/gitlab.rb"]
    assert _members(archive, etc.places.root) == names


def test_symlinks_are_stored_as_files(etc: Ground) -> None:
    etc.put("elsewhere", "text")
    (etc.places.etc / "link").symlink_to(etc.places.root / "elsewhere")
    etc.ctl("backup-etc")
    (archive,) = _archives(etc.places.etc / "config_backup")
    listing = subprocess.run(["tar", "-tvPf", str(archive)], text=True, capture_output=True, check=True).stdout
    assert [line[0] for line in listing.splitlines() if line.endswith("/link")] == ["-"]


@pytest.mark.parametrize("below", ["etc/gitlab", "etc"])
def test_an_archive_of_nothing_is_called_complete(etc: Ground, below: str) -> None:
    folder = etc.places.root / below
    code, out, _err = etc.ctl("backup-etc", "-p", str(folder))
    (archive,) = _archives(folder)
    assert code == 0
    assert "Configuration backup archive complete" in out
    assert _members(archive, etc.places.root) == []


def test_elsewhere_takes_the_earlier_archives_in(etc: Ground) -> None:
    etc.ctl("backup-etc")
    other = etc.places.root / "other"
    other.mkdir()
    etc.ctl("backup-etc", "--backup-path", str(other))
    (archive,) = _archives(other)
    assert any("config_backup/gitlab_config_" in name for name in _members(archive, etc.places.root))


def test_missing_parent(etc: Ground) -> None:
    code, out, err = etc.ctl("backup-etc", "-p", str(etc.places.root / "a/b"))
    assert (code, out) == (1, "Could not find '/a/b' directory. Creating.\n")
    assert err


def test_dangling_link(etc: Ground) -> None:
    (etc.places.etc / "dangling").symlink_to("nowhere")
    code, out, err = etc.ctl("backup-etc")
    (archive,) = _archives(etc.places.etc / "config_backup")
    assert code == 1
    assert "tar: /etc/gitlab/dangling: File removed before we read it" in err
    assert "complete" not in out
    assert "/etc/gitlab/gitlab.rb" in _members(archive, etc.places.root)


def test_others_may_read(etc: Ground) -> None:
    folder = etc.places.etc / "config_backup"
    folder.mkdir(mode=0o755)
    code, _out, err = etc.ctl("backup-etc")
    assert (code, err) == (0, "WARNING: /etc/gitlab/config_backup may be read by non-root users\n")
    assert folder.stat().st_mode & 0o777 == 0o755


def test_no_configuration(etc: Ground) -> None:
    etc.places.etc.rename(etc.places.root / "gone")
    text = "Could not find '/etc/gitlab' directory. Is your package installed correctly?\n"
    assert etc.ctl("backup-etc") == (1, "", text)


def test_help(etc: Ground) -> None:
    code, out, err = etc.ctl("backup-etc", "-h")
    assert (code, err) == (0, "")
    assert out.startswith("Usage: gitlab-ctl backup-etc")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "Node attributes JSON file not found in /opt/gitlab/embedded/nodes", id="missing"),
        pytest.param(
            '{"name": "host"}', "Attributes not found in /opt/gitlab/embedded/nodes/host.json", id="no-normal"
        ),
        pytest.param("{", "Error reading /opt/gitlab/embedded/nodes/host.json", id="broken"),
    ],
)
def test_without_the_last_reconfigure_everything_is_kept(etc: Ground, content: str | None, complaint: str) -> None:
    (etc.places.nodes / "host.json").unlink()
    if content is not None:
        etc.put("opt/gitlab/embedded/nodes/host.json", content)
    code, out, err = etc.ctl("backup-etc")
    lines = err.splitlines()
    assert (code, lines[0], lines[2]) == (0, lines[1], "Defaulting to keeping all backups")
    assert lines[0].startswith(complaint)
    assert out.splitlines()[-1] == KEEPING


OLD = int(time.time()) - 9 * 86400


@pytest.mark.parametrize(
    ("words", "seconds", "removed"),
    [
        pytest.param([], 7 * 86400, 1, id="old-ones-go"),
        pytest.param(["--no-delete-old-backups"], 7 * 86400, 0, id="not-when-told"),
        pytest.param([], 0, 0, id="not-without-a-time"),
    ],
)
def test_retention(etc: Ground, words: list[str], seconds: int, removed: int) -> None:
    etc.attributes({"gitlab_rails": {"backup_keep_time": seconds}})
    folder = etc.places.etc / "config_backup"
    folder.mkdir(mode=0o700)
    stays = ["gitlab_config_custom.tar", "gitlab_config_123_2020_01_01.tar", f"other_{OLD}_2026_01_01.tar"]
    for name in [*stays, f"gitlab_config_{OLD}_2026_01_01.tar"]:
        (folder / name).touch()
    _code, out, _err = etc.ctl("backup-etc", *words)
    assert {path.name for path in folder.iterdir()} >= set(stays)
    assert (folder / f"gitlab_config_{OLD}_2026_01_01.tar").exists() == (not removed)
    last = out.splitlines()[-1]
    assert last == (f"done. Removed {removed} older configuration backups." if removed else KEEPING)


def test_names_carry_the_moment() -> None:
    assert backup_etc.archive_name(1795504809).startswith("gitlab_config_1795504809_2026_11_2")


def test_disk_full_leaves_a_truncated_archive(etc: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """tar ends with an error; what it wrote stays under the final name."""

    def show(words: t.Sequence[str], **_options: t.Any) -> subprocess.CompletedProcess[str]:
        target = next(Path(word.partition("=")[2]) for word in words if word.startswith("--file="))
        target.write_bytes(b"")
        return subprocess.CompletedProcess([], 1, "", "")

    monkeypatch.setattr(etc.play, "show", show)
    code, out, _err = etc.ctl("backup-etc")
    (archive,) = _archives(etc.places.etc / "config_backup")
    assert (code, archive.stat().st_size, archive.stat().st_mode & 0o777) == (1, 0, 0o600)
    assert "complete" not in out
