# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a running `run`: configuration in memory, workers, jobs, counters, clients."""

from __future__ import annotations

import queue
import threading
import time
import typing as t
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..api import Client
from ..app import App
from ..config import Config, Entry, empty
from ..golang import Duration
from .health import Health
from .workers import Builds, Workers

IN_FLIGHT_GRACE = 0.05  # an answer that is on its way when the program stops may carry a job
DEFAULT_SHUTDOWN_TIMEOUT = 30


@dataclass(frozen=True)
class Options:
    """What `run` was called with."""

    path: Path
    user: str = ""
    listen_address: str = ""


class Exit(t.NamedTuple):
    """The program is to end with this status."""

    status: int


class Manager:
    """What the threads of `run` share."""

    def __init__(self, app: App, options: Options) -> None:
        self.app = app
        self.logger = app.logger
        self.options = options
        self.network = app.network()
        self.config: Config = empty(options.path)
        self.config.data["concurrent"] = 0  # nothing is loaded yet, and log lines say so
        self.user = options.user
        self.system_id = ""
        self.mtime_ns = 0
        self.state = "starting"
        self.aborted_by = ""  # the signal that ends all jobs, also one that arrives now
        self.lock = threading.RLock()  # the configuration in memory and the remembered mtime
        self.stopping = threading.Event()  # no new jobs
        self.workers = Workers()
        self.builds = Builds()
        self.health = Health(app.logger)
        self.counters: Counter[tuple[str, ...]] = Counter()
        self.events: queue.SimpleQueue[int | Exit] = queue.SimpleQueue()
        self._clients: dict[tuple[str, str], Client] = {}

    def fields(self, **more: object) -> dict[str, object]:
        """Return the fields of most log lines."""
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"builds": len(self.builds), "max_builds": self.config.number("concurrent"), **named}

    def count(self, name: str, *labels: str) -> None:
        with self.lock:
            self.counters[(name, *labels)] += 1

    def counted(self, name: str) -> dict[tuple[str, ...], int]:
        with self.lock:
            return {key[1:]: value for key, value in self.counters.items() if key[0] == name}

    def entries(self) -> list[Entry]:
        with self.lock:
            return list(self.config.runners)

    def short(self, entry: Entry) -> str:
        return self.network.short(entry.get("token", ""))

    def client(self, entry: Entry) -> Client:
        """Return the entry's client: it remembers the server's last update."""
        key = (entry.get("url", ""), entry.get("token", ""))
        with self.lock:
            if key not in self._clients:
                self._clients[key] = self.network.client(entry)
            return self._clients[key]

    def check_interval(self) -> float:
        return self.config.number("check_interval") or 3

    def shutdown_timeout(self) -> Duration:
        return Duration.seconds(self.config.number("shutdown_timeout") or DEFAULT_SHUTDOWN_TIMEOUT)

    def stop_requests(self) -> None:
        """Take no more jobs; requests under way are broken off."""
        self.stopping.set()
        self.workers.wake()
        deadline = time.monotonic() + IN_FLIGHT_GRACE
        while self.workers.busy > len(self.builds) and time.monotonic() < deadline:
            time.sleep(0.002)
        with self.lock:
            clients = list(self._clients.values())
        for client in clients:
            client.cancel()

    def end(self, status: int) -> None:
        self.events.put(Exit(status))
