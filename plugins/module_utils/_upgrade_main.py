# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The upgrade's side of the program that runs on the host: its commands. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_result,
    _host_command,
    _host_signals,
    _upgrade_file,
    _upgrade_look,
    _upgrade_next,
    _upgrade_run,
    _upgrade_work,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import Host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_file import Journal
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import Release, Upgrade
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_work import Request, Work

Json = dict[str, t.Any]
FAILURES = (_upgrade_next.Refusal, _upgrade_file.JournalError, _upgrade_run.Stopped, *_upgrade_work.FAILURES)


def _work(data: Json, words: str, work: t.Callable[[Work], Json]) -> Json:
    """Do it under the host's lock, keeping last.json true."""
    request = Request.from_json(data)
    recorder = _backup_result.Recorder(request.state_path, "playbook")
    host = Host(_host_command.run, _host_command.stream, recorder)
    with _upgrade_work.lock(request, words):
        recorder.begin()
        try:
            with _host_signals.raised(_stopped):
                found = work(Work(request, host, Journal(request.state_path)))
        except FAILURES as exc:
            return {"failed": True, **recorder.failed(str(exc)), "msg": str(exc)}
        if found.get("failed"):
            return {**recorder.failed(str(found["msg"])), **found}
        return {**recorder.succeeded(), **found}


def _stopped(name: str) -> BaseException:
    return _upgrade_run.Stopped(f"It was stopped ({name}). The next run goes on from there.")


def upgrade(data: Json) -> Json:
    """Do one stop, or what is left of one."""

    def work(found: Work) -> Json:
        _upgrade_run.begin(found, origin(found))
        return _upgrade_run.go(found)

    return _work(data, "An upgrade", work)


def origin(work: Work) -> Release:
    there = _upgrade_look.installed(work.host.run)
    if there is None:
        last = work.journal.last
        if last is None or not last.unfinished:
            raise Refused(
                "GitLab is not installed here, so there is nothing to upgrade. Run the playbook gitlab_install."
            )
        return last.origin
    package = there[1]
    return Release(package.partition("-")[0], package, _upgrade_look.postgresql(work.places))


def rollback(data: Json) -> Json:
    """Go back: finish a rollback that was begun, or turn to where the request says."""

    def work(found: Work) -> Json:
        goal = _upgrade_next.wanted_return(found.journal.upgrades, found.request.version)
        if found.known.back is None or not found.known.unfinished:
            _upgrade_run.turn(found, goal, "asked for", automatic=False)
        return _upgrade_run.go(found)

    return _work(data, "A rollback", work)


def close(data: Json) -> Json:
    """Write down that runners take jobs again, and the last line."""

    def work(found: Work) -> Json:
        if found.known.unfinished and found.known.paused:
            found.note(unpaused=True)
        return _upgrade_run.go(found)

    return _work(data, "The end of an upgrade", work)


def look(data: Json) -> Json:
    """What the journal says, and where a rollback would go; changes nothing."""
    request = Request.from_json(data)
    known = _upgrade_file.read(request.state_path)
    last = known[-1] if known else None
    return {"journal": _journal(known, request.version), "last": _last(last)}


def _last(last: Upgrade | None) -> Json | None:
    if last is None:
        return None
    return {
        "id": last.id,
        "began": last.began,
        "unfinished": last.unfinished,
        "outcome": last.outcome,
        "from": last.origin.version,
        "stops": [dataclasses.asdict(one) for one in last.stops],
        "at": last.stops[_upgrade_next.at(last)].package if last.marks else None,
        "stands_at": last.back.release.version if last.back else last.stops[_upgrade_next.at(last)].version,
        "back": last.back.as_json() if last.back and last.unfinished else None,
        "automatic": last.automatic,
        "reason": last.reason,
        "paused": list(last.paused),
        "stands": _upgrade_next.stands(last),
    }


def _journal(known: t.Sequence[Upgrade], version: str | None) -> Json:
    """Where a rollback would go, or why it can't."""
    try:
        goal = _upgrade_next.wanted_return(known, version)
    except _upgrade_next.Refusal as exc:
        return {"refusal": str(exc)}
    return {"target": goal.as_json(), "loses": _upgrade_next.loses(known, goal)}


COMMANDS: t.Mapping[str, t.Callable[[Json], Json]] = {
    "upgrade": upgrade,
    "rollback": rollback,
    "upgrade-close": close,
    "upgrade-look": look,
}
