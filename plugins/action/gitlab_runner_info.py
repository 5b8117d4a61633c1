# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings together what a host and GitLab know of its runners."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_runners import Runner, Runners
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _gitlab_options, _host_action, _status

HOST_MODULE = "fleetwright.gitlab_aws.gitlab_runner_host_info"

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_gitlab_options.ARGUMENT_SPEC,
    "api_url": {"type": "str"},
    "config_path": {"type": "path", "default": "/etc/gitlab-runner/config.toml"},
    "service": {"type": "str", "default": "gitlab-runner"},
    "verify": {"type": "bool", "default": True},
}


class ActionModule(_host_action.HostAction):
    """gitlab_runner_info: one read, one module on the host, and GitLab where a token is given."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        state = self._read_host(args["config_path"])
        entries = _status.entries(_host_action.parsed(state.config))
        asked = {name: args[name] for name in ("config_path", "service", "verify")}
        host = self._on_host(HOST_MODULE, asked, task_vars)
        try:
            known = _in_gitlab(args, entries) if args["api_url"] and args["api_token"] else {}
        except GitLabError as exc:
            raise AnsibleActionFail(str(exc)) from None
        result.update(
            changed=False,
            version=host["version"],
            service=host["service"],
            system_id=state.system_id,
            jobs=host["jobs"],
            runners=_status.runners(entries, host["verified"], known),
        )
        return result


def _in_gitlab(args: _host_action.Result, entries: list[_status.Entry]) -> dict[int, Runner | None]:
    gitlab = GitLab(_gitlab_options.endpoint(args))
    ids = sorted({entry.id for entry in entries if entry.id})
    try:
        return dict(zip(ids, gitlab.each(Runners(gitlab).get, ids, args["connections"])))
    finally:
        gitlab.close()
