# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading the configuration, at the start and while running (runner facts 2, observed facts 5)."""

from __future__ import annotations

import sys
import threading
import typing as t

from ..config import Config, ConfigError, go_error
from ..traits import Trait
from .manager import Manager

INTERVAL = 3.0
NO_JOBS = (
    "Current configuration 'concurrent = 0' means that no jobs will be processed, see "
    "https://docs.gitlab.com/runner/configuration/advanced-configuration.html#the-global-section"
)


class Reloader:
    """Loads the file when its date is newer than the remembered one, or at once on request."""

    def __init__(self, manager: Manager, loaded: t.Callable[[], None]) -> None:
        self._manager = manager
        self._loaded = loaded
        self._requested = threading.Event()

    def load(self) -> bool:
        """Load and take over; False when the program must end because of what is in the file."""
        manager = self._manager
        config, system_id = manager.app.load(manager.options.path)
        with manager.lock:
            manager.config, manager.system_id, manager.mtime_ns = config, system_id, config.mtime_ns
            manager.user = manager.options.user
        manager.health.clear()
        traits = manager.app.traits
        if traits.has(Trait.USAGE_LOGGER):
            manager.logger.info("Usage logger disabled", manager.fields())
        manager.logger.info("Configuration loaded", manager.fields())
        manager.count("configuration_loaded")
        if not traits.has(Trait.EMPTY_TOKEN_POLLED):
            self._warn_of_empty_tokens(config)
        if config.number("concurrent") < 1:
            self._refuse()
            return False
        self._loaded()
        return True

    def _warn_of_empty_tokens(self, config: Config) -> None:
        for entry in config.runners:
            if not entry.get("token", "").strip():
                self._manager.logger.warning(
                    "Runner has an empty token and will be skipped", {"runner_name": entry.get("name", "")}
                )

    def _refuse(self) -> None:
        manager = self._manager
        if manager.app.traits.has(Trait.CONCURRENT_ZERO_PLAIN):
            manager.logger.log("fatal", "Concurrent is less than 1 - no jobs will be processed", manager.fields())
            return
        sys.stdout.write(NO_JOBS)
        sys.stdout.flush()
        manager.logger.log("fatal", f"{len(NO_JOBS)} <nil>", manager.fields())

    def request(self) -> None:
        """Load at once, whatever the file's date."""
        self._requested.set()

    def loop(self) -> None:
        manager = self._manager
        while not manager.stopping.is_set():
            forced = self._requested.wait(INTERVAL)
            self._requested.clear()
            if manager.stopping.is_set():
                return
            if forced or self._is_newer():
                self._reload(times=1 if forced else 2)
            manager.workers.resize(max(1, manager.config.number("concurrent")), manager.stopping)

    def _is_newer(self) -> bool:
        manager = self._manager
        try:
            return manager.options.path.stat().st_mtime_ns > manager.mtime_ns
        except OSError as exc:
            text = f"Failed to load config stat {manager.options.path}: {go_error(exc)}"
            manager.logger.error(text, manager.fields())
            return False

    def _reload(self, times: int) -> None:
        manager = self._manager
        try:
            if not self.load():
                manager.end(1)
        except ConfigError as exc:
            manager.count("configuration_loading_error")
            if not manager.app.traits.has(Trait.BROKEN_FILE_RETRIED):
                times = 1
                with manager.lock:
                    manager.mtime_ns = manager.options.path.stat().st_mtime_ns
            for _unused in range(times):
                manager.logger.error(f"Failed to load config {exc}", manager.fields())
