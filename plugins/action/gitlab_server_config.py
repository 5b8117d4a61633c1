# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes gitlab.rb as a whole from typed settings, with a diff that shows no secret."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _gitlab_rb_mask,
    _host_action,
    _server_action,
    _server_plan,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState

WRITE_MODULE = "fleetwright.gitlab_aws.gitlab_server_config_write"
WRITE_TRIES = 3
ARGUMENT_SPEC: dict[str, t.Any] = {
    **_server_action.CONFIG_SPEC,
    "backup_count": {"type": "int", "default": 3},
}


class ActionModule(_server_action.ServerAction):
    """gitlab_server_config: reads, plans, writes."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        backup_count = args.pop("backup_count")
        for _try in range(WRITE_TRIES):
            state, text = self._planned(args)
            before = (state.config.content or b"").decode("utf-8", "replace")
            same = state.config.content is not None and before == text
            result.update(changed=not same or not _server_plan.private(state))
            if self._task.diff:
                result["diff"] = [_gitlab_rb_mask.masked_diff(before, text, _server_plan.CONFIG)]
            if not result["changed"] or self._task.check_mode:
                return result
            write = {
                "content": text,
                "expect_sha256": state.config.sha256,
                "backup_count": 0 if same else backup_count,
                "reconfigure": not same,
            }
            written = self._on_host(WRITE_MODULE, write, task_vars)
            if not written["conflict"]:
                result.update({"backup_file": written["backup_file"]} if written.get("backup_file") else {})
                return result
        raise AnsibleActionFail(
            f"Could not write {_server_plan.CONFIG}: someone else changed it {WRITE_TRIES} times meanwhile. Look for "
            "what rewrites the file, then run this again."
        )

    def _planned(self, args: _host_action.Result) -> tuple[HostState, str]:
        state = self._read_server()
        wanted = _server_plan.Wanted(version="", baseurl="", gpgkeys=(), former_gpgkeys=(), version_lock=False,
                                     check_os=False, **args)  # fmt: skip
        try:
            text = _server_plan.config_text(state, wanted)
        except _server_plan.InstallError as exc:
            raise AnsibleActionFail(f"Nothing was changed: {exc}") from None
        self._check_syntax(state, text)
        return state, text
