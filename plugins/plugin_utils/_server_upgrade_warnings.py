# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to know before an upgrade, each with its remedy: pure functions over the table of releases."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _server_releases
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_offers import Package, dotted
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_releases import Minor


@dataclasses.dataclass(frozen=True)
class Warned:
    """Something to look at; at is the version that it comes with."""

    at: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.at}: {self.what}; {self.remedy}."


def warnings(installed: Package, stops: t.Sequence[Package], chosen: t.Sequence[Minor]) -> t.Iterator[Warned]:
    """In the order of the way."""
    if not stops:
        return
    last = stops[-1]
    for package in stops:
        bad = _server_releases.bad_patch(package.version)
        if bad:
            yield Warned(package.name, f"{bad.why}, and no better patch is taken", bad.remedy)
    for trap in _server_releases.TRAPS:
        if installed.minor < trap.since <= last.minor:
            yield Warned(dotted(trap.since), trap.what, trap.remedy)
    for stop in _server_releases.CONDITIONAL:
        if installed.minor < stop.minor < last.minor and stop.minor not in chosen:
            name = dotted(stop.minor)
            yield Warned(
                name, f"is passed over, but {stop.needed_by} must stop there", f"add {name} to conditional_stops"
            )
    if last.minor > _server_releases.KNOWN:
        known = dotted(_server_releases.KNOWN)
        yield Warned(
            last.name,
            f"is newer than what this collection knows ({known}): its stops follow GitLab's rule, but its needs of "
            "PostgreSQL and its traps are not known",
            "read GitLab's notes of these versions, or take a newer release of this collection",
        )
