# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides a restore from the set's manifest and what the host is: pure functions. Standard library of Python 3.9.

Everything that can be seen to fail is refused here, all of it at once, before anything is changed.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _restore_journal, _restore_refusals
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_lock import Busy
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_journal import STEPS, Journal, Step
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_look import Facts
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Request

SHOWN = 20
SAME = (
    "This set was the last that was restored here, and database, repositories, secrets and configuration are still as "
    "they were then. Files (uploads, artifacts, ...) are not compared; the option again brings them back, too."
)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a restore would do. steps is empty where nothing is to be done; journal is where it begins.

    keep_skip are the parts that the safety set leaves out because they can't be read, or None where none is made, and
    keep_reason says why. replaces are differences between what is there and the set, in words.
    """

    set: str
    steps: tuple[str, ...]
    journal: Journal
    configuration_changes: tuple[str, ...]
    reconfigure_first: bool
    keep_skip: tuple[str, ...] | None
    keep_reason: str
    mark: str
    replaces: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, t.Any]:
        return {
            "set": self.set,
            "steps": list(self.steps),
            "resumes_at": self.journal.step if self.journal.step != Step.STOP else None,
            "configuration_changes": list(self.configuration_changes),
            "safety_backup": self.keep_skip is not None,
            "safety_backup_reason": self.keep_reason,
            "replace": self.mark,
            "replaces": list(self.replaces[:SHOWN]),
            "replaces_count": len(self.replaces),
            "warnings": list(self.warnings),
        }


def plan(request: Request, manifest: Manifest, facts: Facts, changes: t.Sequence[str], now: str) -> Plan:
    """Raises Refused with everything that is in the way, or Busy; changes are those of the configuration's files."""
    if facts.at_work:
        raise Busy(facts.at_work)
    unfinished = facts.journal if facts.journal and not facts.journal.done else None
    replaces = _restore_refusals.replaced(request, manifest, facts)
    problems = _restore_refusals.problems(request, manifest, facts, unfinished, replaces, changes)
    if problems:
        raise Refused(
            f"The set {manifest.id} can't be restored here, and nothing was changed. "
            + " ".join(f"({number}) {words}" for number, words in enumerate(problems, 1))
        )
    journal = _begin(request, manifest, unfinished, now)
    skip, reason = _keep(request, facts, journal)
    done = _done_already(request, manifest, facts, changes)
    return Plan(
        set=manifest.id,
        steps=() if done else _steps(request, journal, skip, changes),
        journal=journal,
        configuration_changes=tuple(changes) if request.configuration else (),
        reconfigure_first=bool(facts.lost_storages) or not (facts.has_database and facts.configured),
        keep_skip=skip,
        keep_reason=reason,
        mark=facts.mark,
        replaces=tuple(map(str, replaces)),
        warnings=tuple(_warnings(request, manifest, facts)),
    )


def _begin(request: Request, manifest: Manifest, unfinished: Journal | None, now: str) -> Journal:
    """Where the restore begins: where an earlier one of the same set came to, or at the start.

    What an earlier one of another set put aside or found running stays known.
    """
    if unfinished is None:
        return Journal(set=manifest.id, pieces=request.pieces, began=now)
    if _restore_refusals.is_same(request, manifest, unfinished):
        return unfinished
    return Journal(
        set=manifest.id,
        pieces=request.pieces,
        began=now,
        running=unfinished.running,
        kept=unfinished.kept,
        aside=unfinished.aside,
        changed_configuration=unfinished.changed_configuration,
        half=unfinished.touched,
    )


def _keep(request: Request, facts: Facts, journal: Journal) -> tuple[tuple[str, ...] | None, str]:
    """Which parts the safety set leaves out, or None where there is none, and why."""
    unread = facts.present.unread
    reasons = [
        (not request.data, "no data is replaced"),
        (not request.safety_backup, "it was waived"),
        (bool(journal.kept), f"the set {journal.kept} has what was there before"),
        (facts.empty, "nobody has used this GitLab yet"),
        (journal.touched, "an earlier run has begun to restore"),
        (not facts.configured, "GitLab was never configured"),
        ("secrets" in unread, f"gitlab-secrets.json can't be read: {unread.get('secrets')}"),
        ("database" in unread, f"the database can't be read: {unread.get('database')}"),
    ]
    found = next((words for holds, words in reasons if holds), None)
    if found is not None:
        return None, found
    if not facts.present.repositories:
        return ("repositories",), f"without repositories: {unread.get('repositories', 'there are none')}"
    return (), ""


def _steps(
    request: Request, journal: Journal, skip: tuple[str, ...] | None, changes: t.Sequence[str]
) -> tuple[str, ...]:
    """The steps that are left: those before the one that was begun last were done, unless someone undid them."""
    found = list(STEPS[:-1])
    if skip is None:
        found.remove(Step.KEEP)
    if not request.configuration:
        found.remove(Step.CONFIGURE)
    if not request.data:
        found.remove(Step.LOAD)
    begun = STEPS.index(journal.step)
    again = {Step.STOP, *([Step.CONFIGURE] if changes else [])} if begun <= STEPS.index(Step.PROVE) else set()
    return tuple(one for one in found if STEPS.index(one) >= begun or one in again)


def _done_already(request: Request, manifest: Manifest, facts: Facts, changes: t.Sequence[str]) -> bool:
    """Whether this very set was restored here last, and nothing has changed since."""
    last = facts.journal
    if request.again:
        return False
    if not request.data:
        return not changes and facts.configured and (last is None or last.done)
    return (
        last is not None
        and last.done
        and (last.set, last.pieces) == (manifest.id, request.pieces)
        and last.mark_after == facts.mark
        and not (request.configuration and changes)
    )


def _warnings(request: Request, manifest: Manifest, facts: Facts) -> t.Iterator[str]:
    if request.data and manifest.skipped:
        yield f"The set was made without {', '.join(manifest.skipped)}: what this host has of these stays as it is."
    if request.data and manifest.fingerprint_after is None:
        yield "The set has no fingerprint: whether all came back can't be compared."
    unfinished = facts.journal if facts.journal and not facts.journal.done else None
    if unfinished:
        yield _restore_journal.stands(unfinished)
