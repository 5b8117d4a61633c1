# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New tokens at three quarters of a token's life, with the habits of each version (observed facts 5)."""

from __future__ import annotations

import threading
import time
import typing as t

from ..commands.reset_token import take
from ..config import Config, ConfigError, Entry, load, save
from ..golang import ZERO_TIME, epoch
from ..network import Credentials
from ..traits import Trait
from .manager import Manager
from .polling import PAUSES

SHARE_OF_LIFE = 0.75
TIGHT = 0.05  # what is left of a loop without a pause


def due_at(entry: Entry) -> t.Optional[float]:
    """Return when the entry's token is to be changed; None = never."""
    expires, obtained = entry.get("token_expires_at", ZERO_TIME), entry.get("token_obtained_at", ZERO_TIME)
    flags = entry.get("feature_flags", {})
    if expires == ZERO_TIME or flags.get("FF_DISABLE_AUTOMATIC_TOKEN_ROTATION"):
        return None
    start = epoch(obtained)
    return start + SHARE_OF_LIFE * (epoch(expires) - start)


class Rotation:
    """Watches the entries in memory; every load starts the watch anew."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._changed = threading.Event()
        self._under_way: set[int] = set()  # ids of entries in memory; a load makes new entries
        self._threads: list[threading.Thread] = []

    def restart(self) -> None:
        """Look at the entries again, also at those whose call is still under way with the old token."""
        self._under_way.clear()
        self._changed.set()

    def loop(self) -> None:
        while not self._manager.stopping.is_set():
            self._changed.clear()
            waits = [10.0]
            for entry in self._manager.entries():
                moment = due_at(entry)
                if moment is None or id(entry) in self._under_way:
                    continue
                waits.append(moment - time.time())
                if moment <= time.time():
                    self._start(entry)
            self._changed.wait(max(0.01, min(waits)))

    def _start(self, entry: Entry) -> None:
        self._under_way.add(id(entry))
        thread = threading.Thread(target=self._rotate, args=(entry,), daemon=True)
        self._threads = [one for one in self._threads if one.is_alive()] + [thread]
        thread.start()

    def stop(self) -> None:
        self._changed.set()

    def is_idle(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def _rotate(self, entry: Entry) -> None:
        manager = self._manager
        client = manager.client(entry)
        refusals = 0
        while not manager.stopping.is_set():
            credentials = manager.network.reset_token(entry, client=client)
            if credentials is not None:
                self._accept(entry, credentials)
                self._under_way.discard(id(entry))
                self._changed.set()
                return
            pause = TIGHT
            if manager.app.traits.has(Trait.ROTATION_BACKS_OFF):
                pause = PAUSES[min(refusals, len(PAUSES) - 1)]
                client.not_before = time.monotonic() + pause
            refusals += 1
            time.sleep(pause)  # a stop waits for it, as it does for the genuine program

    def _accept(self, entry: Entry, credentials: Credentials) -> None:
        manager, traits = self._manager, self._manager.app.traits
        with manager.lock:
            if traits.has(Trait.ROTATION_SAVES_MEMORY):
                take(self._current(manager.config, entry), credentials)
                saved = manager.config
                if traits.has(Trait.ROTATION_SAVES_USER) and manager.user:
                    saved.data["user"] = manager.user
            else:
                saved = load(manager.options.path, traits)
                take(self._current(saved, entry), credentials)
                manager.config, manager.user = saved, str(saved.data.get("user", ""))
            self._save(saved)
            manager.mtime_ns = time.time_ns()

    @staticmethod
    def _current(config: Config, entry: Entry) -> Entry:
        """Return the entry itself or, after a load, the one with the same token."""
        if any(one is entry for one in config.runners):
            return entry
        wanted = (entry.get("url"), entry.get("token"))
        return next((one for one in config.runners if (one.get("url"), one.get("token")) == wanted), entry)

    def _save(self, config: Config) -> None:
        manager = self._manager
        try:
            save(config, manager.app.traits)
            manager.count("configuration_saved")
        except ConfigError as exc:
            manager.count("configuration_saving_error")
            manager.logger.error("Failed to save config", manager.fields(error=exc))
