# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers runners from the controller and keeps their tokens in the host's config.toml."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _config_plan,
    _declaration,
    _gitlab_options,
    _host_action,
    _intents,
    _registrar,
    _registration,
    _registration_result,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration import Do, Known, Step

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_gitlab_options.ARGUMENT_SPEC,
    "runners": {"type": "list", "elements": "dict", "required": True},
    "runner_defaults": {"type": "dict", "default": {}},
    "url": {"type": "str"},
    "purge": {"type": "bool", "default": False},
    "on_doubled_entry": {"type": "str", "choices": ["fail", "remove"], "default": "fail"},
    "on_refused_token": {"type": "str", "choices": ["fail", "recreate", "reset"], "default": "fail"},
    "rotate_tokens": {"type": "bool", "default": False, "no_log": False},
    "job_timeout": {"type": "int", "default": 3600},
    "config_path": {"type": "path", "default": "/etc/gitlab-runner/config.toml"},
    "service": {"type": "str", "default": "gitlab-runner"},
    "allow_unknown_keys": {"type": "bool", "default": False},
    "backup_count": {"type": "int", "default": 3},
}
EXPECTED = (_declaration.DeclarationError, GitLabError, _config_plan.PlanError, _intents.IntentError)


@dataclasses.dataclass(frozen=True)
class Situation:
    """What one task works with: what was asked for, the host as it was read, GitLab, and creates left open."""

    args: _host_action.Result
    state: HostState
    caller: _registrar.Caller
    runners: list[tuple[_declaration.Declared, Known]]
    intents_path: str
    intents: list[_intents.Intent]


