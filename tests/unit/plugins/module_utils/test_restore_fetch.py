# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fetching of a set goes on where it was broken off, also where the disk has no room for a second one."""

from __future__ import annotations

import base64
import hashlib
import os
import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_set, _backup_space, _restore_fetch
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import (
    Archive,
    Kind,
    Manifest,
    Pieces,
    Release,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_fetch import FetchFailed, Order, Range

ID = "1795504809_2026_11_24_18.11.4"
MIB = 1 << 20
PIECE = 5 * MIB
SIZE = 4 * PIECE
CONTENT = os.urandom(1024) * (SIZE // 1024)


def archive(kind: str, name: str, content: bytes) -> Archive:
    cut = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
    sums = tuple(base64.b64encode(hashlib.sha256(one).digest()).decode() for one in cut)
    return Archive(kind, name, len(content), hashlib.sha256(content).hexdigest(), 1, (), Pieces(PIECE, sums))


def order(sets: pathlib.Path) -> Order:
    application = archive(Kind.APPLICATION, f"{ID}_gitlab_backup.tar", CONTENT)
    configuration = archive(Kind.CONFIGURATION, "gitlab_config_1_2026_11_24.tar", CONTENT[:4096])
    manifest = Manifest(ID, Release("18.11.4"), (application, configuration), "git", "", "", "")
    return Order(str(sets), _backup_set.dump(manifest), dict.fromkeys(manifest.files, "https://s3.test/x?signature"))


class Disk:
    """A disk of so many bytes with nothing but the set on it, and a bucket that may break off."""

    def __init__(self, sets: pathlib.Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sets, self.size, self.breaks = sets, size, False
        self.fetched: list[int] = []
        monkeypatch.setattr(_backup_space, "free", lambda path: self.free)
        monkeypatch.setattr(_restore_fetch, "_fetch", self.fetch)
        monkeypatch.setattr(_restore_fetch, "CONNECTIONS", 1)

    @property
    def free(self) -> int:
        return self.size - sum(path.stat().st_blocks * 512 for path in self.sets.rglob("*.tar"))

    def fetch(self, folder: pathlib.Path, one: Range, *unused: t.Any) -> None:
        if self.breaks and one.number >= 2:
            raise FetchFailed("the network is away")
        with (folder / one.file).open("r+b") as file:
            file.seek(one.offset)
            file.write(CONTENT[one.offset : one.offset + one.size])
        self.fetched.append(one.number)


def test_a_fetch_that_was_broken_off_needs_no_room_again(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path / "sets", SIZE + MIB, monkeypatch)
    disk.breaks = True
    with pytest.raises(FetchFailed, match="the network is away"):
        _restore_fetch.fetch(order(disk.sets), str)
    assert disk.free < PIECE
    disk.breaks = False
    disk.fetched.clear()
    kept = _restore_fetch.fetch(order(disk.sets), str)
    assert {2, 3} <= set(disk.fetched)
    assert (pathlib.Path(kept.path) / f"{ID}_gitlab_backup.tar").read_bytes() == CONTENT


def test_too_little_room_is_said_before_anything_is_fetched(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path / "sets", SIZE - 1, monkeypatch)
    with pytest.raises(FetchFailed, match=r"too little room for the set .*needs 20.0 MiB and has 20.0 MiB free"):
        _restore_fetch.fetch(order(disk.sets), str)
    assert disk.fetched == []
    assert _restore_fetch.fetch(order(disk.sets), str, check_space=False).id == ID
