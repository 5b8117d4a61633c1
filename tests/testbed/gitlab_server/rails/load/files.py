# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of every part, and on request a given number of MiB that do not compress."""

from __future__ import annotations

import hashlib
import os
import typing as t
from pathlib import Path

from ..places import Places
from .records import Project

Stored = dict[str, list[tuple[Project, str, bytes]]]
# part: folder, and the name of a project's file in it
_NAMES: t.Mapping[str, str] = {
    "uploads": "{hashed}/{token}/screenshot.png",
    "builds": "{hashed}/2026_11/{number}.log",
    "artifacts": "{hashed}/2026_11_24/{number}/artifacts.zip",
    "pages": "{hashed}/pages_deployments/{number}/artifacts.zip",
    "lfs": "{token:.2}/{token}",
    "terraform_state": "{hashed}/{token}/1.tfstate",
    "packages": "{hashed}/packages/{number}/files/{number}/library-1.0.0.tgz",
    "ci_secure_files": "{hashed}/secure_files/{number}/keystore.jks",
    "external_diffs": "merge_request_diffs/mr-{number}/diff-{number}",
}
_FOLDERS = {"lfs": "lfs-objects", "external_diffs": "external-diffs"}
_BLOCK = 1 << 20


def _folder(places: Places, part: str) -> Path:
    own = {"uploads": places.uploads, "builds": places.builds}
    return own.get(part) or places.shared / _FOLDERS.get(part, part)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def make(places: Places, projects: t.Iterable[Project]) -> Stored:
    """Write a file of each part for each project, and return what was written."""
    made: Stored = {part: [] for part in _NAMES}
    for project in projects:
        for part, pattern in _NAMES.items():
            token = hashlib.sha256(f"{part}{project.number}".encode()).hexdigest()
            name = pattern.format(hashed=project.hashed, number=project.number, token=token)
            data = f"{part} of {project.path}\n{token}\n".encode() * (project.number % 7 + 1)
            _write(_folder(places, part) / name, data)
            made[part].append((project, name, data))
    return made


def fill(places: Places, mebibytes: int) -> None:
    """Write that many MiB as LFS objects of at most 64 MiB; no two blocks are alike, and none gets smaller."""
    seed = os.urandom(_BLOCK)
    for start in range(0, mebibytes, 64):
        path = places.shared / "lfs-objects/ff" / f"fill-{os.urandom(8).hex()}"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            for number in range(start, min(start + 64, mebibytes)):
                out.write(number.to_bytes(8, "big") + seed[number % 4096 :] + seed[: number % 4096])
