# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets on a host: which there are, which are good, which retention lets go. Standard library of Python 3.9."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_set
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import ORIGIN_RESTORE, PARTS
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest, SetError

UNFINISHED = ".part"
FAILED = ".failed"
COPIES = "copies.json"
DAY = 86400


class Condition:
    """What a folder below sets_path is."""

    GOOD = "good"
    DAMAGED = "damaged"  # it was good once: a file is missing or has another size
    FAILED = "failed"
    UNFINISHED = "unfinished"


@dataclasses.dataclass(frozen=True)
class Kept:
    """A set as it lies on the host. problem says what is wrong with one that is not good; size is in bytes.

    options are what the backup was asked for, as the manifest says it.
    """

    id: str
    condition: str
    path: str
    manifest: Manifest | None = None
    problem: str = ""
    copies: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    options: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    @property
    def size(self) -> int:
        return self.manifest.size if self.manifest else 0


def prepare(sets_path: str) -> None:
    """Make the folder of the sets, for root alone."""
    folder = pathlib.Path(sets_path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)  # what is in there is all of GitLab's secrets


def sets(sets_path: str) -> list[Kept]:
    """Every set, oldest first, whatever became of it."""
    try:
        folders = [entry for entry in os.scandir(sets_path) if entry.is_dir(follow_symlinks=False)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = [kept for kept in map(_look, folders) if kept is not None]
    return sorted(found, key=lambda kept: (_backup_set.made_at(kept.id), kept.id))


def good(kept: t.Iterable[Kept]) -> list[Kept]:
    return [one for one in kept if one.condition == Condition.GOOD]


def find(sets_path: str, set_id: str) -> Kept:
    """The good set of that id ("latest": the newest); raises SetError."""
    there = good(sets(sets_path))
    found = there[-1:] if set_id == "latest" else [kept for kept in there if kept.id == set_id]
    if not found:
        ids = ", ".join(kept.id for kept in there) or "none"
        raise SetError(f"There is no good set {set_id} in {sets_path}; good ones there: {ids}.")
    return found[0]


def _look(entry: os.DirEntry[str]) -> Kept | None:
    for ending, condition in ((UNFINISHED, Condition.UNFINISHED), (FAILED, Condition.FAILED)):
        if entry.name.endswith(ending) and _backup_set.is_id(entry.name[: -len(ending)]):
            return Kept(entry.name[: -len(ending)], condition, entry.path, problem=_why(entry.path))
    if not _backup_set.is_id(entry.name):
        return None
    place = pathlib.Path(entry.path) / _backup_set.MANIFEST
    try:
        manifest = _backup_set.load(place.read_text("utf-8"), str(place))
        problem = _damage(pathlib.Path(entry.path), manifest)
    except (SetError, OSError, UnicodeDecodeError) as exc:
        return Kept(entry.name, Condition.DAMAGED, entry.path, problem=str(exc))
    condition = Condition.DAMAGED if problem else Condition.GOOD
    return Kept(entry.name, condition, entry.path, manifest, problem, read_copies(entry.path), manifest.options)


def _damage(folder: pathlib.Path, manifest: Manifest) -> str:
    if manifest.id != folder.name:
        return f"its manifest is that of {manifest.id}"
    for archive in manifest.archives:
        try:
            size = (folder / archive.file).stat().st_size
        except OSError as exc:
            return f"{archive.file}: {exc.strerror}"
        if size != archive.size:
            return f"{archive.file} has {size} bytes, {archive.size} were written"
    return ""


def _why(folder: str) -> str:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        return str(json.loads((pathlib.Path(folder) / "failure.json").read_text("utf-8"))["error"])
    return ""


def read_copies(folder: str) -> dict[str, t.Any]:
    """copies.json: by URL what is known of a copy; empty where none was begun."""
    with contextlib.suppress(OSError, ValueError):
        found = json.loads((pathlib.Path(folder) / COPIES).read_text("utf-8"))
        return found if isinstance(found, dict) else {}
    return {}


def note_copy(folder: str, url: str, known: t.Mapping[str, t.Any]) -> None:
    """Write down what is known of the copy at url."""
    write_json(pathlib.Path(folder) / COPIES, {**read_copies(folder), url: dict(known)})


def expired(kept: t.Sequence[Kept], now: float, keep_count: int, keep_days: int) -> list[Kept]:
    """The good sets that retention lets go, oldest first.

    A set goes when every rule that was given lets it go: it is not among the newest keep_count, and it is older than
    keep_days. Only sets that can stand in for it are counted: one made with skip, or before a restore, pushes out no
    whole one. Without a rule nothing goes. Sets that are not good are neither counted nor removed.
    """
    if not keep_count and not keep_days:
        return []
    there = good(kept)
    gone = []
    for number, one in enumerate(there):
        newer = [other for other in there[number + 1 :] if stands_in(other.options, one.options)]
        old = not keep_days or _backup_set.made_at(one.id) < now - keep_days * DAY
        if old and len(newer) >= max(1, keep_count):
            gone.append(one)
    return gone


def stands_in(options: t.Mapping[str, t.Any], other: t.Mapping[str, t.Any]) -> bool:
    """Whether a set made with options has all that one made with the other ones has.

    A set that was made before a restore has the data that the restore replaced: it stands in for its like alone.
    """
    if options.get("origin") == ORIGIN_RESTORE != other.get("origin"):
        return False
    if not _listed(options, "skip", PARTS) <= _listed(other, "skip", PARTS):
        return False
    if "repositories" in other.get("skip", ()):
        return True
    less = _listed(options, "skip_repositories_paths") <= _listed(other, "skip_repositories_paths")
    limits = ("repositories_storages", "repositories_paths")
    return less and all(
        not options.get(name) or (bool(other.get(name)) and _listed(other, name) <= _listed(options, name))
        for name in limits
    )


def _listed(options: t.Mapping[str, t.Any], name: str, known: t.Collection[str] = ()) -> set[str]:
    """The entries of a list among the options; only known ones, where these are given."""
    return {one for one in options.get(name, ()) if not known or one in known}


def remove(kept: Kept) -> None:
    """Remove a set; under the name of an unfinished one, so that one half removed is never taken for a set."""
    folder = pathlib.Path(kept.path)
    if kept.condition != Condition.UNFINISHED:
        folder = folder.rename(folder.with_name(kept.id + UNFINISHED))
    shutil.rmtree(folder)


def write_json(path: pathlib.Path, data: t.Any) -> None:
    write_text(path, json.dumps(data, indent=2, sort_keys=True) + "\n")


def write_text(path: pathlib.Path, text: str) -> None:
    """Write a small file of ours: whole on disk before it is there, mode 0600."""
    new = path.with_name(f".{path.name}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync(path.parent)


def sync(folder: pathlib.Path) -> None:
    """Have a folder's names on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
