# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""last.json: what the last backup of a host came to, or what the one at work does. Standard library of Python 3.9."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_lock, _backup_store

NAME = "last.json"


class Outcome:
    """How a backup ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # its process is gone, and wrote no end


def stamp(now: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))


class Recorder:
    """Keeps last.json true while a backup goes on; seconds are by what they were spent on."""

    def __init__(self, state_path: str, origin: str, now: t.Callable[[], float] = time.time) -> None:
        self._path = pathlib.Path(state_path) / NAME
        self._now = now
        self._known: dict[str, t.Any] = {
            "state": Outcome.RUNNING,
            "origin": origin,
            "began": stamp(now()),
            "stage": "looking at the host",
            "id": None,
            "pid": os.getpid(),
            "pid_started": _backup_lock.process_started(os.getpid()),
            "seconds": {},
        }

    def begin(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write()

    def take_up(self, set_id: str) -> None:
        """Go on with what was written of that set by the process that made it."""
        before = read(str(self._path.parent)) or {}
        if before.get("id") == set_id:
            own = ("pid", "pid_started")
            self._known.update({key: value for key, value in before.items() if key not in own})

    def stage(self, words: str, **known: t.Any) -> None:
        self._known.update(known, stage=words)
        self._write()

    @contextlib.contextmanager
    def timed(self, name: str) -> t.Iterator[None]:
        """Count the time inside as spent on name."""
        started = time.monotonic()
        try:
            yield
        finally:
            seconds = self._known["seconds"]
            seconds[name] = round(seconds.get(name, 0.0) + time.monotonic() - started, 3)

    def succeeded(self, **known: t.Any) -> dict[str, t.Any]:
        return self._end(Outcome.SUCCEEDED, **known)

    def failed(self, error: str, **known: t.Any) -> dict[str, t.Any]:
        return self._end(Outcome.FAILED, error=error, **known)

    def _end(self, state: str, **known: t.Any) -> dict[str, t.Any]:
        self._known.update(known, state=state, stage="ended", ended=stamp(self._now()))
        self._write()
        return dict(self._known)

    def _write(self) -> None:
        _backup_store.write_json(self._path, self._known)


class Silent(Recorder):
    """Writes nothing: for who only looks."""

    def __init__(self) -> None:
        super().__init__("", "nobody")

    def _write(self) -> None:
        pass


def read(state_path: str) -> dict[str, t.Any] | None:
    """The last result, or None; one whose process died without an end is called interrupted."""
    try:
        found = json.loads((pathlib.Path(state_path) / NAME).read_text("utf-8"))
        if found["state"] == Outcome.RUNNING and not _backup_lock.is_alive(found["pid"], found["pid_started"]):
            found["state"] = Outcome.INTERRUPTED
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return t.cast("dict[str, t.Any]", found)
