# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a registration: what is announced on the host, done in GitLab, and kept in config.toml, in which order.

What hands out a token is kept on the host before anything is removed, because a removal may wait an hour for jobs.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _config_plan,
    _host_action,
    _host_lock,
    _intents,
    _registrar,
    _registration_result,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _registration as registration
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import Declared
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._known import Known
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration import Do, Step

Outcomes = list[_registrar.Outcome]
Plans = list[_config_plan.ConfigPlan]


@dataclasses.dataclass
class Situation:
    """What one task works with: what was asked for, the host as it was read, and creates left open by an earlier run.

    strays are the ids of runners that such a create left in GitLab for nobody; unfinished are the names of those whose
    create may have happened in this run without being kept.
    """

    args: _host_action.Result
    state: HostState
    runners: list[tuple[Declared, Known]]
    intents: list[_intents.Intent]
    strays: list[int] = dataclasses.field(default_factory=list)
    unfinished: set[str] = dataclasses.field(default_factory=set)

    @property
    def path(self) -> str:
        """Where the open creates are written down."""
        return _intents.path_beside(self.args["config_path"])

    @property
    def left_open(self) -> str | None:
        return self.state.files.get(self.path)

    @property
    def target(self) -> _host_action.Target:
        args = self.args
        return _host_action.Target(
            args["config_path"], args["service"], args["backup_count"], args["allow_unknown_keys"]
        )

    def wanted(self, outcomes: Outcomes, *, foreseen: bool) -> _config_plan.Wanted:
        return dataclasses.replace(
            _registration_result.wanted(outcomes, check_mode=foreseen),
            doubled=_config_plan.Doubled(self.args["on_doubled_entry"]),
        )


class RegistrationAction(_host_action.HostAction):
    """The steps of a registration that leave something on the host."""

    def _lock(self, config_path: str) -> _host_lock.Lock:
        def command(text: str) -> tuple[int, str]:
            with self._unseen():
                answer = self._low_level_execute_command(text)
            return answer["rc"], answer.get("stdout", "") + answer.get("stderr", "")

        return _host_lock.Lock(config_path, command)

    def _carried_out(
        self,
        now: Situation,
        caller: _registrar.Caller,
        lock: _host_lock.Lock,
        steps: list[Step],
        task_vars: _host_action.TaskVars,
    ) -> tuple[Outcomes, Plans]:
        """Do the steps, those that hand out tokens first; every outcome, and what became of the file."""
        foreseen = now.wanted([_registrar.Outcome(step) for step in steps], foreseen=True)
        plan = self._plan_config(now.state, foreseen)  # refuses before GitLab changes
        if self._task.check_mode:
            return [_registrar.Outcome(step) for step in steps], [plan]
        _registrar.discard(caller, now.strays)
        done: dict[int, _registrar.Outcome] = {}
        plans: Plans = []
        for turn in registration.turns(steps):
            outcomes = self._acted(now, caller, turn)
            lock.keep()
            wanted = now.wanted(outcomes, foreseen=False)
            if plans:
                now.state = self._read_host(now.args["config_path"])
            try:
                planned = plan if wanted == foreseen else None
                plans.append(self._write_config(now.target, now.state, wanted, task_vars, planned)[0])
            except AnsibleActionFail as exc:
                raise AnsibleActionFail(f"{exc}{self._undone(now, caller, outcomes)}") from None
            if lock.taken:  # what comes after needs no turn: nobody is handed a token
                self._close_intents(now, [outcome for outcome in outcomes if outcome.unknown])
                lock.give()
            done.update((id(outcome.step), outcome) for outcome in outcomes)
        return [done[id(step)] for step in steps], plans

    def _acted(self, now: Situation, caller: _registrar.Caller, steps: t.Sequence[Step]) -> Outcomes:
        """Announce the creates on the host, then do everything in GitLab."""
        announced = {id(step): _intents.intent_for(step.runner) for step in steps if step.do is Do.CREATE}
        if announced:
            now.intents += announced.values()
            self._write_private(now.path, _intents.dumped(now.intents))
        marked = [registration.marked(step, announced.get(id(step))) for step in steps]
        outcomes = _registrar.act(caller, marked)
        return [dataclasses.replace(outcome, step=step) for outcome, step in zip(outcomes, steps)]

    def _close_intents(self, now: Situation, unfinished: Outcomes) -> None:
        """Forget the creates whose end is known; the others are looked for by the next run."""
        now.unfinished.update(outcome.step.runner.name for outcome in unfinished)
        left = [intent for intent in now.intents if intent.name in now.unfinished]
        if left:
            self._write_private(now.path, _intents.dumped(left))
        elif now.left_open or now.intents:
            self._remove(now.path)
        now.intents[:] = left

    def _undone(self, now: Situation, caller: _registrar.Caller, outcomes: Outcomes) -> str:
        """Take back what was created when its tokens can't be kept, and say so."""
        said = ""
        created = [outcome for outcome in outcomes if outcome.done in (Do.CREATE, Do.ADOPT) and outcome.answer]
        stayed = _registrar.undo_creates(caller, created)
        unfinished = [one for one in outcomes if one.unknown or one.runner_id in stayed]
        if created or unfinished:
            self._close_intents(now, unfinished)
        if stayed:
            said += f" Runners were created in GitLab and could not be deleted again: {stayed}. Run this again."
        elif created:
            said += " The runners that had been created in GitLab for this were deleted again."
        renewed = [one.step.runner.name for one in outcomes if one.done is Do.RESET and one.answer]
        if renewed:
            said += (
                f" But the tokens of {', '.join(renewed)} had been renewed in GitLab, so those on the host are dead "
                "now: when the cause is mended, run this again with on_refused_token: reset."
            )
        return said
