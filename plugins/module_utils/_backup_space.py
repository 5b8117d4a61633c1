# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a backup will find room, before it begins. Standard library of Python 3.9.

GitLab stages each part in backup_path and then writes the archive beside them, so there it needs the archive's size
twice; STRATEGY=copy also needs the files once more (server facts 1.2).
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_store import Kept

# Below Places.data, as the package lays it out.
FOLDERS = {
    "db": "postgresql/data/base",
    "repositories": "git-data/repositories",
    "uploads": "gitlab-rails/uploads",
    "builds": "gitlab-ci/builds",
    "artifacts": "gitlab-rails/shared/artifacts",
    "pages": "gitlab-rails/shared/pages",
    "lfs": "gitlab-rails/shared/lfs-objects",
    "terraform_state": "gitlab-rails/shared/terraform_state",
    "registry": "gitlab-rails/shared/registry",
    "packages": "gitlab-rails/shared/packages",
    "ci_secure_files": "gitlab-rails/shared/ci_secure_files",
    "external_diffs": "gitlab-rails/shared/external-diffs",
}
# How long the data is measured before a first backup; what takes longer is not worth an answer.
MEASURE_SECONDS = 4.0
GROWTH = 1.1  # what a backup may be larger than the one before


@dataclasses.dataclass(frozen=True)
class Estimate:
    """How large the archive will be, in bytes, and why that is thought; None where nobody can say in time."""

    size: int | None
    reason: str


@dataclasses.dataclass(frozen=True)
class Need:
    """Room on one file system, in bytes."""

    path: str
    bytes: int
    free: int

    @property
    def met(self) -> bool:
        return self.free >= self.bytes

    def __str__(self) -> str:
        return f"{self.path} needs {human(self.bytes)} and has {human(self.free)} free"


def human(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def estimate(request: Request, kept: t.Sequence[Kept], data: str) -> Estimate:
    """By the last set of the same parts; before there is one, by the size of the data."""
    for one in reversed(kept):
        if one.manifest and set(one.manifest.skipped) == set(request.skip) - {_backup_request.REMOTE}:
            size = one.manifest.application.size
            return Estimate(int(size * GROWTH), f"the archive of {one.id} has {human(size)}")
    until = time.monotonic() + MEASURE_SECONDS
    total = 0
    for part, folder in FOLDERS.items():
        if part not in request.skip:
            size_of_part = measured(f"{data}/{folder}", until)
            if size_of_part is None:
                return Estimate(None, "there is no earlier set, and the data is too much to measure it quickly")
            total += size_of_part
    return Estimate(total, f"the data has {human(total)}, and there is no earlier set to say how small it packs")


def measured(folder: str, until: float) -> int | None:
    """The size of all files below a folder; None when time is up. What is not there has none."""
    total = 0
    open_folders = [folder]
    while open_folders:
        if time.monotonic() > until:
            return None
        try:
            with os.scandir(open_folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        open_folders.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue  # gone meanwhile, or never there
    return total


def needs(request: Request, size: int) -> list[Need]:
    """What must be free where, for an archive of that size."""
    times = 3 if request.strategy == "copy" else 2
    found = [Need(request.backup_path, times * size, free(request.backup_path))]
    if device(request.sets_path) != device(request.backup_path):
        found.append(Need(request.sets_path, size, free(request.sets_path)))
    return found


def free(path: str) -> int:
    """What an ordinary user may still write there, in bytes: GitLab writes as git."""
    found = os.statvfs(existing(path))
    return found.f_bavail * found.f_frsize


def device(path: str) -> int:
    return existing(path).stat().st_dev


def existing(path: str) -> pathlib.Path:
    """The path, or the nearest folder above it that is there."""
    place = pathlib.Path(path)
    while not place.exists():
        place = place.parent
    return place
