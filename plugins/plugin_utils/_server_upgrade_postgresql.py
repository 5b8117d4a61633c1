# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of PostgreSQL when a package is installed: pure functions over the table of releases."""

from __future__ import annotations

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _server_releases
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_offers import Package

COPIES = 2  # of the data directory, that must find room while PostgreSQL moves (server facts 4.6)


class PlanError(Exception):
    """There is no way there; the text says what to do."""


class Moved:
    """Who moves PostgreSQL at a stop."""

    PACKAGE = "package"  # the package upgrade itself
    AFTER = "pg-upgrade after the package"
    BEFORE = "pg-upgrade before the package"


def move(major: int, before: Package, package: Package, held: str | None) -> tuple[int | None, str | None]:
    """The major to move to with this package and who moves it; None where it stays.

    before is the package that is there until then, held what keeps the new one from moving it by itself. Raises
    PlanError.
    """
    least = _server_releases.PG_MINIMUM.get(package.version[0])
    goal = _server_releases.PG_MOVES.get(package.minor)
    if least is not None and major < least:
        shipped = _server_releases.postgresql_shipped(before.minor)
        there = [one for one in shipped if one >= least]
        if not there or major not in shipped:
            raise PlanError(
                f"PostgreSQL {major} runs, and GitLab {package.name} refuses less than {least}; the package of "
                f"{before.name}, with {', '.join(map(str, shipped))}, can't move it. Look at gitlab-ctl pg-upgrade and "
                "/var/opt/gitlab/postgresql, and have a PostgreSQL run that the installed package comes with."
            )
        return there[0], Moved.BEFORE
    if goal is not None and major < goal:
        return goal, Moved.AFTER if held else Moved.PACKAGE
    return None, None
