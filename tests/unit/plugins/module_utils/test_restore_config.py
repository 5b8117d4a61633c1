# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/gitlab comes back as it was, and nothing outside is ever written."""

from __future__ import annotations

import io
import os
import pathlib
import tarfile
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _restore_config
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_config import UnsafeArchive

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files their owners")


def member(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", mode: int = 0o600) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def archive(tmp_path: pathlib.Path, members: t.Iterable[tuple[tarfile.TarInfo, bytes]]) -> pathlib.Path:
    path = tmp_path / "config.tar"
    with tarfile.open(path, "w") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def good(tmp_path: pathlib.Path) -> pathlib.Path:
    return archive(
        tmp_path,
        [
            (member("/etc/gitlab/", tarfile.DIRTYPE, mode=0o775), b""),
            (member("/etc/gitlab/gitlab.rb"), b"external_url 'https://git.example.com'\n"),
            (member("/etc/gitlab/gitlab-secrets.json"), b"{}"),
            (member("/etc/gitlab/ssl", tarfile.DIRTYPE, mode=0o700), b""),
            (member("/etc/gitlab/ssl/git.example.com.crt", mode=0o644), b"cert"),
        ],
    )


@pytest.mark.parametrize(
    "info",
    [
        pytest.param(member("/etc/passwd"), id="elsewhere"),
        pytest.param(member("/etc/gitlab/../passwd"), id="upwards"),
        pytest.param(member("../etc/gitlab/gitlab.rb"), id="relative-upwards"),
        pytest.param(member("/etc/gitlabx/gitlab.rb"), id="beside"),
        pytest.param(member("/etc/gitlab"), id="a-file-in-place-of-the-directory"),
        pytest.param(member("/etc/gitlab/x", tarfile.SYMTYPE, link="/etc/passwd"), id="symbolic-link"),
        pytest.param(member("/etc/gitlab/x", tarfile.LNKTYPE, link="/etc/passwd"), id="hard-link"),
        pytest.param(member("/etc/gitlab/x", tarfile.CHRTYPE), id="device"),
        pytest.param(member("/etc/gitlab/x", tarfile.FIFOTYPE), id="pipe"),
    ],
)
def test_what_does_not_belong_there_is_refused(tmp_path: pathlib.Path, info: tarfile.TarInfo) -> None:
    with pytest.raises(UnsafeArchive, match=r"below|neither|is a file"):
        _restore_config.read(archive(tmp_path, [(info, b"")]))


def test_written_as_it_was(tmp_path: pathlib.Path, good: pathlib.Path) -> None:
    etc = tmp_path / "etc"
    entries = _restore_config.read(good)
    assert len(_restore_config.changes(entries, str(etc))) == 5
    _restore_config.write(entries, str(etc))
    assert (etc / "gitlab.rb").read_text() == "external_url 'https://git.example.com'\n"
    assert (etc / "ssl" / "git.example.com.crt").stat().st_mode & 0o777 == 0o644
    assert _restore_config.changes(entries, str(etc)) == []
    stamp = (etc / "gitlab.rb").stat().st_ino
    _restore_config.write(entries, str(etc))
    assert (etc / "gitlab.rb").stat().st_ino == stamp  # what is so already is left alone


def test_files_of_the_host_stay(tmp_path: pathlib.Path, good: pathlib.Path) -> None:
    etc = tmp_path / "etc"
    (etc / "trusted-certs").mkdir(parents=True)
    (etc / "trusted-certs" / "ours.crt").write_text("ours")
    _restore_config.write(_restore_config.read(good), str(etc))
    assert (etc / "trusted-certs" / "ours.crt").read_text() == "ours"


@pytest.mark.parametrize("where", ["ssl", "gitlab.rb"])
def test_links_are_replaced_and_never_followed(tmp_path: pathlib.Path, good: pathlib.Path, where: str) -> None:
    etc, outside = tmp_path / "etc", tmp_path / "outside"
    etc.mkdir()
    outside.mkdir()
    (outside / "file").write_text("theirs")
    (etc / where).symlink_to(outside if where == "ssl" else outside / "file")
    _restore_config.write(_restore_config.read(good), str(etc))
    assert not (etc / where).is_symlink()
    assert sorted(path.name for path in outside.iterdir()) == ["file"]
    assert (outside / "file").read_text() == "theirs"


def test_a_copy_of_what_was_there_is_made_once(tmp_path: pathlib.Path) -> None:
    etc, folder = tmp_path / "etc", tmp_path / "state" / "x"
    (etc / "config_backup").mkdir(parents=True)
    (etc / "config_backup" / "old.tar").write_text("large")
    (etc / "gitlab.rb").write_text("before")
    (etc / "gitlab.rb").chmod(0o640)
    os.chown(etc / "gitlab.rb", 12, 34)
    (etc / "link").symlink_to("/nowhere")
    copy = _restore_config.keep(str(etc), folder)
    assert copy is not None
    (etc / "gitlab.rb").write_text("half written by a run that was killed")
    assert _restore_config.keep(str(etc), folder) == copy
    assert (copy / "gitlab.rb").read_text() == "before"
    found = (copy / "gitlab.rb").stat()
    assert (found.st_mode & 0o777, found.st_uid, found.st_gid) == (0o640, 12, 34)
    assert str((copy / "link").readlink()) == "/nowhere"
    assert not (copy / "config_backup").exists()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_nothing_to_copy_on_a_new_host(tmp_path: pathlib.Path) -> None:
    assert _restore_config.keep(str(tmp_path / "etc"), tmp_path / "state") is None
