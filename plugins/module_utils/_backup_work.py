# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set that is being made: what is known of it so far, on disk after every step. Standard library of Python 3.9.

Whatever ends a backup half way, the next run reads here how far it came.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import errno
import json
import os
import pathlib
import shutil
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_pass, _backup_set, _backup_store
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_pass import Seen
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import PARTS
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Archive, Release
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_tar import Walker

RECORD = "making.json"
FAILURE = "failure.json"
MIB = 1 << 20
MAX_PIECES = 10_000  # of one object in S3
# What GitLab leaves in backup_path when it is killed (server facts 1.4); it overwrites all of it in its next run.
_STAGED = frozenset(("backup_information.yml", "db", "repositories", "tmp", *(f"{part}.tar.gz" for part in PARTS)))


class Stage:
    """How far a set has come."""

    CONFIGURATION = "configuration"
    APPLICATION = "application"
    VERIFICATION = "verification"  # GitLab is done, and said so: all that is left can be done again


@dataclasses.dataclass(frozen=True)
class Making:
    """What is known of a set while it is made; previous is the file that was linked into backup_path for it."""

    id: str
    release: Release
    host: str
    began: str
    backup_path: str
    options: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    stage: str = Stage.CONFIGURATION
    configuration: Archive | None = None
    secrets_sha256: str | None = None
    states: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    fingerprint_before: t.Mapping[str, t.Any] | None = None
    fingerprint_after: t.Mapping[str, t.Any] | None = None
    warnings: tuple[str, ...] = ()
    previous: str | None = None

    @property
    def archive(self) -> pathlib.Path:
        """Where GitLab puts the application archive."""
        return pathlib.Path(self.backup_path) / _backup_set.archive_name(self.id)


def folder(sets_path: str, set_id: str) -> pathlib.Path:
    return pathlib.Path(sets_path) / (set_id + _backup_store.UNFINISHED)


def note(sets_path: str, making: Making) -> None:
    """Write down how far the set has come; its folder is made with the first note."""
    place = folder(sets_path, making.id)
    place.mkdir(mode=0o700, exist_ok=True)
    _backup_store.write_json(place / RECORD, dataclasses.asdict(making))


def noted(place: str) -> Making | None:
    """What was noted of an unfinished set; None where nothing can be read."""
    try:
        data = json.loads((pathlib.Path(place) / RECORD).read_text("utf-8"))
        data["release"] = Release(**data["release"])
        data["configuration"] = _backup_set.archive_from(data["configuration"]) if data["configuration"] else None
        data["warnings"] = tuple(data["warnings"])
        return Making(**data)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def hand_over(file: pathlib.Path) -> None:
    """Let GitLab's user read an archive in backup_path: the folder's owner is that user.

    The set's own file, of which it is another name, stays that user's, as GitLab made it; its folder is root's alone.
    """
    owner = file.parent.stat()
    os.chown(file, owner.st_uid, owner.st_gid)


def take_in(source: pathlib.Path, target: pathlib.Path, walker: Walker, piece_size: int | None) -> Seen:
    """Have the archive in the set, on disk, and read it once; the source stays. Raises OSError.

    On one file system it is a second name of the same file; elsewhere the copy is written in the same reading.
    """
    if _linked(source, target):
        with concurrent.futures.ThreadPoolExecutor(1) as beside:
            synced = beside.submit(_sync, target)
            seen = _backup_pass.read(str(target), walker, piece_size=_pieces_of(target, piece_size))
            synced.result()
        return seen
    target.unlink(missing_ok=True)
    return _backup_pass.read(str(source), walker, piece_size=_pieces_of(source, piece_size), copy_to=str(target))


def _linked(source: pathlib.Path, target: pathlib.Path) -> bool:
    if target.exists() and (not source.exists() or target.samefile(source)):
        return True  # by a run that was killed behind this point
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError as exc:
        if exc.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        return False
    return True


def _pieces_of(path: pathlib.Path, wanted: int | None) -> int | None:
    """The size of a piece, in whole MiB, so that there are not more of them than S3 takes."""
    if wanted is None:
        return None
    least = -(-path.stat().st_size // MAX_PIECES)
    return max(wanted, -(-least // MIB) * MIB)


def _sync(path: pathlib.Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def seal(sets_path: str, making: Making, manifest: _backup_set.Manifest) -> pathlib.Path:
    """Make the unfinished folder a set: the manifest first, then the name.

    The record stays until all is settled: an unfinished folder without one is taken for what nobody can finish.
    """
    place = folder(sets_path, making.id)
    _backup_store.write_text(place / _backup_set.MANIFEST, _backup_set.dump(manifest))
    done = place.rename(pathlib.Path(sets_path) / making.id)
    _backup_store.sync(done.parent)
    return done


def settle(sets_path: str, making: Making, *, keep: bool) -> None:
    """Remove the names that a sealed set has in backup_path (keep: but its own archive's), then its record."""
    if not keep:
        making.archive.unlink(missing_ok=True)
    if making.previous:
        pathlib.Path(making.previous).unlink(missing_ok=True)
    (pathlib.Path(sets_path) / making.id / RECORD).unlink(missing_ok=True)


def set_aside(sets_path: str, making: Making, error: str) -> str | None:
    """Keep what a failed backup made, instead of what the one before it made; returns where.

    Without an archive nothing is kept.
    """
    place = folder(sets_path, making.id)
    kept = place / _backup_set.archive_name(making.id)
    if making.archive.exists():
        with contextlib.suppress(OSError):  # another file system: it is not worth a copy
            if not kept.exists():
                os.link(making.archive, kept)
    clear_backup_path(making)
    if not kept.exists():
        shutil.rmtree(place, ignore_errors=True)
        return None
    _backup_store.write_json(place / FAILURE, {"id": making.id, "began": making.began, "error": error})
    drop_failed(sets_path)
    return str(place.rename(pathlib.Path(sets_path) / (making.id + _backup_store.FAILED)))


def drop_failed(sets_path: str) -> None:
    """Remove what earlier failed backups left: something newer took its place."""
    for one in _backup_store.sets(sets_path):
        if one.condition == _backup_store.Condition.FAILED:
            _backup_store.remove(one)


def throw_away(sets_path: str, making: Making) -> None:
    """Remove all that a backup left which was stopped before GitLab was done."""
    clear_backup_path(making)
    for entry in _staged(making):
        remove(entry)
    shutil.rmtree(folder(sets_path, making.id), ignore_errors=True)


def remove(entry: pathlib.Path) -> None:
    """Remove a file, or a folder with all that is in it."""
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)


def clear_backup_path(making: Making) -> None:
    """Remove the names of this set's archives from backup_path."""
    making.archive.unlink(missing_ok=True)
    if making.previous:
        pathlib.Path(making.previous).unlink(missing_ok=True)


def _staged(making: Making) -> list[pathlib.Path]:
    """What GitLab staged since this backup began; what is older was left on purpose (SKIP=tar)."""
    began = _backup_set.made_at(making.id)
    found = []
    for entry in pathlib.Path(making.backup_path).iterdir():
        if entry.name in _STAGED and entry.lstat().st_mtime >= began:
            found.append(entry)
    return found
