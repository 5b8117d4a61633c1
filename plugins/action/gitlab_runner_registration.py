# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers runners from the controller and keeps their tokens in the host's config.toml."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _config_plan,
    _declaration,
    _gitlab_options,
    _host_action,
    _registrar,
    _registration,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration import Do, Step

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_gitlab_options.ARGUMENT_SPEC,
    "runners": {"type": "list", "elements": "dict", "required": True},
    "runner_defaults": {"type": "dict", "default": {}},
    "url": {"type": "str"},
    "purge": {"type": "bool", "default": False},
    "on_refused_token": {"type": "str", "choices": ["fail", "recreate", "reset"], "default": "fail"},
    "job_timeout": {"type": "int", "default": 3600},
    "config_path": {"type": "path", "default": "/etc/gitlab-runner/config.toml"},
    "service": {"type": "str", "default": "gitlab-runner"},
    "allow_unknown_keys": {"type": "bool", "default": False},
    "backup_count": {"type": "int", "default": 3},
}
REMOVED = frozenset({Do.DELETE, Do.DELETE_MANAGER, Do.FORGET})


class ActionModule(_host_action.HostAction):
    """gitlab_runner_registration: read the host, look at GitLab, decide, act, keep the tokens."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self.validate_argument_spec(ARGUMENT_SPEC)[1]
        try:
            declared = _declaration.declarations(
                args["runners"],
                defaults=args["runner_defaults"],
                url=args["url"] or args["api_url"],
                allow_unknown_keys=args["allow_unknown_keys"],
            )
            state = self._read_host(args["config_path"])
            caller = _caller(args, state)
            try:
                steps = self._steps(args, caller, state, declared)
                result.update(self._carried_out(args, caller, state, steps, task_vars))
            finally:
                caller.gitlab.close()
        except (_declaration.DeclarationError, GitLabError, _config_plan.PlanError) as exc:
            raise AnsibleActionFail(str(exc)) from None
        return result

    def _steps(
        self,
        args: _host_action.Result,
        caller: _registrar.Caller,
        state: HostState,
        declared: list[_declaration.Declared],
    ) -> list[Step]:
        """Every runner's step; all that need a human's choice are named at once, before anything is changed."""
        config = _host_action.parsed(state.config)
        runners = declared + (_registration.undeclared(config, declared) if args["purge"] else [])
        known = [(runner, _registration.known_from(config, runner, state.config.path)) for runner in runners]
        seen = _registrar.look(caller, known, check_mode=self._task.check_mode)
        refused = _registration.Refused(args["on_refused_token"])
        steps, faults = [], []
        for runner, found in known:
            try:
                steps.append(
                    _registration.step(runner, found, seen[runner.name], refused, has_access=caller.has_access)
                )
            except _registration.RegistrationError as exc:
                faults.append(str(exc))
        if faults:
            raise AnsibleActionFail("Nothing was changed: " + " ".join(faults))
        return steps

    def _carried_out(
        self,
        args: _host_action.Result,
        caller: _registrar.Caller,
        state: HostState,
        steps: list[Step],
        task_vars: _host_action.TaskVars,
    ) -> _host_action.Result:
        check_mode = self._task.check_mode
        outcomes = [_registrar.Outcome(step) for step in steps] if check_mode else _registrar.act(caller, steps)
        wanted = _wanted(outcomes, state, check_mode=check_mode)
        target = _host_action.Target(
            args["config_path"], args["service"], args["backup_count"], args["allow_unknown_keys"]
        )
        try:
            plan, _written = self._write_config(target, state, wanted, task_vars)
        except AnsibleActionFail as exc:
            raise AnsibleActionFail(f"{exc}{_undone(caller, outcomes)}") from None
        errors = [str(outcome.error) for outcome in outcomes if outcome.error]
        if errors:
            raise AnsibleActionFail(" ".join(errors) + " What else was declared has been done and is kept.")
        result = {
            "changed": plan.changed or any(step.changed for step in steps),
            "runners": [_reported(outcome) for outcome in outcomes],
        }
        if self._task.diff:
            result["diff"] = _diffs(outcomes, plan, state.config.path)
        return result


def _undone(caller: _registrar.Caller, outcomes: list[_registrar.Outcome]) -> str:
    """Take back what was created when its tokens can't be kept, and say so."""
    if not any(outcome.done is Do.CREATE and outcome.answer for outcome in outcomes):
        return ""
    stayed = _registrar.undo_creates(caller, outcomes)
    if stayed:
        return f" Runners were created in GitLab and could not be deleted again; delete them there: {stayed}."
    return " The runners that had been created in GitLab for this were deleted again."


def _caller(args: _host_action.Result, state: HostState) -> _registrar.Caller:
    return _registrar.Caller(
        gitlab=GitLab(_gitlab_options.endpoint(args)),
        connections=max(1, args["connections"]),
        has_access=bool(args["api_token"]),
        system_id=state.system_id,
        job_timeout=float(args["job_timeout"]),
    )


def _wanted(outcomes: list[_registrar.Outcome], state: HostState, *, check_mode: bool) -> _config_plan.Wanted:
    """The entries that come and go; those that are there already are left to gitlab_runner_config."""
    config = _host_action.parsed(state.config)
    entries, absent = [], set()
    for outcome in outcomes:
        runner = outcome.step.runner
        if outcome.error:
            continue
        if outcome.done in REMOVED:
            absent.add(runner.name)
        elif outcome.answer:
            entries.append(runner.entry(_registrar.written(outcome.answer), rotate=True))
        elif check_mode and outcome.done in (Do.CREATE, Do.RESET):
            entries.append(runner.entry({"token": "(comes from GitLab)"}, rotate=True))
        elif runner.token and not _registration.known_from(config, runner, state.config.path).on_disk:
            entries.append(runner.entry({"id": outcome.step.id} if outcome.step.id else {}))
    return _config_plan.Wanted(entries=tuple(entries), absent=frozenset(absent))


def _reported(outcome: _registrar.Outcome) -> dict[str, t.Any]:
    return {
        "name": outcome.step.runner.name,
        "id": outcome.runner_id or None,
        "action": outcome.done.value,
        "changes": sorted(outcome.step.send) if outcome.done is Do.UPDATE else [],
    }


def _diffs(outcomes: list[_registrar.Outcome], plan: _config_plan.ConfigPlan, path: str) -> list[dict[str, t.Any]]:
    before, after = {}, {}
    for outcome in outcomes:
        step, name = outcome.step, outcome.step.runner.name
        if outcome.done in (Do.CREATE, Do.UPDATE):
            after[name] = dict(step.send)
        elif outcome.done in REMOVED:
            before[name] = {"id": step.id}
        if outcome.done is Do.UPDATE:
            before[name] = dict(step.before)
    diffs: list[dict[str, t.Any]] = []
    if before or after:
        diffs.append({"before": before, "after": after, "before_header": "GitLab", "after_header": "GitLab"})
    if plan.changed:
        diffs.append(plan.diff(path))
    return diffs
