# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades the packages of a runner at work, goes back, and finishes or undoes what a killed run left."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import Call
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _drain,
    _drain_action,
    _host_action,
    _interrupts,
    _upgrade_action,
    _upgrade_host,
    _upgrade_plan,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._upgrade_action import Situation, Times
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._upgrade_plan import Journal, Packages, Step

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_drain_action.ARGUMENT_SPEC,
    "state": {"type": "str", "choices": ["upgraded", "rolled_back"], "default": "upgraded"},
    "version": {"type": "str", "default": "newest"},
    "version_lock": {"type": "bool", "default": True},
    "verify": {"type": "bool", "default": True},
    "restore_config": {"type": "bool", "default": True},
    "backup_count": {"type": "int", "default": 5},
}


class ActionModule(_upgrade_action.UpgradeAction):
    """gitlab_runner_upgrade: read, plan, then the steps of the journal."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        now = None
        try:
            now = self._situation(args, task_vars)
            with _interrupts.interruptible():
                result.update(self._upgraded(now) if args["state"] == "upgraded" else self._rolled_back(now))
        except _upgrade_action.FAILURES as exc:
            raise AnsibleActionFail(str(exc)) from None
        finally:
            if now and now.ask.control:
                now.ask.control.gitlab.close()
        return result

    def _upgraded(self, now: Situation) -> _host_action.Result:
        journal = now.journal
        if journal and not journal.done:
            if not journal.back and (self._task.check_mode or self._target(now) == journal.to):
                return self._result(now, journal, self._moved(now, journal))
            self._say(f"an earlier run was stopped on its way to {journal.goal.version}: going back first")
            if not self._task.check_mode:
                self._advance(now, dataclasses.replace(journal, back=True), Times())
            now = self._situation(now.args, now.task_vars)
        target = self._target(now)
        if target == now.now:
            return {"changed": False, "before": now.now.version, "after": target.version}
        if self._task.check_mode:
            return self._result(now, self._begun(now, target, backup=""), Times())
        self._do(
            _upgrade_host.prefetch(now.now, target), f"download gitlab-runner {target.version}; nothing was changed"
        )
        folder = self._backup(now.ask.config_path, now.service, count=now.args["backup_count"])
        journal = self._begun(now, target, backup=folder)
        return self._result(now, journal, self._moved(now, journal))

    def _begun(self, now: Situation, target: Packages, *, backup: str) -> Journal:
        look = self._look(now.service)
        _drain.check_can_start(look, now.service)
        before = now.journal if now.journal and now.journal.done else None
        return Journal(
            was=now.now,
            to=target,
            backup=backup,
            active=look.running or look.waits_for_restart,
            unit_file_state=look.unit_file_state,
            refused=() if self._task.check_mode else self._refused(now, now.state),
            previous=dataclasses.replace(before, previous=None).plain() if before else None,
        )

    def _moved(self, now: Situation, journal: Journal) -> Times:
        """Go to the journal's goal; a step that fails is undone with all before it."""
        times = Times()
        if self._task.check_mode:
            return times
        try:
            self._advance(now, journal, times)
        except (*_upgrade_action.FAILURES, _interrupts.Interrupted) as exc:
            step = self._step_on_host(now)
            if step is Step.DRAIN:  # nothing else was done
                self._forget(now, journal)
                raise
            if step is Step.RESUME or isinstance(exc, _interrupts.Interrupted):
                raise  # the next run finishes; going back would need the same that fails now
            self._undone_upgrade(now, journal, exc)
        return times

    def _step_on_host(self, now: Situation) -> Step | None:
        with _interrupts.uninterrupted():
            state = self._read_all(now.ask.config_path, now.service)
        path = _upgrade_plan.journal_path(now.service)
        journal = _upgrade_plan.loaded(state.files.get(path), path)
        return journal.step if journal else None

    def _forget(self, now: Situation, journal: Journal) -> None:
        """Leave everything as it was before this run, its journal too: an earlier upgrade can still be undone."""
        with _interrupts.uninterrupted():
            left = self._left(now, self._read_all(now.ask.config_path, now.service))
            if left is not None and journal.active:
                self._undone(now.ask, left)
            if now.journal is not None:
                self._note(now, now.journal)
            else:
                self._remove(_upgrade_plan.journal_path(now.service))

    def _rolled_back(self, now: Situation) -> _host_action.Result:
        journal = _upgrade_plan.can_go_back(now.journal, _upgrade_plan.installed(now.state.packages))
        if journal.done and journal.back:
            return {"changed": False, "before": now.now.version, "after": now.now.version}
        if journal.done:
            look = self._look(now.service)
            _drain.check_can_start(look, now.service)
            journal = dataclasses.replace(
                journal, active=look.running or look.waits_for_restart, unit_file_state=look.unit_file_state
            )
        back = dataclasses.replace(journal, back=True, reason=_upgrade_plan.ON_DEMAND)
        times = Times()
        if not self._task.check_mode:
            if journal.done:
                self._do(
                    _upgrade_host.prefetch(now.now, journal.was),
                    f"download gitlab-runner {journal.was.version}; nothing was changed",
                )
            try:
                self._advance(now, back, times)
            except (*_upgrade_action.FAILURES, _interrupts.Interrupted):
                if journal.done and self._step_on_host(now) is Step.DRAIN:
                    self._forget(now, back)
                raise
        return self._result(now, back, times)

    def _target(self, now: Situation) -> Packages:
        wanted = now.args["version"] or _upgrade_plan.NEWEST
        if wanted == now.now.version and (now.now.helper or not _upgrade_plan.needs_helper(wanted)):
            return now.now  # nothing needs to be asked of the repository
        server = self._server_version(now) if wanted == _upgrade_plan.GITLAB else None
        listing = self._do(_upgrade_host.LIST, "list what the repository offers; nothing was changed")
        return _upgrade_plan.target(wanted, _upgrade_plan.offers(listing), server)

    def _server_version(self, now: Situation) -> str:
        if now.ask.control is None:
            raise _upgrade_plan.UpgradeError(
                "The version gitlab means the server's own line; to ask for it, give api_url and api_token."
            )
        answer = now.ask.control.gitlab.request(Call("GET", "/version", "read GitLab's version", expect=(200,)))
        return str(answer.data["version"])

    def _result(self, now: Situation, journal: Journal, times: Times) -> _host_action.Result:
        result: _host_action.Result = {
            "changed": True,
            "before": now.now.version,
            "after": journal.goal.version,
            "packages": list(journal.goal.specs()),
            "backup": journal.backup,
            "package_seconds": round(times.packages, 2),
            "idle_seconds": round(times.idle, 2),
            "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        if self._task.diff:
            before, after = " ".join(now.now.specs()), " ".join(journal.goal.specs())
            result["diff"] = [{"before": f"{before}\n", "after": f"{after}\n", "before_header": "packages"}]
        return result
