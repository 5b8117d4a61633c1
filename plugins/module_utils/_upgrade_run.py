# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives an upgrade or a rollback from step to step, as the journal says. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _restore_services,
    _upgrade_back,
    _upgrade_next,
    _upgrade_steps,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_journal import Kind
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_next import FINISH, Next, Refusal, Way
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import (
    BACK_STEPS,
    Outcome,
    Release,
    Return,
    Step,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_steps import CopyWanted
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_work import FAILURES, ProofFailed, Work

Json = dict[str, t.Any]
_SHOWN = 5


class Stopped(Exception):
    """Somebody ended the program: the journal says where things stand, and the next run goes on from there."""


def begin(work: Work, origin: Release) -> None:
    """Have the upgrade of the request open in the journal; raises Refusal or Refused."""
    last, stops = work.journal.last, work.request.stops
    if last is not None and last.unfinished and last.back is not None and last.automatic:
        return  # it failed and was on its way back by itself: that is finished first
    plain = [dataclasses.asdict(one) for one in stops]
    way = _upgrade_next.way(last, stops)
    if way == Way.BEGIN:
        if not stops:
            raise Refused("There is nothing to upgrade: the plan has no stop, and no upgrade is unfinished.")
        facts = {
            "id": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(work.host.now())),
            "origin": dataclasses.asdict(origin),
            "stops": plain,
            "options": {"keep_serving": work.request.keep_serving},
        }
        work.journal.append(Kind.OPENED, facts=facts)
    elif way == Way.REPLAN and last is not None:
        begun = last.stops[_upgrade_next.at(last)].package if last.marks else None
        work.journal.append(Kind.PLANNED, facts={"stops": [one for one in plain if one["package"] != begun]})
    if work.request.paused:
        work.note(paused=list(work.request.paused))


def turn(work: Work, goal: Return, reason: str, *, automatic: bool) -> None:
    work.journal.append(Kind.TURNED, facts={"target": goal.as_json(), "reason": reason, "automatic": automatic})


def go(work: Work) -> Json:
    """Go on until a stop is done, the upgrade or rollback is at its end, or it can't go on; what to tell then."""
    first: int | None = None
    while True:
        upcoming = _upgrade_next.next_step(work.known)
        if upcoming is None:
            return _answer(work, "closed")
        if upcoming.step == FINISH:
            return _finished(work)
        backwards = upcoming.step in BACK_STEPS
        if not backwards and first is not None and upcoming.stop != first:
            return _answer(work, "stop done")
        if not backwards:
            first = upcoming.stop
        try:
            _do(work, upcoming)
        except CopyWanted as wanted:
            return {**_answer(work, "copy"), "set": wanted.set}
        except FAILURES as exc:
            problem = _failed(work, upcoming, exc)
            if problem:
                return problem


def _do(work: Work, upcoming: Next) -> None:
    stop = upcoming.stop
    work.journal.append(Kind.ABOUT, stop, upcoming.step)
    steps = _upgrade_back.STEPS if upcoming.step in BACK_STEPS else _upgrade_steps.STEPS
    facts = steps[upcoming.step](work, stop, upcoming.again)
    work.journal.append(Kind.DONE, stop, upcoming.step, facts)


def _failed(work: Work, upcoming: Next, exc: BaseException) -> Json | None:
    """Turn back where that loses nothing; else the answer that says where things stand."""
    error = str(exc)
    if work.known.back is not None and isinstance(exc, _upgrade_back.SetWanted):
        return {**_answer(work, "set"), "set": exc.set}
    known = work.journal.append(Kind.FAILED, upcoming.stop, upcoming.step, {"error": error})
    if known.back is not None:
        return _answer(work, "failed", f"{_upgrade_next.stands(known)} Mend that, then run the rollback again.")
    if not work.request.rollback:
        more = "It was not rolled back, as was asked for. Run the upgrade again to go on, or the rollback."
        return _answer(work, "failed", f"{_upgrade_next.stands(known)} {more}")
    try:
        goal = _upgrade_next.automatic_return(known)
        _refuse_loss(work, upcoming, exc)
    except Refusal as refusal:
        return _answer(work, "failed", f"{error} {refusal}")
    turn(work, goal, error, automatic=True)
    return None


def _refuse_loss(work: Work, upcoming: Next, exc: BaseException) -> None:
    """Once puma ran, git over ssh may have brought something although the door is closed: then people are asked."""
    if upcoming.step != Step.CHECK or isinstance(exc, ProofFailed):
        return
    set_id = work.known.facts(upcoming.stop, Step.KEEP).get("set")
    try:
        _restore_services.stop(work.host.run, work.say)
        found = _upgrade_steps.differing(work, str(set_id))
    except FAILURES as second:
        found = [f"it can't be compared ({second})"]
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise Refusal(
            f"It was not rolled back by itself, because data changed since the set {set_id} was made, and would be "
            f"lost: {'; '.join(found[:_SHOWN])}{more}. Run the upgrade again to go on, or the rollback to give that up."
        )


def _finished(work: Work) -> Json:
    """The last line, once nothing is left to be taken back; runners are the controller's part."""
    if work.known.paused:
        return _answer(work, "unpause")
    outcome = Outcome.ROLLED_BACK if work.known.back else Outcome.UPGRADED
    work.journal.append(Kind.CLOSED, facts={"outcome": outcome})
    return _answer(work, "closed")


def _answer(work: Work, state: str, msg: str = "") -> Json:
    known = work.known
    at = known.back.stop if known.back else _upgrade_next.at(known)
    found: Json = {
        "state": state,
        "id": known.id,
        "outcome": known.outcome,
        "version": known.back.release.version if known.back else known.stops[at].version,
        "set": known.facts(at, Step.KEEP).get("set"),
        "url": known.facts(at, Step.COPY).get("url"),
        "stop": at,
        "stops": [one.version for one in known.stops],
        "paused": list(known.paused),
        "aside": list(known.aside),
        "warnings": work.warnings,
        "automatic": known.automatic,
        "reason": known.reason,
    }
    return {**found, "failed": True, "msg": msg} if msg else found
