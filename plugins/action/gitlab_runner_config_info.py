# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the parsed config.toml, without its secrets unless they are asked for."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _host_action, _masking

ARGUMENT_SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "default": "/etc/gitlab-runner/config.toml"},
    "include_secrets": {"type": "bool", "default": False},
}


class ActionModule(_host_action.HostAction):
    """gitlab_runner_config_info: one read."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        state = self._read_host(args["path"])
        config = _host_action.parsed(state.config)
        result.update(
            changed=False,
            path=state.config.path,
            exists=state.config.content is not None,
            mode=state.config.mode,
            owner=state.config.owner,
            group=state.config.group,
            system_id=state.system_id,
            config=_masking.without_secrets(config, () if args["include_secrets"] else None),
        )
        if args["include_secrets"]:
            result["_ansible_no_log"] = True  # registered, but never shown
        return result
