# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `gitlab-ctl reconfigure` where one is due, and waits until GitLab is ready."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _host_action,
    _server_action,
    _server_plan,
    _server_run,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_server_action.WAIT_SPEC,
    "force": {"type": "bool", "default": False},
}


class ActionModule(_server_action.ServerAction):
    """gitlab_server_reconfigure: decides by what the host says, so that a failed one is repeated."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        state = self._settled(args["timeout"])
        if not _server_plan.installed_version(state):
            raise AnsibleActionFail("GitLab is not installed here. Nothing was changed. Run gitlab_install first.")
        result["changed"] = args["force"] or not _server_plan.configured(state)
        if self._task.check_mode:
            return result
        if result["changed"]:
            look = self._run_long(_server_run.reconfigure(), "gitlab-ctl reconfigure", args["timeout"])
            if look.status != 0 or _server_run.RECONFIGURED not in look.log:
                self._reconfigure_failed(state, look, "gitlab-ctl reconfigure failed")
        self._await_ready(args["ready_timeout"], task_vars)
        result.update(self._first_password(state) if result["changed"] else {})
        return result
