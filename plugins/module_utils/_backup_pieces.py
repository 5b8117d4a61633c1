# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a set as S3 takes them: in pieces, each with its checksum. Standard library of Python 3.9.

Used on the host and on the controller. The checksums come from the one reading that found the archive good, so what
S3 says that it has is what was read then.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import pathlib
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_pass, _backup_set
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Pieces
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_store import Kept

MIB = 1 << 20
DEFAULT_SIZE = 64 * MIB  # S3 takes pieces of 5 MiB to 5 GiB, and 10,000 of one object
TIMER_SIZE = 256 * MIB  # the aws command is started anew for each


@dataclasses.dataclass(frozen=True)
class Piece:
    """A part of an object in S3's words; number begins at 1, offset and size are bytes, sha256 is in base64."""

    number: int
    offset: int
    size: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class File:
    """A file of a set, ready to be sent."""

    name: str
    size: int
    pieces: tuple[Piece, ...]

    @property
    def checksum(self) -> str:
        """S3's composite checksum of the whole object: that of its pieces' checksums."""
        joined = b"".join(base64.b64decode(piece.sha256) for piece in self.pieces)
        return base64.b64encode(hashlib.sha256(joined).digest()).decode()

    def is_there(self, size: int | None, checksum: str | None) -> bool:
        """Whether an object of that size and checksum (S3 appends the count of pieces) is this file."""
        value, _unused, count = (checksum or "").partition("-")
        return size == self.size and value == self.checksum and count in ("", str(len(self.pieces)))


def cut(name: str, size: int, pieces: Pieces) -> File:
    found = [
        Piece(number + 1, number * pieces.size, min(pieces.size, size - number * pieces.size), checksum)
        for number, checksum in enumerate(pieces.sha256)
    ]
    return File(name, size, tuple(found))


def files(kept: Kept, piece_size: int = DEFAULT_SIZE) -> list[File]:
    """Every file of a good set, the manifest last. Archives that have no pieces yet are read for them."""
    if kept.manifest is None:
        raise _backup_set.SetError(f"{kept.id} is no good set: {kept.problem}.")
    folder = pathlib.Path(kept.path)
    found = []
    for archive in kept.manifest.archives:
        pieces = archive.pieces or _backup_pass.piece_sums(str(folder / archive.file), piece_size)
        found.append(cut(archive.file, archive.size, pieces))
    manifest = folder / _backup_set.MANIFEST
    pieces = _backup_pass.piece_sums(str(manifest), piece_size)
    return [*found, cut(_backup_set.MANIFEST, manifest.stat().st_size, pieces)]


def from_json(data: t.Mapping[str, t.Any]) -> File:
    return File(data["name"], data["size"], tuple(Piece(**piece) for piece in data["pieces"]))
