# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an upgrade, or a stop of it, may begin: a pure decision over one look. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_space, _gitlab_migrations_act
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_facts import Facts, Room

# What one backup takes in backup_path while it is made (its parts, and the archive of them), and beside that for
# growth since the last one.
STAGED = 2
# Migrations that run after the deployment queue the background ones, so a reading right after it may be too early
# (server facts 5.5).
SETTLE_SECONDS = 60.0
_NOT_SUPERVISED = "runsv not running"


@dataclasses.dataclass(frozen=True)
class Finding:
    """What stands against an upgrade, and what to do. blocks: it may not begin; wait: it may after so many seconds."""

    what: str
    remedy: str
    blocks: bool = True
    wait: float = 0.0

    def __str__(self) -> str:
        what = " ".join(self.what.split())  # programs' own words may be of several lines
        return f"{what}{'' if what.endswith(('.', '?', '!')) else '.'} {self.remedy}"


@dataclasses.dataclass(frozen=True)
class Needs:
    """What the plan needs: sizes in bytes. stops is how many backup sets will be made.

    postgresql is the most that a move of PostgreSQL takes, download and program the most that a package does.
    """

    stops: int
    postgresql: int = 0
    download: int = 0
    program: int = 0


def findings(facts: Facts, needs: Needs) -> list[Finding]:
    """All of it at once, in the order in which to mend it."""
    return [
        *_busy(facts),
        *_services(facts),
        *_configuration(facts),
        *_migrations(facts),
        *_space(facts, needs),
    ]


def blocked(found: t.Iterable[Finding]) -> str:
    """Words for those that block; empty where none does."""
    words = [str(one) for one in found if one.blocks]
    return " ".join(f"({number}) {one}" for number, one in enumerate(words, 1))


def _busy(facts: Facts) -> t.Iterator[Finding]:
    for words in facts.busy:
        yield Finding(words.rstrip("."), "Wait until it has ended")
    if facts.half:
        yield Finding(facts.half.rstrip("."), "Finish the restore first")


def _services(facts: Facts) -> t.Iterator[Finding]:
    start = "Run systemctl start gitlab-runsvdir"
    if facts.services_error:
        yield Finding(f"Services can't be asked: {facts.services_error}", start)
    without = [words for words in facts.services if _NOT_SUPERVISED in words]
    if without:
        yield Finding(
            f"Services are not supervised ({', '.join(without)}): the package would leave out all migrations and "
            "report success",
            start,
        )
    down = [words for words in facts.services if _NOT_SUPERVISED not in words]
    if down:
        first = down[0].partition(":")[0]
        yield Finding(
            f"Services do not run: {'; '.join(down)}", f"Look why with gitlab-ctl tail {first}, and start them"
        )
    if facts.readiness:
        yield Finding(f"GitLab is not ready: {facts.readiness}", "Mend this first; an upgrade does not")


def _configuration(facts: Facts) -> t.Iterator[Finding]:
    if not facts.configured:
        yield Finding(
            "The last reconfigure did not come to its end", "Run gitlab-ctl reconfigure, and mend what it names"
        )
    if facts.check_config:
        yield Finding(
            f"The package's check-config refuses the next version: {facts.check_config}",
            "Change gitlab.rb as it says and run gitlab-ctl reconfigure: it judges what that left",
        )


def _migrations(facts: Facts) -> t.Iterator[Finding]:
    state = facts.migrations
    if state is None:
        words = facts.migrations_error
        yield Finding(f"Background migrations can't be counted: {words}", "See that PostgreSQL runs")
    elif not state.ended and state.stuck:
        yield Finding(_gitlab_migrations_act.remedy(state).rstrip("."), "Use gitlab_background_migrations")
    elif not state.ended:
        total = len(state.left) + state.in_queues
        yield Finding(
            f"Background migrations have not ended ({total})", "Wait for them with gitlab_background_migrations"
        )
    elif facts.installed_ago is not None and facts.installed_ago < SETTLE_SECONDS:
        yield Finding(
            f"The package was installed {facts.installed_ago:.0f} s ago, and its background migrations may not all be "
            "queued yet",
            f"Begin {SETTLE_SECONDS:.0f} s after it",
            wait=SETTLE_SECONDS - facts.installed_ago,
        )


def _space(facts: Facts, needs: Needs) -> t.Iterator[Finding]:
    """What each file system must have, everything that lies on it together."""
    one_set = int((facts.set_bytes or 0) * _backup_space.GROWTH)
    wanted = {
        "packages": (needs.download, "the package"),
        "program": (needs.program, "the new program beside the old"),
        "postgresql": (needs.postgresql, "two copies of PostgreSQL's data"),
        "sets": (needs.stops * one_set, f"{needs.stops} backup sets"),
        "backup_path": (STAGED * one_set, "a backup while it is made"),
    }
    by_device: dict[int, list[tuple[Room, int, str]]] = {}
    for name, room in facts.rooms.items():
        size, what = wanted[name]
        if size:
            by_device.setdefault(room.device, []).append((room, size, what))
    for there in by_device.values():
        total, free = sum(size for _room, size, _what in there), there[0][0].free
        if total > free:
            parts = ", ".join(f"{what} {_backup_space.human(size)} ({room.path})" for room, size, what in there)
            yield Finding(
                f"There is too little space: {_backup_space.human(total)} are needed on the file system of "
                f"{there[0][0].path}, which has {_backup_space.human(free)} free: {parts}",
                "Make room, or put the backup sets elsewhere",
            )
    if facts.set_bytes is None:
        yield Finding(
            "No backup set is here that says how large one is",
            "Make a backup first, or see yourself that there is room for one a stop",
            blocks=False,
        )
