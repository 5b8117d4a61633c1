# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drains a runner service and lets it work again."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _drain,
    _drain_action,
    _host_action,
    _interrupts,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_drain_action.ARGUMENT_SPEC,
    "state": {"type": "str", "choices": ["drained", "resumed", "restarted"], "default": "drained"},
}


class ActionModule(_drain_action.DrainAction):
    """gitlab_runner_drain: look, decide, pause, wait, stop; or the way back; or both."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        path = _drain.journal_path(args["service"])
        state = self._read_host(args["config_path"], files=(path,))
        ask = self._ask(args, state)
        try:
            left = _drain.loaded(state.files.get(path), path)
            if args["state"] == "resumed":
                result.update(self._resumed(ask, left))
            else:
                result.update(self._drained(ask, state, left, again=args["state"] == "restarted"))
        except (GitLabError, _drain.DrainError) as exc:
            raise AnsibleActionFail(str(exc)) from None
        finally:
            if ask.control:
                ask.control.gitlab.close()
        return result

    def _drained(
        self, ask: _drain_action.Ask, state: HostState, left: _drain.Journal | None, *, again: bool
    ) -> _host_action.Result:
        """Bring the service to rest; again: a new process takes its place, also of one that an earlier run drained."""
        started = time.monotonic()
        plan, look = self._plan_drain(ask, state, left)
        again = again and plan.journal.active
        if again:
            _drain.check_can_start(look, ask.service)
        if plan.changed and not self._task.check_mode:
            look = self._drain(ask, plan, look)
        if again and not self._task.check_mode:
            with _interrupts.uninterrupted():
                look = self._resume(ask, plan.journal)
        return {
            "changed": plan.changed or again,
            "way": plan.way.value,
            "paused": list(plan.pause),
            "reasons": list(plan.reasons),
            "jobs": _drain.reported(look),
            "service_state": look.active_state,
            "seconds": round(time.monotonic() - started, 1),
        }

    def _resumed(self, ask: _drain_action.Ask, left: _drain.Journal | None) -> _host_action.Result:
        if left is None:
            return {"changed": False, "unpaused": []}
        if not self._task.check_mode:
            self._resume(ask, left)
        return {"changed": True, "unpaused": list(left.paused)}
