# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of GitLab's releases from 14.0 on: upgrade stops, PostgreSQL, bad patches, traps. Data and look-ups.

Sources: GitLab's config/upgrade_path.yml (to 18.11) and doc/update/versions/gitlab_19_changes.md (19.2 to 19.11) for
the stops; doc/update/upgrade_paths.md for the conditional ones and the rule from 17.5 on; doc/administration/
package_information/postgresql_versions.md and omnibus-gitlab's release tags (package-scripts) for PostgreSQL;
doc/update/versions/gitlab_18_changes.md and gitlab_19_changes.md for bad patches and traps.
"""

from __future__ import annotations

import dataclasses

Minor = tuple[int, int]
Version = tuple[int, int, int]

FIRST: Minor = (14, 0)
REQUIRED: tuple[Minor, ...] = (
    *((14, 0), (14, 3), (14, 9), (14, 10)),
    *((15, 0), (15, 4), (15, 11)),
    *((16, 3), (16, 7), (16, 11)),
    *((17, 3), (17, 5), (17, 8), (17, 11)),
    *((18, 2), (18, 5), (18, 8), (18, 11)),
    *((19, 2), (19, 5), (19, 8), (19, 11)),
)
# From 17.5 on the stops are these minors of every major, and a major ends with .11.
RULE_MINORS = (2, 5, 8, 11)
LAST_MINOR = 11
# The newest minor that everything below is known of.
KNOWN: Minor = (19, 3)


@dataclasses.dataclass(frozen=True)
class Conditional:
    """A stop that only some servers need."""

    minor: Minor
    needed_by: str


CONDITIONAL = (
    Conditional((15, 1), "servers with several web nodes"),
    Conditional((16, 0), "servers with many users or a long history of pipeline variables"),
    Conditional((16, 1), "servers with NPM packages in their package registry"),
    Conditional((16, 2), "servers with a long history of pipeline variables"),
    Conditional((17, 1), "servers with a large table ci_pipeline_messages"),
)

# The oldest PostgreSQL that a package of this major accepts before it changes anything.
PG_MINIMUM = {14: 12, 15: 12, 16: 13, 17: 14, 18: 16, 19: 17}
# At these minors the package upgrade itself moves PostgreSQL to this major, unless it is kept from it.
PG_MOVES: dict[Minor, int] = {(15, 11): 13, (16, 11): 14, (17, 11): 16, (18, 11): 17}
# Which majors are in the package, since which minor.
PG_SHIPPED: tuple[tuple[Minor, tuple[int, ...]], ...] = (
    ((14, 0), (12,)),
    ((14, 1), (12, 13)),
    ((16, 0), (13,)),
    ((16, 2), (13, 14)),
    ((17, 0), (14,)),
    ((17, 4), (14, 16)),
    ((18, 0), (16,)),
    ((18, 9), (16, 17)),
    ((19, 0), (17,)),
    ((19, 3), (17, 18)),
)


@dataclasses.dataclass(frozen=True)
class BadPatches:
    """Patches, from first to last, that are passed over when a better one of their minor is offered."""

    first: Version
    last: Version
    why: str
    remedy: str


BAD_PATCHES = (
    BadPatches(
        (18, 5, 0),
        (18, 5, 1),
        "nginx answers 404 to health probes that do not use the server's own name",
        "send the name of external_url in the Host header of load balancers and monitors, or take 18.5.2 or later",
    ),
    BadPatches(
        (18, 11, 0),
        (18, 11, 6),
        "its check-config overlooks settings of Mattermost that 19.0 stops at",
        "look for mattermost in gitlab.rb before 19.0, or take 18.11.9 or later",
    ),
    BadPatches(
        (18, 11, 7),
        (18, 11, 7),
        "its check-config blocks the upgrade to 19.0 although nothing is wrong",
        "take 18.11.9 or later",
    ),
    BadPatches(
        (19, 0, 0),
        (19, 0, 2),
        "/opt/gitlab/embedded/service/gitlab-rails/.agents and .claude stay behind; up to 19.0.1 the registry's "
        "database in mode prefer has a bug",
        "remove the two by hand, or take 19.0.3 or later",
    ),
    BadPatches(
        (19, 1, 0),
        (19, 1, 0),
        "/opt/gitlab/embedded/service/gitlab-rails/.agents and .claude stay behind",
        "remove the two by hand, or take 19.1.1 or later",
    ),
)


@dataclasses.dataclass(frozen=True)
class Trap:
    """What changes for some servers when this minor is reached or passed."""

    since: Minor
    what: str
    remedy: str


TRAPS = (
    Trap(
        (18, 0),
        "git_data_dirs is no setting of gitlab.rb any more",
        "name the storages in gitaly['configuration'] before",
    ),
    Trap(
        (18, 2),
        "patches of 18.2 to 18.4 bring limits for JSON in requests, and answer HTTP 400 beyond them",
        "look at clients that send large JSON",
    ),
    Trap(
        (18, 5),
        "a migration of designs (design_management_designs) may take ten minutes",
        "plan the time; do not interrupt it",
    ),
    Trap(
        (19, 0),
        "Mattermost and Spamcheck are no longer in the package, and a setting of theirs that is left in gitlab.rb "
        "stops the reconfigure",
        "move Mattermost to its own package, and take these settings out before",
    ),
    Trap((19, 0), "Redis 6 is no longer supported", "upgrade an external Redis to 7 before"),
    Trap(
        (19, 0),
        "the registry's storage driver s3 becomes s3_v2",
        "give regionendpoint with its scheme where it is set; a store other than AWS may need checksum_disabled",
    ),
    Trap(
        (20, 0),
        "runner registration tokens are planned to go, and mattermost_external_url and gitlab_exporter['server_name'] "
        "with them",
        "move runners to authentication tokens, and take the settings out before",
    ),
)


def is_required(minor: Minor) -> bool:
    """Whether an upgrade that passes this minor must stop there."""
    beyond = minor[0] > REQUIRED[-1][0]
    return minor[1] in RULE_MINORS if beyond else minor in REQUIRED


def required_between(after: Minor, to: Minor) -> list[Minor]:
    """The stops behind one minor, up to and with another."""
    majors = range(REQUIRED[-1][0] + 1, to[0] + 1)
    stops = [*REQUIRED, *((major, minor) for major in majors for minor in RULE_MINORS)]
    return [stop for stop in stops if after < stop <= to]


def bad_patch(version: Version) -> BadPatches | None:
    return next((bad for bad in BAD_PATCHES if bad.first <= version <= bad.last), None)


def postgresql_shipped(minor: Minor) -> tuple[int, ...]:
    """The PostgreSQL majors in a package, oldest first; nothing before 14.0."""
    found: tuple[int, ...] = ()
    for since, majors in PG_SHIPPED:
        found = majors if since <= minor else found
    return found
