# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One controller at a time: a lock on the host, with its owner and age.

Nothing stays connected between two commands, so the lock is a file that says who took it and when, by the host's
clock. It is looked at and changed under flock(1) of its folder, which the kernel gives back by itself. A holder that
was killed leaves it behind: who finds it takes it over at once if that process ran on this machine and is gone, else
when it is older than LIMIT.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import re
import secrets
import shlex
import socket
import time
import typing as t

SUFFIX = ".fleetwright-lock"
LIMIT = 600  # seconds; a run that works longer takes its own lock anew
WAIT = 60.0  # seconds that a run waits for another one
PAUSE = 2.0

_FOLDER = """\
d=$(dirname -- {path})
umask 077
mkdir -p -- "$d" && exec 9< "$d" && flock 9 || exit 1
owner= since=0
test ! -s {path} || read -r owner since < {path}
"""
_TAKE = """\
now=$(date +%s)
age=$((now - ${{since:-0}}))
case $owner in ''|{own}|{gone}) age={limit};; esac
if test $age -lt {limit}; then echo "lock.held $owner $age"; exit; fi
set -e
t=$(mktemp "$d/.fleetwright.XXXXXX")
trap 'rm -f -- "$t"' EXIT
printf '%s %s\\n' {own} "$now" | cat > "$t"
mv -f -- "$t" {path}
echo lock.taken
"""
_GIVE = """\
test "$owner" != {own} || rm -f -- {path}
"""
_HELD = re.compile(r"^lock\.held (\S+) (-?\d+)\s*$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Owner:
    """Who holds a lock: the controller's name, its place (machine, boot, process namespace) and process, and a mark."""

    host: str
    place: str
    pid: int
    mark: str

    def __str__(self) -> str:
        return f"{self.host}/{self.place}/{self.pid}/{self.mark}"

    @classmethod
    def read(cls, text: str) -> Owner | None:
        """The owner that a lock names; None for a text that this did not write."""
        host, place, pid, mark = (*text.split("/"), "", "", "", "")[:4]
        return cls(host, place, int(pid), mark) if pid.isdigit() and mark else None

    @property
    def gone(self) -> bool:
        """Whether it ran here and has ended."""
        return self.place == _place() and not _lives(self.pid)


@dataclasses.dataclass(frozen=True)
class Held:
    """A lock that somebody else has, and for how many seconds."""

    owner: str
    age: int

    @property
    def stale(self) -> bool:
        found = Owner.read(self.owner)
        return found is not None and found.gone

    def __str__(self) -> str:
        found = Owner.read(self.owner)
        return f"process {found.pid} on {found.host}, since {self.age} seconds" if found else self.owner


class LockError(Exception):
    """The lock can't be had; the text says who has it and what to do."""


class Lock:
    """The lock of one configuration; command runs a shell command on the host and returns its status and output."""

    def __init__(
        self,
        config_path: str,
        command: t.Callable[[str], tuple[int, str]],
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        folder, _sep, name = config_path.rpartition("/")
        self.path = f"{folder or '.'}/.{name}{SUFFIX}"
        self._command = command
        self._sleep = sleep
        self._owner = _new_owner()
        self._taken: float | None = None

    @property
    def taken(self) -> bool:
        return self._taken is not None

    def take(self) -> None:
        """Take the lock, waiting for a run that has it; raises LockError when it keeps it."""
        waited = 0.0
        while held := self._try():
            if held.stale:
                held = self._try(gone=held.owner)
            if held is None:
                break
            if waited >= WAIT:
                raise LockError(
                    f"Another run is at work on the runners of this host: {held} ({self.path}). Nothing was changed. "
                    f"Run this again when it has ended. If it was killed, its lock counts for {LIMIT} seconds; remove "
                    "that file on the host to go on before."
                )
            self._sleep(PAUSE)
            waited += PAUSE
        self._taken = time.monotonic()

    def keep(self) -> None:
        """Make sure that the lock is still ours before something is written; raises LockError when it is not."""
        if self._taken is None or time.monotonic() - self._taken < LIMIT / 2:
            return
        held = self._try()
        if held:
            raise LockError(
                f"This run took longer than {LIMIT} seconds, and another one has gone to work meanwhile: {held} "
                f"({self.path}). Run this again when it has ended; what this one left unfinished is taken up then."
            )
        self._taken = time.monotonic()

    def give(self) -> None:
        """Give the lock back, if it was taken."""
        if self._taken is not None:
            self._taken = None
            self._command(_giving(self.path, self._owner))

    def _try(self, gone: str = "") -> Held | None:
        """Who has the lock; None when it is ours now."""
        status, output = self._command(_taking(self.path, self._owner, gone))
        match = _HELD.search(output)
        if match:
            return Held(match[1], int(match[2]))
        if status or "lock.taken" not in output:
            raise LockError(
                f"Could not write {self.path} on the host: {output.strip()[-300:]}. Nothing was changed. "
                "Check space and permissions of its directory, and become: true."
            )
        return None


def _new_owner() -> Owner:
    name = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "controller"
    return Owner(name, _place(), os.getpid(), secrets.token_hex(4))


def _taking(path: str, owner: Owner, gone: str = "") -> str:
    """The command that takes the lock, also from itself, or from a holder that is known to be gone."""
    own = shlex.quote(str(owner))
    return _script(_FOLDER + _TAKE, path=path, own=own, gone=shlex.quote(gone or str(owner)), limit=LIMIT)


def _giving(path: str, owner: Owner) -> str:
    """The command that gives the lock back, unless somebody else has it by now."""
    return _script(_FOLDER + _GIVE, path=path, own=shlex.quote(str(owner)))


def _script(text: str, *, path: str, **words: object) -> str:
    return text.format(path=shlex.quote(path), **words)


def _place() -> str:
    """This machine as long as it runs, and the namespace in which its process numbers mean something."""
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id")
    namespace = pathlib.Path("/proc/self/ns/pid")
    known = [socket.gethostname()]
    if boot.exists() and namespace.exists():
        known += [boot.read_text().strip(), str(namespace.readlink())]
    return hashlib.sha256(" ".join(known).encode()).hexdigest()[:12]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
