# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a host once and says which steps installing and configuring GitLab takes."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _host_action,
    _server_action,
    _server_plan,
    _server_version,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_server_action.CONFIG_SPEC,
    "version": {"type": "raw", "default": ""},
    "baseurl": {"type": "str", "default": ""},
    "gpgkeys": {"type": "list", "elements": "str", "required": True, "no_log": False},
    "former_gpgkeys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "version_lock": {"type": "bool", "default": True},
    "check_os": {"type": "bool", "default": True},
    "initial_root_password": {"type": "str", "default": "", "no_log": True},
    "timeout": {"type": "int", "default": 7200},
    "keep_config": {"type": "bool", "default": False},
}


class ActionModule(_server_action.ServerAction):
    """gitlab_server_install_plan: one read, no change."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        timeout = args.pop("timeout")
        lists = {name: tuple(value) for name, value in args.items() if isinstance(value, list)}
        try:
            version = _server_version.version_of(args["version"])
            wanted = _server_plan.Wanted(**{**args, **lists, "version": version})
            state = self._settled(timeout)
            plan = _server_plan.plan(state, wanted)
            if not wanted.keep_config:
                self._check_syntax(state, wanted.text)
        except (_server_plan.InstallError, ValueError) as exc:
            raise AnsibleActionFail(f"Nothing was changed: {exc}") from None
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(plan).items()}
        result.update(changed=False, needed=plan.changed, plan=plain)
        return result
