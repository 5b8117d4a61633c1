# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a host once and says which steps an installation of GitLab Runner takes."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _host_action,
    _host_read,
    _identity,
    _install_plan,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    "version": {"type": "raw", "default": ""},
    "baseurl": {"type": "str", "default": ""},
    "gpgkeys": {"type": "list", "elements": "str", "required": True, "no_log": False},
    "service": {"type": "str", "default": "gitlab-runner"},
    "version_lock": {"type": "bool", "default": True},
    "stop_timeout": {"type": "int", "default": 7200},
    "proxy": {"type": "dict", "default": {}},
    "ca_certificates": {"type": "dict", "default": {}},
    "check_os": {"type": "bool", "default": True},
    "enabled": {"type": "bool", "default": True},
    "started": {"type": "bool", "default": True},
    "config_path": {"type": "path", "default": _host_read.DEFAULT_CONFIG_PATH},
    "user": {"type": "str", "default": "gitlab-runner"},
    "working_directory": {"type": "str", "default": ""},
    "restart": {"type": "bool", "default": True},
    "new_identity": {"type": "bool", "default": True},
    "docker": {"type": "str", "choices": ["leave", "install"], "default": "leave"},
    "docker_packages": {"type": "list", "elements": "str", "default": ["docker"]},
    "registries": {"type": "dict", "default": {}},
}


class ActionModule(_host_action.HostAction):
    """gitlab_runner_install_plan: one read, no change."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        lists = {name: tuple(value) for name, value in args.items() if isinstance(value, list)}
        try:
            version = _install_plan.version_of(args["version"])
            wanted = _install_plan.Wanted(**{**args, **lists, "version": version})
            state = self._read_host(
                wanted.config_path,
                service=wanted.service,
                packages=wanted.packages(),
                files=wanted.paths(),
            )
            plan = _install_plan.plan(state, wanted)
        except _install_plan.InstallError as exc:
            raise AnsibleActionFail(f"Nothing was changed: {exc}") from None
        identity = _identity.expected(state.files) or state.system_id
        result.update(changed=False, needed=plan.changed, plan=_plain(plan), identity=identity or "")
        result["docker_socket"] = state.docker_socket
        if plan.warnings:
            result["warnings"] = list(plan.warnings)
        return result


def _plain(plan: _install_plan.InstallPlan) -> dict[str, t.Any]:
    """The plan as a result can hold it: the content of a secret file is left out."""
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in vars(plan).items()}
    files = [dataclasses.replace(managed, content="") if managed.secret else managed for managed in plan.files]
    note = dataclasses.asdict(plan.note) if plan.note else {}
    return {**plain, "files": [dataclasses.asdict(managed) for managed in files], "note": note}
