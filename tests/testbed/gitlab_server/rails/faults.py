# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on a switch: a file named after the fault in the faults folder, its content is the argument."""

from __future__ import annotations

import time
import typing as t

from ..faults import scoped
from .places import Places

# fault: what its argument is, and what it does
FAULTS: t.Mapping[str, str] = {
    "rails-boot": "text: Rails does not start, every task and runner call dies with it",
    "rake-slow": "seconds: every task begins that much later",
    "backup-slow": "seconds: every part of a backup or restore takes that much longer",
    "backup-part": "parts, comma between: they fail (repositories: gitaly-backup exits with 1)",
    "backup-damage": "parts, comma between: what is stored of them is cut short, and nobody says so",
    "backup-kill": "part: the process is killed when it comes to it; or archive (it is there), archive-half (half "
    "of it is there, under its name), upload, restore:<part>, restore:db-cleaned",
    "backup-archive": "anything: the archive can't be written",
    "backup-upload": "anything: the upload fails",
    "restore-part": "parts, comma between: they fail when restored",
    "restore-sql-errors": "text: an SQL error that restoring the database meets",
    "check-fails": "component (such as GitLab App): one of its questions is answered with no",
    "migrate": "text: db:migrate dies with it",
    "migrations-stuck": "anything: batched background migrations make no progress",
    "migrations-failed": "job class: it fails when its turn comes",
    "migrations-speed": "batches a second (4 without)",
}


class Faults:
    """The faults that are on now."""

    def __init__(self, places: Places) -> None:
        self._folder = places.faults
        self._version = places.rails / "VERSION"

    def get(self, name: str) -> t.Optional[str]:
        """Return the fault's argument, or None when it is off."""
        if name not in FAULTS:
            raise KeyError(f"no fault is called {name}")
        try:
            text = (self._folder / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        return scoped(text, self._version)

    def on(self, name: str) -> bool:
        return self.get(name) is not None

    def names(self, name: str, item: str) -> bool:
        """Tell whether the fault's argument lists the item."""
        return item in (self.get(name) or "").split(",")

    def wait(self, name: str) -> None:
        """Be as slow as the fault says."""
        time.sleep(float(self.get(name) or 0))
