# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One digest for the refs of each git repository of a storage, read from its files. Standard library of Python 3.9.

A digest says the same before and after git packs its refs and after GitLab restores them from a backup. Memory is that
of one repository's loose refs and one digest each.
"""

from __future__ import annotations

import hashlib
import os
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _host_command

GIT = "/opt/gitlab/embedded/bin/git"
GIT_SECONDS = 120
# Made and dropped while GitLab works; no backup brings them back.
TRANSIENT = b"refs/tmp/"
# Object pools hold copies of what forks share; a restore makes them anew, from their source projects.
POOLS = "@pools"
DELETED = "+deleted"
EMPTY = "0" * 32
UNREADABLE = "unreadable"
SYMBOLIC = b"ref: "
_SPACE = 1 << 128
_LINKS = 5  # as many symbolic refs as git follows


class RefsError(Exception):
    """The repositories could not be read; the text says why."""


def digests(root: str, run: _host_command.Run, *, until: float) -> t.Iterator[tuple[str, str]]:
    """Path below root (`@hashed/aa/bb/<hash>.git`) and digest of each repository, in no order.

    EMPTY stands for a repository without refs, UNREADABLE for one whose files can't be read or are not there.
    until is a time.monotonic(). Raises RefsError when it is over, and where root itself can't be read.
    """
    for path in _repositories(root):
        if time.monotonic() > until:
            raise RefsError(f"{root} has more repositories than could be read in the time given")
        try:
            yield os.path.relpath(path, root), digest(path, run)
        except (OSError, ValueError):
            if os.path.exists(path):  # else it was removed meanwhile
                yield os.path.relpath(path, root), UNREADABLE


def _repositories(root: str) -> t.Iterator[str]:
    """Directories whose name ends in .git, at any depth; Gitaly's own (+gitaly) and pools are left out."""
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                found = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError as exc:
            if folder == root or os.path.exists(folder):
                raise RefsError(f"{folder}: {exc.strerror or exc}") from exc
            continue
        for entry in found:
            if entry.name.endswith(".git"):
                if DELETED not in entry.name:
                    yield entry.path
            elif not (folder == root and (entry.name.startswith("+") or entry.name == POOLS)):
                folders.append(entry.path)


def digest(path: str, run: _host_command.Run) -> str:
    """The digest of one repository's refs and of what HEAD leads to; 32 hexadecimal digits.

    It is a sum over the refs, so it needs none of their orders and no memory for those that are packed.
    """
    if os.path.isdir(os.path.join(path, "reftable")):
        return _sum(_asked(path, run))
    loose = dict(_loose(path))
    if not loose and not os.path.exists(os.path.join(path, "HEAD")):
        raise FileNotFoundError(path)
    return _sum(_all(path, loose))


def _all(path: str, loose: t.Mapping[bytes, bytes]) -> t.Iterator[tuple[bytes, bytes]]:
    head = _follow(_read(os.path.join(path, "HEAD")), loose)
    yield from loose.items()
    for name, value in _packed(path):
        if name not in loose:
            yield name, value
        if head == SYMBOLIC + name:
            head = value
    if head and not head.startswith(SYMBOLIC):  # the default branch of an empty repository leads nowhere
        yield b"HEAD", head


def _follow(value: bytes, loose: t.Mapping[bytes, bytes]) -> bytes:
    for _step in range(_LINKS):
        following = loose.get(value[len(SYMBOLIC) :], b"") if value.startswith(SYMBOLIC) else b""
        if not following:
            break
        value = following
    return value


def _sum(refs: t.Iterable[tuple[bytes, bytes]]) -> str:
    total = 0
    for name, value in refs:
        if not name.startswith(TRANSIENT):
            total += int.from_bytes(hashlib.blake2b(name + b" " + value, digest_size=16).digest(), "big")
    return f"{total % _SPACE:032x}"


def _packed(path: str) -> t.Iterator[tuple[bytes, bytes]]:
    """The lines of packed-refs; # begins a comment, ^ what an annotated tag leads to."""
    try:
        with open(os.path.join(path, "packed-refs"), "rb") as lines:
            for line in lines:
                if line[:1] not in (b"#", b"^", b"\n"):
                    value, _space, name = line.rstrip(b"\n").partition(b" ")
                    yield name, value
    except FileNotFoundError:
        return


def _loose(path: str) -> t.Iterator[tuple[bytes, bytes]]:
    folders = [os.path.join(path, "refs")]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                found = list(entries)
        except FileNotFoundError:
            continue
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif not entry.name.endswith(".lock"):
                value = _read(entry.path)
                if value:  # else it was removed or packed meanwhile
                    yield os.fsencode(os.path.relpath(entry.path, path)), value


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as content:
            return content.read(4096).strip()
    except FileNotFoundError:
        return b""


def _asked(path: str, run: _host_command.Run) -> t.Iterator[tuple[bytes, bytes]]:
    """The refs of a repository whose files only git itself reads (reftable)."""
    git = [GIT, "-c", "safe.directory=*", "--git-dir", path]
    done = run([*git, "for-each-ref", "--format=%(refname) %(objectname)"], timeout=GIT_SECONDS)
    head = run([*git, "rev-parse", "--quiet", "--verify", "HEAD"], timeout=GIT_SECONDS)
    if done.rc != 0:
        raise ValueError(f"git for-each-ref ended with {done.rc}: {done.words}")
    for line in done.stdout.splitlines():
        name, _space, value = line.partition(" ")
        yield name.encode(), value.encode()
    if head.rc == 0:
        yield b"HEAD", head.stdout.strip().encode()
