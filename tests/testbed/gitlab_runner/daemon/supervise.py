# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals and the way down: graceful, forceful, forced (runner facts 3.1, observed facts 6)."""

from __future__ import annotations

import queue
import signal
import threading
import time
import types
import typing as t

from ..golang import Duration, Signal
from .manager import Exit, Manager
from .polling import Poller
from .reload import Reloader
from .rotation import Rotation

HANDLED = (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGINT)
TICK = 0.02
# A signal that comes just before a wait begins does not interrupt it: its handler runs when the wait is over.
IDLE_TICK = 0.2
NOT_GRACEFUL = (
    "Graceful shutdown not finished properly. To gracefully clean up running plugins please use SIGQUIT "
    "(ctrl-\\) instead of SIGINT (ctrl-c)"
)


class Supervisor:
    """Runs in the main thread, which alone gets signals."""

    def __init__(self, manager: Manager, reloader: Reloader, rotation: Rotation) -> None:
        self._manager = manager
        self._reloader = reloader
        self._rotation = rotation

    def take_over_signals(self) -> None:
        for number in HANDLED:
            signal.signal(number, self._received)

    def _received(self, number: int, _frame: t.Optional[types.FrameType]) -> None:
        self._manager.events.put(number)

    def wait(self) -> int:
        """Wait for the end and return the exit status."""
        manager = self._manager
        while True:
            try:
                event = manager.events.get(timeout=IDLE_TICK)
            except queue.Empty:
                continue
            if isinstance(event, Exit):
                return event.status
            if event == signal.SIGHUP:
                self._reloader.request()
                continue
            self._log_signal("runWait", event)
            return self._end(event)

    def poll_until(self, poller: Poller, reached: t.Callable[[bool], str]) -> int:
        """Poll, as `run-single` does, until a limit is reached or a signal comes."""
        manager = self._manager
        threading.Thread(target=poller.loop, daemon=True).start()
        while True:
            reason = reached(manager.workers.busy > 0)
            if reason:
                manager.logger.info(reason)
                manager.stop_requests()
                return 0
            try:
                event = manager.events.get(timeout=TICK)
            except queue.Empty:
                continue
            if not isinstance(event, Exit) and event != signal.SIGHUP:
                self._log_signal("waitForInterrupts", event)
                return self._end(event)

    def _log_signal(self, where: str, number: int) -> None:
        fields = self._manager.fields(stop_signal=Signal(number))
        self._manager.logger.warning(f"[{where}] received stop signal", fields)

    def _end(self, number: int) -> int:
        manager = self._manager
        if number == signal.SIGQUIT:
            manager.state = "graceful-shutdown"
            manager.stop_requests()
            self._rotation.stop()
            number = self._drain()
        if number:
            manager.logger.warning(NOT_GRACEFUL, manager.fields(error=f"received stop signal: {Signal(number)}"))
            error = self._abort(number)
            if error:
                manager.logger.warning("Forceful shutdown not finished properly", manager.fields(error=error))
                manager.logger.log("fatal", "Service run failed", {"error": error})
                return 1
        self._farewell()
        return 0

    def _drain(self) -> int:
        """Wait for the running jobs without limit; return the signal that ends that, 0 when all is done."""
        manager = self._manager
        number = int(signal.SIGQUIT)
        while number == signal.SIGQUIT:
            manager.logger.warning(
                "Starting graceful shutdown, waiting for builds to finish",
                {**manager.fields(), "StopSignal": Signal(number)},
            )
            number = self._next_signal(None)
            if number:
                self._log_signal("handleGracefulShutdown", number)
        return number

    def _abort(self, number: int) -> str:
        """End the running jobs; return what went wrong."""
        manager = self._manager
        manager.state = "forceful-shutdown"
        timeout = manager.shutdown_timeout()
        manager.logger.warning(
            "Starting forceful shutdown", {**manager.fields(shutdown_timeout=timeout), "StopSignal": Signal(number)}
        )
        manager.aborted_by = str(Signal(number))
        manager.stop_requests()
        self._rotation.stop()
        for build in manager.builds.snapshot():
            build.abort("aborted", manager.aborted_by)
        try:
            second = self._next_signal(timeout)
        except TimeoutError:
            return "shutdown timed out"
        if second:
            self._log_signal("handleForcefulShutdown", second)
            return f"forced exit with stop signal: {Signal(second)}"
        return ""

    def _next_signal(self, timeout: t.Optional[Duration]) -> int:
        """Wait until no worker is busy (0) or a stop signal comes; SIGHUP means nothing any more."""
        deadline = time.monotonic() + timeout.in_seconds if timeout else None
        while self._manager.workers.busy or not self._rotation.is_idle():
            if deadline is not None and time.monotonic() > deadline:
                raise TimeoutError
            try:
                event = self._manager.events.get(timeout=TICK)
            except queue.Empty:
                continue
            if not isinstance(event, Exit) and event != signal.SIGHUP:
                return event
        return 0

    def _farewell(self) -> None:
        manager = self._manager
        manager.logger.info("All workers stopped.", manager.fields())
        manager.logger.info(
            "Shutting down executor providers", manager.fields(shutdown_timeout=manager.shutdown_timeout())
        )
        manager.logger.info("All executor providers shut down.", manager.fields())
        manager.logger.info("Can exit now!", manager.fields())
