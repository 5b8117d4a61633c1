# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registration leaves for config.toml and tells the user: pure functions from its outcomes."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_plan, _registrar
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration import Do

REMOVED = frozenset({Do.DELETE, Do.DELETE_MANAGER, Do.FORGET})
NEW_TOKEN = frozenset({Do.CREATE, Do.ADOPT, Do.RESET})
PENDING_TOKEN = "(comes from GitLab)"


def wanted(outcomes: t.Sequence[_registrar.Outcome], *, check_mode: bool) -> _config_plan.Wanted:
    """The entries that come and go; those that are there already are left to gitlab_runner_config."""
    entries, absent = [], set()
    for outcome in outcomes:
        runner = outcome.step.runner
        if outcome.error:
            continue
        if outcome.done in REMOVED:
            absent.add(runner.name)
        elif outcome.answer:
            entries.append(runner.entry(_registrar.written(outcome.answer), rotate=True))
        elif check_mode and outcome.done in NEW_TOKEN:
            entries.append(runner.entry({"token": PENDING_TOKEN}, rotate=True))
        elif runner.token and not outcome.step.on_disk:
            entries.append(runner.entry({"id": outcome.step.id} if outcome.step.id else {}))
    return _config_plan.Wanted(entries=tuple(entries), absent=frozenset(absent))


def reported(outcome: _registrar.Outcome) -> dict[str, t.Any]:
    """One runner in the task's result; never a token."""
    return {
        "name": outcome.step.runner.name,
        "id": outcome.runner_id or None,
        "action": outcome.done.value,
        "changes": sorted(outcome.step.send) if outcome.done is Do.UPDATE else [],
    }


def diffs(
    outcomes: t.Sequence[_registrar.Outcome], plans: t.Sequence[_config_plan.ConfigPlan], path: str
) -> list[dict[str, t.Any]]:
    """What changed in GitLab, and what in the file."""
    before: dict[str, t.Any] = {}
    after: dict[str, t.Any] = {}
    for outcome in outcomes:
        step, name = outcome.step, outcome.step.runner.name
        if outcome.done in (Do.CREATE, Do.UPDATE):
            after[name] = dict(step.send)
        elif outcome.done in (Do.ADOPT, Do.RESET):
            before[name], after[name] = {"id": step.id}, {"id": step.id, "token": "(new)"}
        elif outcome.done in REMOVED:
            before[name] = {"id": step.id}
        if outcome.done is Do.UPDATE:
            before[name] = dict(step.before)
    found: list[dict[str, t.Any]] = []
    if before or after:
        found.append({"before": before, "after": after, "before_header": "GitLab", "after_header": "GitLab"})
    return found + [plan.diff(path) for plan in plans if plan.changed]
