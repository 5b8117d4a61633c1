# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job's log: masked, sent every three seconds, kept alive when it is silent (observed facts 4)."""

from __future__ import annotations

import threading
import time
import typing as t

from ..api import Reply
from .calls import RUNNING, JobCalls, update_interval
from .outcome import Outcome

INTERVAL = 3.0
KEEP_ALIVE = 30.0
FINAL_TRIES = 10
FINAL_PAUSE = 1.0
MASK = b"[MASKED]"
GONE = (403, 404)
LIMIT_TEXT = (
    b"\n\033[33;1mJob's log exceeded limit of %d bytes.\n"
    b"Job execution will continue but no more output will be collected.\033[0;m\n"
)


class Trace:
    """Collects output and sends it; on_status hears what the server says about the job."""

    def __init__(
        self, calls: JobCalls, secrets: t.Iterable[str], limit: int, on_status: t.Callable[[str], None]
    ) -> None:
        self._calls = calls
        self._secrets = sorted({secret.encode() for secret in secrets if secret}, key=len, reverse=True)
        self._limit = limit
        self._on_status = on_status
        self._lock = threading.Lock()
        self._log = bytearray()
        self._full = False
        self._sent = 0
        self._gone = False
        self._interval = INTERVAL
        self._finished = threading.Event()
        self._last_call = time.monotonic()
        self._sender = threading.Thread(target=self._loop, daemon=True)

    def start(self) -> None:
        self._sender.start()

    def write(self, data: str | bytes) -> None:
        chunk = data.encode() if isinstance(data, str) else data
        for secret in self._secrets:
            chunk = chunk.replace(secret, MASK)
        with self._lock:
            if self._full:
                return
            room = self._limit - len(self._log)
            self._log += chunk[:room]
            if len(chunk) > room:
                self._full = True
                self._log += LIMIT_TEXT % self._limit

    def finish(self, outcome: Outcome, silent: bool = False) -> None:
        """Send the rest and the last state; silent when the server wants to hear no more."""
        self._finished.set()
        self._sender.join()
        if not silent:
            self._finish(outcome)

    def _content(self) -> bytes:
        with self._lock:
            return bytes(self._log)

    def _loop(self) -> None:
        while not self._finished.wait(self._interval):
            if self._gone:
                return
            if self._sent < len(self._content()):
                self._send()
            elif time.monotonic() - self._last_call >= KEEP_ALIVE:
                self._heard(self._calls.put(RUNNING, self._content()))

    def _send(self) -> bool:
        """Send what is new; False when it must be tried again."""
        content = self._content()
        reply = self._calls.patch(self._sent, content[self._sent :])
        if reply.status == 202:
            self._sent = len(content)
        elif reply.status == 416:
            end = reply.headers.get("range", "").rpartition("-")[2]
            self._sent = min(int(end), len(content)) if end.isdigit() else 0
        self._heard(reply)
        return reply.status == 202 or self._gone

    def _heard(self, reply: Reply) -> None:
        self._last_call = time.monotonic()
        self._interval = float(update_interval(reply) or self._interval)
        status = reply.headers.get("job-status", "")
        if reply.status in GONE:
            self._gone = True
            status = "canceled"
        if status in ("canceled", "failed", "canceling"):
            self._on_status(status)

    def _finish(self, outcome: Outcome) -> None:
        for _unused in range(FINAL_TRIES):
            complete = self._sent == len(self._content()) or self._send()
            if self._gone:
                return
            if not complete:
                time.sleep(FINAL_PAUSE / 10)
                continue
            reply = self._calls.put(outcome, self._content())
            if reply.status == 200 or reply.status in GONE:
                return
            if reply.status == 412:
                self._sent = 0
                continue
            time.sleep(update_interval(reply) or FINAL_PAUSE)
