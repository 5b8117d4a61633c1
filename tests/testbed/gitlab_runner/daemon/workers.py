# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may work: the slots of `concurrent`, and the jobs that run (runner facts 2)."""

from __future__ import annotations

import threading
import time
import typing as t
from dataclasses import dataclass, field

from ..config import Entry


class Workers:
    """Counts workers. Taking one away waits until one is free, as in the genuine main loop."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._capacity = 0
        self._target = 0
        self._busy = 0

    def take(self, stop: threading.Event, wait: bool = True) -> bool:
        """Occupy a worker; False when there is none, or the program stops meanwhile."""
        with self._changed:
            while not stop.is_set():
                if self._busy < min(self._capacity, self._target):
                    self._busy += 1
                    return True
                if not wait:
                    return False
                self._changed.wait(1.0)
        return False

    def give_back(self) -> None:
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def resize(self, number: int, stop: threading.Event) -> None:
        """Have another number of workers; blocks while it has to take away busy ones."""
        with self._changed:
            self._target = number
            self._capacity = max(self._capacity, number)
            self._changed.notify_all()
            while self._capacity > number and not stop.is_set():
                if self._busy < self._capacity:
                    self._capacity -= 1
                else:
                    self._changed.wait(1.0)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    @property
    def busy(self) -> int:
        with self._changed:
            return self._busy


@dataclass
class Build:
    """One job on its way, as /debug/jobs/list and the metrics show it."""

    job_id: int
    url: str
    runner: str
    entry: Entry
    slot: int
    abort: t.Callable[[str, str], None]
    state: str = "pending"
    stage: str = "prepare_executor"
    executor_stage: str = "prepare"
    started: float = field(default_factory=time.monotonic)


class Builds:
    """The jobs that run, and what is under way for each entry."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: list[Build] = []
        self._claims: dict[str, int] = {}
        self._requests: dict[str, int] = {}

    @staticmethod
    def _key(entry: Entry) -> str:
        return f"{entry.get('url', '')} {entry.get('token', '')}"

    def __len__(self) -> int:
        with self._lock:
            return len(self._running)

    def snapshot(self) -> list[Build]:
        with self._lock:
            return list(self._running)

    def claim(self, entry: Entry) -> bool:
        """Reserve one of the entry's `limit` jobs and one of its `request_concurrency` requests."""
        key, limit = self._key(entry), entry.get("limit", 0)
        with self._lock:
            claims, requests = self._claims.get(key, 0), self._requests.get(key, 0)
            if (limit and claims >= limit) or requests >= max(1, entry.get("request_concurrency", 1)):
                return False
            self._claims[key], self._requests[key] = claims + 1, requests + 1
            return True

    def requests(self, entry: Entry) -> int:
        """How many requests for a job are under way for the entry (observed facts 7)."""
        with self._lock:
            return self._requests.get(self._key(entry), 0)

    def end_request(self, entry: Entry) -> None:
        with self._lock:
            self._requests[self._key(entry)] -= 1

    def end_claim(self, entry: Entry) -> None:
        with self._lock:
            self._claims[self._key(entry)] -= 1

    def free_slot(self, runner: str) -> int:
        with self._lock:
            taken = {build.slot for build in self._running if build.runner == runner}
        return next(number for number in range(len(taken) + 1) if number not in taken)

    def add(self, build: Build) -> None:
        with self._lock:
            self._running.append(build)

    def remove(self, build: Build) -> None:
        with self._lock:
            self._running.remove(build)
