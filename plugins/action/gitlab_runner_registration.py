# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers runners from the controller and keeps their tokens in the host's config.toml."""

from __future__ import annotations

import contextlib
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
    _host_lock,
    _intents,
    _known,
    _registrar,
    _registration,
    _registration_result,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration_action import (
    RegistrationAction,
    Situation,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_gitlab_options.ARGUMENT_SPEC,
    "registration_token": {"type": "str", "no_log": True},
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
EXPECTED = (
    _declaration.DeclarationError,
    GitLabError,
    _config_plan.PlanError,
    _intents.IntentError,
    _host_lock.LockError,
)
DEPRECATED = (
    "registration_token: GitLab deprecated registration tokens in 15.6, switches them off by default since 17.0 and "
    "plans to remove them in 20.0. Set api_token (scope create_runner) and runner_type instead; runners that are "
    "registered already keep working."
)


class ActionModule(RegistrationAction):
    """gitlab_runner_registration: read the host, look at GitLab, decide, act, keep the tokens."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        if args["registration_token"]:
            result["warnings"] = [DEPRECATED]
        try:
            _declaration.check_registration_token(args["registration_token"])
            declared = _declaration.declarations(
                args["runners"],
                defaults=args["runner_defaults"],
                url=args["url"] or args["api_url"],
                allow_unknown_keys=args["allow_unknown_keys"],
            )
            result.update(self._registered(args, declared, task_vars))
        except EXPECTED as exc:
            raise AnsibleActionFail(str(exc)) from None
        return result

    def _registered(
        self, args: _host_action.Result, declared: list[_declaration.Declared], task_vars: _host_action.TaskVars
    ) -> _host_action.Result:
        now = self._situation(args, declared)
        with contextlib.ExitStack() as stack:
            lock = self._lock(args["config_path"])
            stack.callback(lock.give)
            caller = _caller(args, now.state)
            stack.callback(caller.gitlab.close)
            if now.left_open and not self._task.check_mode:  # perhaps by a run that is still at work
                lock.take()
                now = self._situation(args, declared)
            steps = self._steps(now, caller)
            if not (lock.taken or self._task.check_mode) and any(step.hands_out for step in steps):
                lock.take()
                again = self._situation(args, declared)
                if again.state != now.state:  # another run was quicker
                    now = again
                    steps = self._steps(now, caller)
            outcomes, plans = self._carried_out(now, caller, lock, steps, task_vars)
        errors = [str(outcome.error) for outcome in outcomes if outcome.error]
        if errors:
            raise AnsibleActionFail(" ".join(errors) + " What else was declared has been done and is kept.")
        found: _host_action.Result = {
            "changed": any(plan.changed for plan in plans) or bool(now.strays) or any(step.changed for step in steps),
            "runners": [_registration_result.reported(outcome) for outcome in outcomes],
        }
        if self._task.diff:
            found["diff"] = _registration_result.diffs(outcomes, plans, now.state.config.path)
        return found

    def _situation(self, args: _host_action.Result, declared: list[_declaration.Declared]) -> Situation:
        intents_path = _intents.path_beside(args["config_path"])
        state = self._read_host(args["config_path"], files=(intents_path,))
        config = _host_action.parsed(state.config)
        urls = [args["api_url"], *([args["url"]] if args["url"] else [])]
        runners = declared + (_known.undeclared(config, declared, urls) if args["purge"] else [])
        disk = _config_plan.Disk(_config_plan.entries_of(config), state.config.path)
        doubled = _config_plan.Doubled(args["on_doubled_entry"])
        known = [(runner, _known.known_from(disk, runner, doubled, urls)) for runner in runners]
        return Situation(args, state, known, _intents.loaded(state.files.get(intents_path), intents_path))

    def _steps(self, now: Situation, caller: _registrar.Caller) -> list[_registration.Step]:
        """Every runner's step; what an earlier run left behind for nobody is noted as strays.

        All that need a human's choice are named at once, before anything is changed.
        """
        seen = _registrar.look(caller, now.runners, check_mode=self._task.check_mode)
        kept = {runner.name for runner, known in now.runners if known.on_disk and seen[runner.name].token_valid}
        now.intents[:] = [intent for intent in now.intents if intent.name not in kept]
        found = _registrar.strays(caller, now.intents)
        by_name = {intent.name: found[intent.mark] for intent in now.intents}
        choice = _registration.Choice(
            on_refused=_registration.Refused(now.args["on_refused_token"]),
            rotate=now.args["rotate_tokens"],
            has_access=caller.has_access,
            legacy=bool(caller.registration_token),
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
        adopted = {step.id for step in steps if step.do is _registration.Do.ADOPT}
        now.strays = [stray for ids in found.values() for stray in ids if stray not in adopted]
        return steps


def _caller(args: _host_action.Result, state: HostState) -> _registrar.Caller:
    return _registrar.Caller(
        gitlab=GitLab(_gitlab_options.endpoint(args)),
        connections=max(1, args["connections"]),
        has_access=bool(args["api_token"]),
        system_id=state.system_id,
        job_timeout=float(args["job_timeout"]),
        registration_token=args["registration_token"] or None,
    )
