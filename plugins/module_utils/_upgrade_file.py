# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of server upgrades as a file: read, and appended to. Standard library of Python 3.9.

The journal is the truth; open.json beside it only says quickly that an upgrade is unfinished. It is written after the
line that opens an upgrade and removed after the one that closes it, and repaired by every writer that comes.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_request,
    _backup_store,
    _upgrade_journal,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_journal import Kind, Line
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import Upgrade

STATE_PATH = _backup_request.UPGRADE_STATE_PATH
NAME = "journal.jsonl"
OPEN = "open.json"


class JournalError(Exception):
    """The journal can't be understood; the text says what to do."""


def read(state_path: str = STATE_PATH) -> tuple[Upgrade, ...]:
    """Every upgrade that was recorded, oldest first. Raises JournalError and OSError."""
    place = pathlib.Path(state_path) / NAME
    try:
        content = place.read_bytes()
    except FileNotFoundError:
        return ()
    return _understood(place, content)[1]


def _understood(place: pathlib.Path, content: bytes) -> tuple[list[Line], tuple[Upgrade, ...]]:
    try:
        lines = _upgrade_journal.parse(content)
        return lines, _upgrade_journal.upgrades(lines)
    except ValueError as exc:
        raise JournalError(
            f"{place} can't be understood ({exc}): it says how far upgrades of this server came and how to go back. "
            "Put back an untouched copy of it. Only when you know that no upgrade is unfinished and none is to be "
            "rolled back, move it away."
        ) from None


class Journal:
    """A journal that is appended to; the caller holds the host's lock. upgrades are what it says now."""

    def __init__(self, state_path: str = STATE_PATH, now: t.Callable[[], float] = time.time) -> None:
        """Read it, cut off a torn last line, and repair open.json. Raises JournalError and OSError."""
        self._folder = pathlib.Path(state_path)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._now = now
        place = self._folder / NAME
        with contextlib.suppress(FileNotFoundError):
            content = place.read_bytes()
            self._lines, self.upgrades = _understood(place, content)
            _cut(place, content)
            self._repair()
            return
        self._lines, self.upgrades = [], ()
        self._repair()

    @property
    def last(self) -> Upgrade | None:
        return self.upgrades[-1] if self.upgrades else None

    def append(
        self, kind: str, stop: int | None = None, step: str | None = None, facts: t.Mapping[str, t.Any] | None = None
    ) -> Upgrade:
        """Have a line on disk before this returns; returns what its upgrade is now.

        Raises OSError, and ValueError for a line that makes no sense, which is not written then.
        """
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._now()))
        plain = json.loads(json.dumps(dict(facts or {})))  # as a reader will find them
        line = Line(len(self._lines) + 1, at, kind, stop, step, plain)
        found = _upgrade_journal.upgrades([*self._lines, line])
        _append(self._folder / NAME, line.dumped())
        self._lines.append(line)
        self.upgrades = found
        if kind in (Kind.OPENED, Kind.TURNED, Kind.CLOSED):
            self._repair()
        return found[-1]

    def _repair(self) -> None:
        """Make open.json say what the journal says."""
        place, last = self._folder / OPEN, self.last
        if last is not None and last.unfinished:
            _backup_store.write_json(
                place,
                {"id": last.id, "began": last.began, "from": last.origin.version, "to": last.stops[-1].version},
            )
        elif place.exists():
            place.unlink()
            _backup_store.sync(self._folder)


def _append(place: pathlib.Path, content: bytes) -> None:
    """Raises OSError, and leaves no half line then: what follows must not hang on to it."""
    is_new = not place.exists()
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    size = os.fstat(handle).st_size
    try:
        written = 0
        while written < len(content):
            written += os.write(handle, content[written:])
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise
    finally:
        os.close(handle)
    if is_new:
        _backup_store.sync(place.parent)


def _cut(place: pathlib.Path, content: bytes) -> None:
    """Take away a last line without its end: a process was killed while it wrote it."""
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(place, whole)
