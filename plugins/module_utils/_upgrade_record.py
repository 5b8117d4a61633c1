# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of an upgrade of a server: stops, steps, how far it came. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import typing as t


class Step:
    """The steps of a stop, in their order; each can be done again. One that has nothing to do is done at once."""

    CLOSE = "close"  # the door: users and runners are kept out
    KEEP = "keep"  # the backup set of this stop
    COPY = "copy"  # of the set, off the host
    PG_BEFORE = "postgresql-before"  # pg-upgrade by the old package, where the new one would refuse
    PACKAGE = "package"
    RECONFIGURE = "reconfigure"  # its real success, which dnf does not report
    POSTGRESQL = "postgresql"  # the major that is to run after this stop does run
    START = "start"  # services and readiness
    CHECK = "check"  # gitlab:check, env:info, secrets, fingerprint
    OPEN = "open"  # the door
    MIGRATIONS = "migrations"  # batched background migrations have ended


class Back:
    """The steps of a rollback, in their order; each can be done again."""

    FETCH = "back-fetch"  # the set is here and good
    KEEP = "back-keep"  # a set of the newer state, where it can be made
    STOP = "back-stop"
    POSTGRESQL = "back-postgresql"
    REMOVE = "back-remove"
    INSTALL = "back-install"
    RECONFIGURE = "back-reconfigure"
    RESTORE = "back-restore"
    CHECK = "back-check"
    OPEN = "back-open"  # the door; what the upgrade made is removed


STEPS = (
    *(Step.CLOSE, Step.KEEP, Step.COPY, Step.PG_BEFORE, Step.PACKAGE, Step.RECONFIGURE, Step.POSTGRESQL),
    *(Step.START, Step.CHECK, Step.OPEN, Step.MIGRATIONS),
)
BACK_STEPS = (
    *(Back.FETCH, Back.KEEP, Back.STOP, Back.POSTGRESQL, Back.REMOVE, Back.INSTALL, Back.RECONFIGURE, Back.RESTORE),
    *(Back.CHECK, Back.OPEN),
)


class Outcome:
    """How an upgrade was closed."""

    UPGRADED = "upgraded"
    ROLLED_BACK = "rolled back"


def spec(package: str) -> str:
    """What dnf is asked for: gitlab-ce-18.8.11-ce.0.el9. The edition is in the package's release."""
    return f"gitlab-{package.partition('-')[2].partition('.')[0]}-{package}"


@dataclasses.dataclass(frozen=True)
class Release:
    """What is installed: version (18.8.11), package (18.8.11-ce.0.el9); postgresql is a major, None where external."""

    version: str
    package: str
    postgresql: int | None = None

    @property
    def spec(self) -> str:
        return spec(self.package)


@dataclasses.dataclass(frozen=True)
class Stop:
    """A stop of the plan.

    postgresql_before is the major that must run before the package is installed, postgresql the one that must run
    when the stop is done; None where it stays as it is.
    """

    version: str
    package: str
    postgresql_before: int | None = None
    postgresql: int | None = None

    @property
    def spec(self) -> str:
        return spec(self.package)


@dataclasses.dataclass(frozen=True)
class Return:
    """Where a rollback goes: what was installed before a stop, and the set of that moment."""

    release: Release
    set: str | None
    url: str | None = None
    upgrade: str = ""
    stop: int = 0

    def as_json(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: t.Mapping[str, t.Any]) -> Return:
        return cls(**{**data, "release": Release(**data["release"])})


@dataclasses.dataclass(frozen=True)
class Mark:
    """A step that was begun; facts are those of its end."""

    done: bool
    at: str
    facts: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Failure:
    stop: int
    step: str
    error: str


@dataclasses.dataclass(frozen=True)
class Upgrade:
    """What the lines of one upgrade add up to.

    marks are by number of the stop and step, back_marks by step; back is where it is on its way back to. made are
    files that are still there and must be removed at the end, aside what was put out of the way and is kept; paused
    are ids of runners that GitLab gives no jobs to because of this upgrade. outcome is None while it is unfinished.
    """

    id: str
    began: str
    origin: Release
    stops: tuple[Stop, ...]
    options: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    marks: t.Mapping[tuple[int, str], Mark] = dataclasses.field(default_factory=dict)
    back: Return | None = None
    automatic: bool = False
    reason: str = ""
    back_marks: t.Mapping[str, Mark] = dataclasses.field(default_factory=dict)
    failure: Failure | None = None
    made: tuple[str, ...] = ()
    aside: tuple[str, ...] = ()
    paused: tuple[int, ...] = ()
    outcome: str | None = None
    ended: str | None = None

    @property
    def unfinished(self) -> bool:
        return self.outcome is None

    def begun(self, stop: int, step: str) -> bool:
        return (stop, step) in self.marks

    def done(self, stop: int, step: str) -> bool:
        mark = self.marks.get((stop, step))
        return mark is not None and mark.done

    def facts(self, stop: int, step: str) -> t.Mapping[str, t.Any]:
        """The facts of a step that was done; empty for another."""
        mark = self.marks.get((stop, step))
        return mark.facts if mark else {}

    def before(self, stop: int) -> Release:
        """What was installed before a stop."""
        if stop == 0:
            return self.origin
        earlier = self.stops[stop - 1]
        major = next(
            (one.postgresql for one in reversed(self.stops[:stop]) if one.postgresql is not None),
            self.origin.postgresql,
        )
        return Release(earlier.version, earlier.package, major)
