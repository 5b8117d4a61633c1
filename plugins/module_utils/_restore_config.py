# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts /etc/gitlab back from the archive of gitlab-ctl backup-etc. Standard library of Python 3.9.

Its members have absolute names, and links were followed when it was made (server facts 1.9): a good one has nothing but
files and directories below /etc/gitlab. Each file is whole on disk before it takes its place.
"""

from __future__ import annotations

import contextlib
import dataclasses
import grp
import os
import pathlib
import pwd
import shutil
import stat
import tarfile
import typing as t

ROOM = "etc/gitlab"
NEW = ".fleetwright-new"


class UnsafeArchive(Exception):
    """The archive has something that does not belong into /etc/gitlab; nothing of it was written."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file or directory of the archive, by its path below /etc/gitlab ("" is /etc/gitlab itself)."""

    path: str
    directory: bool
    mode: int
    uid: int
    gid: int
    content: bytes = dataclasses.field(default=b"", repr=False)


def read(archive: pathlib.Path) -> list[Entry]:
    """Everything in the archive, checked. Raises UnsafeArchive, and OSError or tarfile.TarError."""
    with tarfile.open(archive, "r:") as tar:
        return [_entry(tar, member) for member in tar]


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    path = _below(member.name)
    if not (member.isfile() or member.isdir()):
        raise UnsafeArchive(f"{member.name} is neither a file nor a directory")
    content = b""
    if member.isfile():
        if not path:
            raise UnsafeArchive(f"{member.name} is a file")
        file = tar.extractfile(member)
        content = file.read() if file else b""
    return Entry(path, member.isdir(), member.mode & 0o1777, *_owner(member), content)


def _below(name: str) -> str:
    """The path below /etc/gitlab; raises UnsafeArchive for every other."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts or "/".join(parts[:2]) != ROOM or "\0" in name:
        raise UnsafeArchive(f"{name!r} does not belong below /{ROOM}")
    return "/".join(parts[2:])


def _owner(member: tarfile.TarInfo) -> tuple[int, int]:
    """By name where this host knows it, as tar does: numbers differ between hosts."""
    uid, gid = member.uid, member.gid
    with contextlib.suppress(KeyError):
        uid = pwd.getpwnam(member.uname).pw_uid if member.uname else uid
    with contextlib.suppress(KeyError):
        gid = grp.getgrnam(member.gname).gr_gid if member.gname else gid
    return uid, gid


def changes(entries: t.Iterable[Entry], etc: str) -> list[str]:
    """Paths below etc that are other than in the archive; what is only on the host is left alone, and not named."""
    return [entry.path for entry in entries if not _is_there(entry, pathlib.Path(etc) / entry.path)]


def _is_there(entry: Entry, place: pathlib.Path) -> bool:
    try:
        found = place.stat()  # the archive has what a link leads to
        if entry.directory:
            return stat.S_ISDIR(found.st_mode)
        same = (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (entry.uid, entry.gid, entry.mode)
        return stat.S_ISREG(found.st_mode) and same and place.read_bytes() == entry.content
    except OSError:
        return False


def keep(etc: str, folder: pathlib.Path) -> pathlib.Path | None:
    """Copy /etc/gitlab as it is, once: a later run must not copy what this one half wrote. Raises OSError."""
    copy = folder / "etc-gitlab"
    if copy.exists() or not pathlib.Path(etc).exists():
        return copy if copy.exists() else None
    part = folder / "etc-gitlab.part"
    shutil.rmtree(part, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(etc, part, symlinks=True, ignore=lambda path, names: ["config_backup"] if path == etc else [])
    for one in [part, *part.rglob("*")]:
        _take_over_owner(pathlib.Path(etc) / one.relative_to(part), one)
    os.sync()
    return part.rename(copy)


def _take_over_owner(source: pathlib.Path, copy: pathlib.Path) -> None:
    found = source.lstat()
    os.chown(copy, found.st_uid, found.st_gid, follow_symlinks=False)


def write(entries: t.Iterable[Entry], etc: str) -> None:
    """Have every entry below etc, and leave what else is there. Can be done again. Raises OSError.

    A link to a directory is replaced by a directory: what is outside /etc/gitlab is not written to.
    """
    root = pathlib.Path(etc)
    for entry in sorted(entries, key=lambda one: one.path):
        place = root / entry.path
        if entry.directory:
            _directory(place, entry, is_root=not entry.path)
        elif not (_is_there(entry, place) and not place.is_symlink()):
            _file(place, entry, root)
    os.sync()


def _directory(place: pathlib.Path, entry: Entry, *, is_root: bool) -> None:
    if not is_root and (place.is_symlink() or (place.exists() and not place.is_dir())):
        place.unlink()
    place.mkdir(parents=True, exist_ok=True)
    if is_root:
        return  # the package made it, with the mode that it wants
    os.chown(place, entry.uid, entry.gid)
    place.chmod(entry.mode)


def _file(place: pathlib.Path, entry: Entry, root: pathlib.Path) -> None:
    for folder in reversed(place.relative_to(root).parents):
        inner = root / folder
        if inner != root and inner.is_symlink():
            inner.unlink()
        inner.mkdir(exist_ok=True)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    new = place.with_name(place.name + NEW)
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(entry.content)
        file.flush()
        os.fchown(file.fileno(), entry.uid, entry.gid)
        os.fchmod(file.fileno(), entry.mode)
        os.fsync(file.fileno())
    new.replace(place)
