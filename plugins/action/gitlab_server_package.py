# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the package gitlab-ce, whose own reconfigure makes the server, and judges by the server and not by dnf."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _dnf_words,
    _host_action,
    _server_action,
    _server_plan,
    _server_run,
    _server_version,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_server_action.WAIT_SPEC,
    "package": {"type": "str", "default": _server_version.PROGRAM},
    "initial_root_password": {"type": "str", "default": "", "no_log": True},
}


class ActionModule(_server_action.ServerAction):
    """gitlab_server_package: one transaction, then a look at what it left."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        state = self._settled(args["timeout"])
        installed = _server_plan.installed_version(state)
        result.update(changed=not installed, version=installed)
        if installed or self._task.check_mode:
            return result
        spec = args["package"]
        script = _server_run.install(spec, args["initial_root_password"])
        before, look = state, self._run_long(script, f"installing {spec}", args["timeout"])
        state = self._read_server()
        result["version"] = _server_plan.installed_version(state)
        if not result["version"]:
            said = self._hide(state, _server_run.reason(look.log)) or "it was killed, or the host was started anew"
            remedy = _dnf_words.remedy(said, _server_version.PROGRAM, "gitlab_server")
            raise AnsibleActionFail(f"Could not install {spec}: {said}. No package was changed. {remedy}")
        if look.status != 0 or _server_run.FAILED in look.log:
            ended = "though dnf reports success" if look.status == 0 else "or was stopped on its way"
            what = f"GitLab {result['version']} is installed, but its own reconfigure failed, {ended}"
            self._reconfigure_failed(state, look, what)
        if _server_plan.configured(state):
            self._await_ready(args["ready_timeout"], task_vars)
            result.update(self._first_password(before))
        return result
