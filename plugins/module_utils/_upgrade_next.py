# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides from the journal what comes next: pure functions. Standard library of Python 3.9.

Whatever ended a run and wherever, the journal alone says what the next one does: go on, turn back, or refuse.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import (
    BACK_STEPS,
    STEPS,
    Back,
    Outcome,
    Return,
    Step,
    Stop,
    Upgrade,
)

FINISH = "finish"  # only the end is left: runners back, and the line that closes the upgrade


class Refusal(Exception):
    """What was asked for does not fit to where things stand; the text says what does."""


@dataclasses.dataclass(frozen=True)
class Next:
    """The step that comes next. again: an earlier run began it and did not come to its end."""

    step: str
    stop: int = 0
    again: bool = False


class Way:
    """What a run that upgrades does."""

    BEGIN = "begin"
    RESUME = "resume"
    REPLAN = "replan"  # the stop that was begun is finished, the plan of those after it is another


def next_step(known: Upgrade) -> Next | None:
    """What comes next; None where the upgrade is closed."""
    if not known.unfinished:
        return None
    if known.back is not None:
        for step in back_steps(known):
            mark = known.back_marks.get(step)
            if mark is None or not mark.done:
                return Next(step, known.back.stop, mark is not None)
        return Next(FINISH, known.back.stop)
    for stop in range(len(known.stops)):
        for step in STEPS:
            if not known.done(stop, step):
                return Next(step, stop, known.begun(stop, step))
    return Next(FINISH, len(known.stops) - 1)


def back_steps(known: Upgrade) -> tuple[str, ...]:
    """The steps of the rollback that is under way: only the door is opened where nothing behind it was changed."""
    target = known.back
    if target is not None and target.upgrade == known.id and not touched(known, target.stop):
        return (Back.OPEN,)
    return BACK_STEPS


def touched(known: Upgrade, stop: int) -> bool:
    """Whether package or PostgreSQL may have become another at this stop."""
    moves = known.stops[stop].postgresql_before is not None
    return known.begun(stop, Step.PACKAGE) or (moves and known.begun(stop, Step.PG_BEFORE))


def at(known: Upgrade) -> int:
    """The number of the stop that was begun last; 0 where none was."""
    return max((stop for stop, _step in known.marks), default=0)


def writes_possible(known: Upgrade, stop: int) -> bool:
    """Whether users could write since the set of this stop was made: going back would lose that."""
    if at(known) > stop:
        return True
    served = bool(known.options.get("keep_serving")) or known.begun(stop, Step.OPEN)
    return touched(known, stop) and served


def loses(upgrades: t.Sequence[Upgrade], target: Return) -> bool:
    """Whether going back there may lose what users wrote since."""
    last = upgrades[-1]
    return target.upgrade != last.id or not last.unfinished or writes_possible(last, target.stop)


def point(known: Upgrade, stop: int) -> Return:
    """What was there before a stop."""
    return Return(
        release=known.before(stop),
        set=known.facts(stop, Step.KEEP).get("set"),
        url=known.facts(stop, Step.COPY).get("url"),
        upgrade=known.id,
        stop=stop,
    )


def points(upgrades: t.Sequence[Upgrade]) -> list[Return]:
    """Where one can go back to, nearest first; what a rollback has undone already is none."""
    found: list[Return] = []
    undone: Return | None = None
    for known in reversed(upgrades):
        if undone is None and known.back is not None and known.outcome == Outcome.ROLLED_BACK:
            undone = known.back
        limit = at(known) + 1 if known.marks else 0
        if undone is not None:
            limit = min(limit, undone.stop) if undone.upgrade == known.id else 0
            undone = None if undone.upgrade == known.id else undone
        found += [point(known, stop) for stop in reversed(range(limit)) if touched(known, stop)]
    return found


def automatic_return(known: Upgrade) -> Return:
    """Where a failed upgrade goes back to by itself; raises Refusal where somebody must be asked first."""
    stop = known.failure.stop if known.failure else at(known)
    target = point(known, stop)
    if writes_possible(known, stop):
        raise Refusal(
            f"The upgrade stands at {known.stops[stop].version}. It was not rolled back by itself, because users could "
            f"write since the backup set {target.set} of {target.release.version} was made at "
            f"{_kept_at(known, stop)}: what was pushed, written or run since then would be lost. "
            "Run the upgrade again to go on, or the rollback to give that up."
        )
    return target


def _kept_at(known: Upgrade, stop: int) -> str:
    mark = known.marks.get((stop, Step.KEEP))
    return mark.at if mark else "an unknown time"


def wanted_return(upgrades: t.Sequence[Upgrade], version: str | None = None) -> Return:
    """Where a rollback on demand goes; raises Refusal with what can be had.

    version is that of an earlier stop, for one further back than the last. An upgrade that has not yet changed
    anything goes back by opening its door.
    """
    last = upgrades[-1] if upgrades else None
    if last is not None and last.unfinished and last.back is not None:
        if version not in (None, last.back.release.version):
            raise Refusal(f"{stands(last)} Finish that one first; then a further one can go to {version}.")
        return last.back
    found = points(upgrades)
    if last is not None and last.unfinished and not touched(last, at(last)):
        found.insert(0, point(last, at(last)))
    if not found:
        raise Refusal("No upgrade by this collection is recorded on this host, so there is nothing to go back to.")
    fitting = [one for one in found if version in (None, one.release.version)]
    if not fitting:
        known = ", ".join(dict.fromkeys(one.release.version for one in found))
        raise Refusal(f"There is no backup set of {version} to go back to. One can go back to {known}.")
    return fitting[0]


def way(last: Upgrade | None, stops: t.Sequence[Stop]) -> str:
    """What a run that upgrades by these stops does, after what is recorded; raises Refusal."""
    if last is None or not last.unfinished:
        return Way.BEGIN
    if last.back is not None:
        raise Refusal(f"{stands(last)} Run the rollback to finish it; then upgrade again.")
    rest = last.stops[at(last) + (1 if last.marks else 0) :]
    planned = [one for one in stops if not last.marks or one.package != last.stops[at(last)].package]
    return Way.RESUME if list(rest) == planned or not stops else Way.REPLAN


def stands(known: Upgrade) -> str:
    """Where things stand with an unfinished upgrade, for people."""
    words = [f"An upgrade from {known.origin.version} to {known.stops[-1].version}, begun {known.began}, is unfinished"]
    upcoming = next_step(known)
    if known.back is not None:
        words = [f"A rollback to {known.back.release.version} is unfinished"]
    if upcoming is None:
        return f"The upgrade of {known.began} is finished."
    where = f" at {known.stops[upcoming.stop].version}" if known.back is None and upcoming.step != FINISH else ""
    words.append(f": its step {upcoming.step!r}{where} {'was begun' if upcoming.again else 'comes next'}.")
    if known.failure:
        words.append(f" It failed: {known.failure.error}")
    return "".join(words)


def number(version: str) -> tuple[int, ...]:
    """A version as numbers: as text, 18.11 would stand before 18.8."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
