# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file is replaced in one step, and only if it is still the one that was read."""

from __future__ import annotations

import errno
import os
import pathlib
import stat
import threading
import time
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _atomic_file as atomic

OLD, NEW, OTHER = b"concurrent = 1\n", b"concurrent = 2\n", b"concurrent = 3\n"


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "etc" / "config.toml"


@pytest.fixture
def old(path: pathlib.Path) -> pathlib.Path:
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def replacement(path: pathlib.Path, expect: t.Optional[bytes], backups: int = 0) -> atomic.Replacement:
    return atomic.Replacement(str(path), NEW, atomic.sha256(expect), backups)


def names(path: pathlib.Path) -> list[str]:
    return sorted(entry.name for entry in path.parent.iterdir())


def test_first_file(path: pathlib.Path) -> None:
    assert atomic.replace(replacement(path, None, 3)) is None
    assert path.read_bytes() == NEW
    assert (stat.S_IMODE(path.stat().st_mode), stat.S_IMODE(path.parent.stat().st_mode)) == (0o600, 0o700)
    assert names(path) == ["config.toml"]


@pytest.fixture(params=[pytest.param(True, id="exchange"), pytest.param(False, id="no-renameat2")])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    if not request.param:
        monkeypatch.setattr(atomic, "_rename", refuse)


@pytest.mark.usefixtures("_way")
class TestReplace:
    """With C(RENAME_EXCHANGE) and on a file system without it."""

    def test_content_and_nothing_left(self, old: pathlib.Path) -> None:
        assert atomic.replace(replacement(old, OLD)) is None
        assert old.read_bytes() == NEW
        assert names(old) == ["config.toml"]

    @pytest.mark.parametrize("mode", [0o640, 0o600, 0o400, 0o666])
    def test_never_readable_by_others(self, old: pathlib.Path, mode: int) -> None:
        old.chmod(mode)
        atomic.replace(replacement(old, OLD))
        assert stat.S_IMODE(old.stat().st_mode) == 0o600

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_owner_is_kept(self, old: pathlib.Path) -> None:
        os.chown(old, 1234, 2345)
        atomic.replace(replacement(old, OLD))
        assert (old.stat().st_uid, old.stat().st_gid) == (1234, 2345)

    @pytest.mark.parametrize("ahead", [pytest.param(0, id="now"), pytest.param(3600, id="old-one-from-the-future")])
    def test_mtime_is_strictly_newer(self, old: pathlib.Path, ahead: int) -> None:
        before = time.time_ns() + ahead * 10**9
        os.utime(old, ns=(before, before))
        atomic.replace(replacement(old, OLD))
        assert old.stat().st_mtime_ns > before

    def test_backups_are_bounded_and_private(self, old: pathlib.Path) -> None:
        made = []
        for number in range(5):
            content = b"n = %d\n" % number
            old.write_bytes(content)
            old.chmod(0o644)
            made.append(atomic.replace(replacement(old, content, 2)))
        kept = atomic.backups_of(str(old))
        assert kept == made[-2:]
        assert [pathlib.Path(one).read_bytes() for one in kept] == [b"n = 3\n", b"n = 4\n"]
        assert {stat.S_IMODE(pathlib.Path(one).stat().st_mode) for one in kept} == {0o600}

    def test_backups_of_others_stay(self, old: pathlib.Path) -> None:
        other = old.with_name("config.toml.mine.bak")
        other.write_bytes(OTHER)
        atomic.replace(replacement(old, OLD, 1))
        assert other.exists()

    def test_changed_meanwhile(self, old: pathlib.Path) -> None:
        old.write_bytes(OTHER)
        with pytest.raises(atomic.Conflict) as conflict:
            atomic.replace(replacement(old, OLD, 3))
        assert (conflict.value.content, old.read_bytes()) == (OTHER, OTHER)
        assert names(old) == ["config.toml"]

    def test_gone_meanwhile(self, old: pathlib.Path) -> None:
        def check(_temp: str) -> None:
            old.unlink()

        with pytest.raises((atomic.Conflict, FileNotFoundError)):
            atomic.replace(replacement(old, OLD), check)
        assert names(old) == []

    def test_there_meanwhile(self, old: pathlib.Path) -> None:
        with pytest.raises(atomic.Conflict) as conflict:
            atomic.replace(replacement(old, None))
        assert (conflict.value.content, old.read_bytes()) == (OLD, OLD)
        assert names(old) == ["config.toml"]

    @pytest.mark.parametrize("expect", [OLD, None])
    def test_a_failing_check_leaves_everything(self, old: pathlib.Path, expect: t.Optional[bytes]) -> None:
        seen = []

        def check(temp: str) -> None:
            seen.append((pathlib.Path(temp).read_bytes(), pathlib.Path(temp).parent))
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            atomic.replace(replacement(old, expect, 3), check)
        assert seen == [(NEW, old.parent)]
        assert old.read_bytes() == OLD
        assert names(old) == ["config.toml"]

    def test_a_backup_that_cannot_be_made_changes_nothing(
        self, old: pathlib.Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(handle: int) -> None:
            if str(pathlib.Path(f"/proc/self/fd/{handle}").readlink()).endswith(".bak"):
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            atomic.replace(replacement(old, OLD, 3))
        assert old.read_bytes() == OLD
        assert names(old) == ["config.toml"]


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="no device that is always full")
def test_nothing_is_left_on_a_full_disk(old: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = atomic.tempfile.mkstemp

    def full(**where: str) -> tuple[int, str]:
        handle, name = made(**where)
        os.close(handle)
        return os.open("/dev/full", os.O_WRONLY), name

    monkeypatch.setattr(atomic.tempfile, "mkstemp", full)
    with pytest.raises(OSError, match="No space left"):
        atomic.replace(replacement(old, OLD))
    assert old.read_bytes() == OLD
    assert names(old) == ["config.toml"]


def test_one_who_had_the_file_open_before_the_exchange_is_waited_for(old: pathlib.Path) -> None:
    """Whoever opened the file before it was taken out writes into it after: found by the kernel's lease."""
    with old.open("r+b") as late:

        def write() -> None:
            time.sleep(0.1)
            late.write(OTHER)
            late.close()

        thread = threading.Thread(target=write)
        thread.start()
        with pytest.raises(atomic.Conflict):
            atomic.replace(replacement(old, OLD))
        thread.join()
    assert old.read_bytes() == OTHER
    assert names(old) == ["config.toml"]


def test_one_who_never_closes_it_is_not_waited_for_for_ever(old: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "WRITER_SECONDS", 0.05)
    with old.open("r+b"):
        atomic.replace(replacement(old, OLD))
    assert old.read_bytes() == NEW


def test_what_a_fast_writer_wrote_last_is_never_lost(old: pathlib.Path) -> None:
    """The daemon rewrites its file at any moment, and its last state must stand (runner facts 0.1, 0.2)."""
    states = [b"state = %d\n" % number for number in range(200)]
    stop = threading.Event()

    def writer() -> None:
        for state in states:
            old.write_bytes(state)
            time.sleep(0.0005)
        stop.set()

    thread = threading.Thread(target=writer)
    thread.start()
    conflicts = done = 0
    while not stop.is_set():
        try:
            atomic.replace(atomic.Replacement(str(old), NEW, atomic.sha256(OLD)))
            done += 1
        except atomic.Conflict:
            conflicts += 1
    thread.join()
    assert old.read_bytes() == states[-1]
    assert names(old) == ["config.toml"]
    assert done <= 1  # before the first write
    assert conflicts > 5
