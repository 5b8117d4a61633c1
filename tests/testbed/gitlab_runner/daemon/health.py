# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries that fail too often are parked for an hour; a reload clears that (observed facts 4)."""

from __future__ import annotations

import threading
import time

from ..config import Entry
from ..golang import Duration
from ..logs import Logger

LIMIT = 3
INTERVAL = Duration.seconds(3600)


class Health:
    """Failures in a row of each entry, by url and short token."""

    def __init__(self, logger: Logger) -> None:
        self._logger = logger
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._parked_until: dict[str, float] = {}

    def clear(self) -> None:
        with self._lock:
            self._failures.clear()
            self._parked_until.clear()

    def is_healthy(self, key: str) -> bool:
        with self._lock:
            until = self._parked_until.get(key)
            if until is None:
                return True
            if time.monotonic() < until:
                return False
            del self._parked_until[key]
            self._failures.pop(key, None)
            return True

    def good(self, key: str) -> None:
        with self._lock:
            self._failures.pop(key, None)

    def bad(self, key: str, entry: Entry) -> None:
        limit = entry.get("unhealthy_requests_limit") or LIMIT
        interval = entry.get("unhealthy_interval") or INTERVAL
        with self._lock:
            failures = self._failures.get(key, 0) + 1
            self._failures[key] = failures
            if failures < limit:
                return
            self._parked_until[key] = time.monotonic() + interval.in_seconds
        self._logger.error(
            f'Runner "{key}" is unhealthy and will be disabled for {interval} seconds!',
            {"unhealthy_requests": failures, "unhealthy_requests_limit": limit},
        )
