# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on a switch: a file in /var/opt/gitlab-twin/faults named after the fault, its content the argument."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from .places import Places, here

# What the package's own programs do wrong on request. Those of Rails (rake, psql, migrations) are in rails/faults.py,
# those of the web service are set under /-/twin/faults of the service itself.
FAULTS = {
    "reconfigure-fails": "phase (default migrations): it fails there; dnf still says Complete!",
    "reconfigure-killed": "phase (default migrations): the reconfigure process is killed there",
    "reconfigure-slow": "seconds that a reconfigure takes longer",
    "service-down": "names of services that do not come up (crash loop)",
    "service-will-not-stop": "names of services that ignore TERM",
    "redis-refuses": "redis does not start while there is a dump.rdb",
    "puma-boot": "seconds that puma boots for; nginx answers 502 meanwhile",
    "never-ready": "check (default db_check): readiness answers 503",
    "pg-upgrade-fails": "text that pg_upgrade fails with",
}
PHASES = ("configuration", "accounts", "services", "migrations", "end")


def fault(name: str, places: t.Optional[Places] = None) -> t.Optional[str]:
    """Return the argument of a fault that is on, None when it is off."""
    places = places or here()
    try:
        text = (places.faults / name).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return scoped(text, places.rails / "VERSION")


def scoped(text: str, version: Path) -> t.Optional[str]:
    """Return an argument without its scope; None where it is for another version: `migrations@18.11`."""
    argument, at, scope = text.rpartition("@")
    if not at or not re.fullmatch(r"\d+(\.\d+)*", scope):
        return text
    installed = version.read_text(encoding="utf-8").strip() if version.exists() else ""
    return argument if f"{installed}.".startswith(f"{scope}.") else None


def seconds(name: str, default: float = 0.0) -> float:
    """Return the argument of a fault that takes a time, the default when it is off."""
    return float(fault(name) or default)
