# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every task works with."""

from __future__ import annotations

import os
import sys
import typing as t
from dataclasses import dataclass, field

from . import config as configs
from . import database
from .errors import not_connected
from .faults import Faults
from .places import Places, places


@dataclass
class Context:
    """One run of rake or of the runner."""

    places: Places
    config: configs.Config
    faults: Faults
    env: dict[str, str]
    out: t.TextIO = field(default_factory=lambda: sys.stdout)
    stdin: t.TextIO = field(default_factory=lambda: sys.stdin)

    def say(self, text: str = "") -> None:
        """Print a line at once: a reader follows while the task runs."""
        self.out.write(f"{text}\n")
        self.out.flush()

    def database(self) -> database.Database:
        """Connect; without a server the task is aborted as Rails does."""
        try:
            return database.connect(self.places)
        except database.Unreachable as exc:
            raise not_connected(str(exc)) from exc

    def flag(self, name: str) -> bool:
        """Tell whether a boolean variable is on."""
        return self.env.get(name, "").lower() in ("1", "yes", "true", "t", "y", "on")


def new(env: t.Optional[t.Mapping[str, str]] = None, at: t.Optional[Places] = None) -> Context:
    """Look at what is configured and switched on now."""
    where = at or places()
    known = dict(os.environ if env is None else env)
    return Context(where, configs.load(where), Faults(where), known)
