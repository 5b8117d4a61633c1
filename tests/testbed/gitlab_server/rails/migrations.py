# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which migrations each version's code base has: a few a minor, post-deploy ones that queue batched background
migrations, and those that insist that the ones queued before the last stop have ended (server facts 5.5).

The numbers follow GitLab's way of naming them: the month of the release, which is May for X.0.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..releases import MINORS, Number

BASE = "20230501000000"  # everything up to the oldest code base: 16.0 squashed what came before
# Stops from the table of facts 5.1 that lie in the table of releases.
STOPS: t.Sequence[Number] = (
    *((16, 11), (17, 3), (17, 5), (17, 8), (17, 11), (18, 2), (18, 5), (18, 8), (18, 11), (19, 2)),
)
_SUBJECTS = ("Notes", "Events", "CiBuilds", "MergeRequests", "Issues", "Projects", "Users", "Uploads")
_TABLES = ("notes", "events", "p_ci_builds", "merge_requests", "issues", "projects", "users", "uploads")


@dataclass(frozen=True)
class Queued:
    """A batched background migration that a post-deploy migration queues."""

    job_class: str
    table: str
    column: str = "id"
    arguments: str = "[]"


@dataclass(frozen=True)
class Migration:
    """One migration: plain, or it queues, or it insists that some have ended."""

    version: str
    name: str
    queues: t.Optional[Queued] = None
    insists_on: tuple[Queued, ...] = ()


def _month(number: Number) -> str:
    months = (number[0] + 2007) * 12 + number[1] + 4
    return f"{months // 12:04d}{months % 12 + 1:02d}"


def queued_by(number: Number) -> tuple[Queued, ...]:
    """Return the batched background migrations that a minor queues."""
    place = number[0] * 12 + number[1]
    first, second = place % len(_SUBJECTS), (place + 3) % len(_SUBJECTS)
    suffix = f"V{number[0]}{number[1]}"
    return (
        Queued(f"Backfill{_SUBJECTS[first]}ShardingKey{suffix}", _TABLES[first]),
        Queued(f"Copy{_SUBJECTS[second]}ColumnToBigint{suffix}", _TABLES[second], "id", '[["id"],["id_to_bigint"]]'),
    )


def _previous_stop(number: Number) -> t.Optional[Number]:
    return max((stop for stop in STOPS if stop < number), default=None)


def _first_after_stop(number: Number) -> bool:
    """Tell whether no minor of the table lies between the last stop and this one."""
    stop = _previous_stop(number)
    return stop is not None and not any(stop < minor.number < number for minor in MINORS)


def insisted_on_by(number: Number) -> tuple[Queued, ...]:
    """Return what must have ended before this minor's migrations: all that was queued up to the last stop."""
    stop = _previous_stop(number)
    if stop is None or not _first_after_stop(number):
        return ()
    before = _previous_stop(stop) or (0, 0)
    minors = [minor.number for minor in MINORS if before < minor.number <= stop]
    return tuple(queued for one in minors for queued in queued_by(one))


def of_minor(number: Number) -> tuple[Migration, ...]:
    """Return a minor's migrations in their order."""
    month, tag = _month(number), f"{number[0]}{number[1]:02d}"
    insists = insisted_on_by(number)
    found = [Migration(f"{month}05101010", f"FinalizeBackfillsBefore{tag}", None, insists)] if insists else []
    found += [
        Migration(f"{month}08093015", f"AddIndexesFor{tag}"),
        Migration(f"{month}10120000", f"AddShardingKeysFor{tag}"),
    ]
    for place, queued in enumerate(queued_by(number)):
        found.append(Migration(f"{month}1508000{place}", f"Queue{queued.job_class}", queued))
    return tuple(found)


def known_to(number: Number) -> tuple[Migration, ...]:
    """Return all migrations of a minor's code base in their order."""
    base = (Migration(BASE, "InitSchema"),)
    return base + tuple(one for minor in MINORS if minor.number <= number for one in of_minor(minor.number))


def number_of(version: str) -> Number:
    """Return major and minor of a version x.y.z, with or without suffix."""
    major, minor = version.split(".")[:2]
    return int(major), int(minor)