class ActionModule(_host_action.HostAction):
    """gitlab_runner_registration: read the host, look at GitLab, decide, act, keep the tokens."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        try:
            situation = self._situation(args)
            try:
                steps, strays = self._steps(situation)
                result.update(self._carried_out(situation, steps, strays, task_vars))
            finally:
                situation.caller.gitlab.close()
        except EXPECTED as exc:
            raise AnsibleActionFail(str(exc)) from None
        return result

    def _situation(self, args: _host_action.Result) -> Situation:
        declared = _declaration.declarations(
            args["runners"],
            defaults=args["runner_defaults"],
            url=args["url"] or args["api_url"],
            allow_unknown_keys=args["allow_unknown_keys"],
        )
        intents_path = _intents.path_beside(args["config_path"])
        state = self._read_host(args["config_path"], files=(intents_path,))
        config = _host_action.parsed(state.config)
        urls = [args["api_url"], *([args["url"]] if args["url"] else [])]
        runners = declared + (_registration.undeclared(config, declared, urls) if args["purge"] else [])
        disk = _config_plan.Disk(_config_plan.entries_of(config), state.config.path)
        doubled = _config_plan.Doubled(args["on_doubled_entry"])
        known = [(runner, _registration.known_from(disk, runner, doubled, urls)) for runner in runners]
        intents = _intents.loaded(state.files.get(intents_path), intents_path)
        return Situation(args, state, _caller(args, state), known, intents_path, intents)

    def _steps(self, now: Situation) -> tuple[list[Step], list[int]]:
        """Every runner's step, and the runners that an earlier run left behind for nobody.

        All that need a human's choice are named at once, before anything is changed.
        """
        seen = _registrar.look(now.caller, now.runners, check_mode=self._task.check_mode)
        kept = {runner.name for runner, known in now.runners if known.on_disk and seen[runner.name].token_valid}
        now.intents[:] = [intent for intent in now.intents if intent.name not in kept]
        found = _registrar.strays(now.caller, now.intents)
        by_name = {intent.name: found[intent.mark] for intent in now.intents}
        choice = _registration.Choice(
            on_refused=_registration.Refused(now.args["on_refused_token"]),
            rotate=now.args["rotate_tokens"],
            has_access=now.caller.has_access,
        )
        steps, faults = [], []
        for runner, known in now.runners:
            what = dataclasses.replace(seen[runner.name], strays=by_name.get(runner.name, ()))
            try:
                steps.append(_registration.step(runner, known, what, choice))
            except _registration.RegistrationError as exc:
                faults.append(str(exc))
        if faults:
            raise AnsibleActionFail("Nothing was changed: " + " ".join(faults))
        adopted = {step.id for step in steps if step.do is Do.ADOPT}
        return steps, [stray for ids in found.values() for stray in ids if stray not in adopted]

    def _carried_out(
        self, now: Situation, steps: list[Step], strays: list[int], task_vars: _host_action.TaskVars
    ) -> _host_action.Result:
        args = now.args
        target = _host_action.Target(
            args["config_path"], args["service"], args["backup_count"], args["allow_unknown_keys"]
        )
        outcomes = [_registrar.Outcome(step) for step in steps]
        foreseen = self._wanted(now, outcomes, foreseen=True)
        plan = self._plan_config(now.state, foreseen)  # refuses before GitLab changes
        if not self._task.check_mode:
            outcomes = self._acted(now, steps, strays)
            wanted = self._wanted(now, outcomes, foreseen=False)
            try:
                planned = plan if wanted == foreseen else None
                plan, _written = self._write_config(target, now.state, wanted, task_vars, planned)
            except AnsibleActionFail as exc:
                raise AnsibleActionFail(f"{exc}{self._undone(now, outcomes)}") from None
            self._close_intents(now, [outcome for outcome in outcomes if outcome.unknown])
        errors = [str(outcome.error) for outcome in outcomes if outcome.error]
        if errors:
            raise AnsibleActionFail(" ".join(errors) + " What else was declared has been done and is kept.")
        result = {
            "changed": plan.changed or bool(strays) or any(step.changed for step in steps),
            "runners": [_registration_result.reported(outcome) for outcome in outcomes],
        }
        if self._task.diff:
            result["diff"] = _registration_result.diffs(outcomes, plan, now.state.config.path)
        return result

    def _wanted(self, now: Situation, outcomes: list[_registrar.Outcome], *, foreseen: bool) -> _config_plan.Wanted:
        return dataclasses.replace(
            _registration_result.wanted(outcomes, check_mode=foreseen),
            doubled=_config_plan.Doubled(now.args["on_doubled_entry"]),
        )

    def _acted(self, now: Situation, steps: list[Step], strays: list[int]) -> list[_registrar.Outcome]:
        """Announce the creates on the host, then do everything in GitLab."""
        announced = [(step, _intents.intent_for(step.runner)) for step in steps if step.do is Do.CREATE]
        if announced:
            self._write_private(now.intents_path, _intents.dumped([*now.intents, *(one for _step, one in announced)]))
        marks = {step.runner.name: intent for step, intent in announced}
        now.intents.extend(marks.values())
        steps = [
            _registration.marked(step, marks[step.runner.name]) if step.do is Do.CREATE else step for step in steps
        ]
        _registrar.discard(now.caller, strays)
        return _registrar.act(now.caller, steps)

    def _close_intents(self, now: Situation, unfinished: list[_registrar.Outcome]) -> None:
        """Forget the creates whose end is known; the others are looked for by the next run."""
        names = {outcome.step.runner.name for outcome in unfinished}
        left = [intent for intent in now.intents if intent.name in names]
        if left:
            self._write_private(now.intents_path, _intents.dumped(left))
        elif now.state.files.get(now.intents_path) or now.intents:
            self._remove(now.intents_path)

    def _undone(self, now: Situation, outcomes: list[_registrar.Outcome]) -> str:
        """Take back what was created when its tokens can't be kept, and say so."""
        said = ""
        created = [outcome for outcome in outcomes if outcome.done in (Do.CREATE, Do.ADOPT) and outcome.answer]
        stayed = _registrar.undo_creates(now.caller, created)
        self._close_intents(now, [one for one in outcomes if one.unknown or one.runner_id in stayed])
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


def _caller(args: _host_action.Result, state: HostState) -> _registrar.Caller:
    return _registrar.Caller(
        gitlab=GitLab(_gitlab_options.endpoint(args)),
        connections=max(1, args["connections"]),
        has_access=bool(args["api_token"]),
        system_id=state.system_id,
        job_timeout=float(args["job_timeout"]),
    )
