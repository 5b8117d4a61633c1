# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which operating systems the collection works on: one rule for all roles."""

from __future__ import annotations

import typing as t

EL = ("rhel", "centos", "rocky", "almalinux", "ol")
EL_VERSIONS = ("9", "10")
TOO_OLD = "its own Python is older than 3.9, which this collection and current ansible-core need there"


def major(os_release: t.Mapping[str, str]) -> str:
    return os_release.get("VERSION_ID", "").partition(".")[0]


def refusal(os_release: t.Mapping[str, str], switch: str) -> str | None:
    """Why this operating system is not supported; switch names the variable that allows it all the same."""
    name, version = os_release.get("ID", ""), major(os_release)
    if (name in EL and version in EL_VERSIONS) or (name, version) == ("amzn", "2023"):
        return None
    pretty = os_release.get("PRETTY_NAME") or name or "this operating system"
    old = (name in EL and version in ("6", "7", "8")) or (name, version) == ("amzn", "2")
    reason = f": {TOO_OLD}" if old else ""
    return (
        f"{pretty} is not supported{reason}. Use EL 9, EL 10 or Amazon Linux 2023, "
        f"or set {switch} to false to try it all the same."
    )
