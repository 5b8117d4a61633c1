# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replaces a file in one step, and only if it is still the one that was read.

Runs on a host: standard library of Python 3.9. The new file is exchanged with the old one by
C(renameat2(RENAME_EXCHANGE)); what is taken out is compared with what was read, so a change that someone made
meanwhile is seen after the fact and put back, never lost; one that is still being written then is waited for.
"""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import fcntl
import hashlib
import os
import pathlib
import stat
import tempfile
import time
import typing as t

AT_FDCWD = -100
RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
SELINUX = "security.selinux"
PUT_BACK_TRIES = 20
# A daemon writes its file within milliseconds; one that was stopped in the middle is not waited for any longer.
WRITER_SECONDS = 1.0


class Conflict(Exception):
    """The file is not the one that was read; content is what stands there now (None: no file)."""

    def __init__(self, content: bytes | None) -> None:
        self.content = content
        super().__init__("the file was changed by someone else meanwhile")


@dataclasses.dataclass(frozen=True)
class Replacement:
    """A file to be replaced. expect_sha256 is None where no file is expected; backups says how many to keep."""

    path: str
    content: bytes = dataclasses.field(repr=False)
    expect_sha256: str | None
    backups: int = 0
    mode: int = 0o600


def sha256(content: bytes | None) -> str | None:
    return None if content is None else hashlib.sha256(content).hexdigest()


def read(path: str) -> bytes | None:
    try:
        return pathlib.Path(path).read_bytes()
    except FileNotFoundError:
        return None


def replace(wanted: Replacement, check: t.Callable[[str], None] | None = None) -> str | None:
    """Put the content in place and return the backup's path, if one was made.

    check is called with the temporary file's path before anything is replaced; what it raises leaves the file alone.
    Raises Conflict when the file changed meanwhile (it then stands as the other left it) and OSError.
    """
    folder = os.path.dirname(wanted.path) or "."
    os.makedirs(folder, mode=0o700, exist_ok=True)
    temp = _temporary(folder, wanted)
    try:
        if check is not None:
            check(temp)
        if wanted.expect_sha256 is None:
            _move_to_free_place(temp, wanted.path)
            return None
        backup = _keep_backup(wanted)  # before the exchange: a full disk must not leave a new file without one
        try:
            _exchange(temp, wanted.path, wanted)
        except BaseException:
            if backup is not None:
                os.unlink(backup)
            raise
        _drop_old_backups(wanted)
    finally:
        if os.path.exists(temp):
            os.unlink(temp)
        _sync(folder)
    return backup


def _temporary(folder: str, wanted: Replacement) -> str:
    """The new file beside the old one, complete on disk, with the old one's owner, mode and security context."""
    handle, temp = tempfile.mkstemp(prefix=f".{os.path.basename(wanted.path)}.", suffix=".new", dir=folder)
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(wanted.content)
            new.flush()
            _take_over(new.fileno(), wanted)
            os.fsync(new.fileno())
    except BaseException:
        os.unlink(temp)  # it is half, and it holds tokens
        raise
    return temp


def _take_over(new: int, wanted: Replacement) -> None:
    try:
        old = os.stat(wanted.path)
    except FileNotFoundError:
        os.fchmod(new, wanted.mode)
        return
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(new, old.st_uid, old.st_gid)
    os.fchmod(new, stat.S_IMODE(old.st_mode) & ~0o077 | wanted.mode)  # never readable by others: it holds tokens
    try:
        os.setxattr(new, SELINUX, os.getxattr(wanted.path, SELINUX))
    except OSError as exc:
        if exc.errno not in (errno.ENODATA, errno.ENOTSUP, errno.EPERM):
            raise
    _make_newer(new, old)


def _make_newer(new: int, old: os.stat_result) -> None:
    """The daemon reloads only a file whose mtime is strictly newer (runner facts 0.3)."""
    now = max(time.time_ns(), old.st_mtime_ns + 1_000_000)
    os.utime(new, ns=(now, now))


def _exchange(temp: str, path: str, wanted: Replacement) -> None:
    try:
        _rename(temp, path, RENAME_EXCHANGE)
    except OSError as exc:
        if exc.errno == errno.ENOENT:
            raise Conflict(None) from exc
        if exc.errno not in (errno.EINVAL, errno.ENOSYS):
            raise
        _replace_plainly(temp, path, wanted)
        return
    _await_writers(temp)
    if sha256(read(temp) or b"") != wanted.expect_sha256:
        raise Conflict(_put_back(temp, path, wanted.content))


def _await_writers(taken_out: str) -> None:
    """Wait until nobody has the file open for writing: whoever opened it before the exchange writes into it after.

    The kernel gives a read lease on such a file only; file systems without leases are not waited for.
    """
    handle = os.open(taken_out, os.O_RDONLY)
    try:
        until = time.monotonic() + WRITER_SECONDS
        while time.monotonic() < until:
            try:
                fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
                return
            except OSError as exc:
                if exc.errno not in (errno.EAGAIN, errno.EACCES):
                    return
            time.sleep(0.001)
    finally:
        os.close(handle)


def _put_back(temp: str, path: str, ours: bytes) -> bytes | None:
    """Undo an exchange that took out something unexpected; whoever wrote last wins."""
    placed = ours
    for _try in range(PUT_BACK_TRIES):
        put = read(temp) or b""
        _rename(temp, path, RENAME_EXCHANGE)
        _await_writers(temp)
        if read(temp) == placed:
            break
        placed = put  # what stood there was rewritten in that moment: it is the newest, so it goes back
    return read(path)


def _replace_plainly(temp: str, path: str, wanted: Replacement) -> None:
    """For file systems without RENAME_EXCHANGE: compare, then rename; the gap between them is microseconds."""
    current = read(path)
    if sha256(current) != wanted.expect_sha256 or current is None:
        raise Conflict(current)
    os.rename(temp, path)


def _move_to_free_place(temp: str, path: str) -> None:
    try:
        os.link(temp, path)
    except FileExistsError:
        raise Conflict(read(path)) from None


def _rename(old: str, new: str, flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    function = getattr(libc, "renameat2", None)
    if function is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if function(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), old)


def _keep_backup(wanted: Replacement) -> str | None:
    if wanted.backups < 1:
        return None
    content = read(wanted.path)
    if content is None or sha256(content) != wanted.expect_sha256:
        raise Conflict(content)
    backup = f"{wanted.path}.{time.time_ns()}.bak"
    handle = os.open(backup, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as kept:
            kept.write(content)
            kept.flush()
            os.fsync(kept.fileno())
    except OSError:
        os.unlink(backup)
        raise
    return backup


def _drop_old_backups(wanted: Replacement) -> None:
    for old in backups_of(wanted.path)[: -wanted.backups] if wanted.backups > 0 else []:
        os.unlink(old)


def backups_of(path: str) -> list[str]:
    """The backups made here, oldest first."""
    place = pathlib.Path(path)
    found = place.parent.glob(f"{place.name}.*.bak")
    return sorted(str(one) for one in found if one.name[len(place.name) + 1 : -len(".bak")].isdigit())


def _sync(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
