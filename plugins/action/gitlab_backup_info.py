# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the backup sets of a GitLab server and how the last backup went."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _backup_action,
    _backup_host,
    _host_action,
)

ARGUMENT_SPEC: dict[str, t.Any] = {**_backup_action.PLACE_SPEC}


class ActionModule(_backup_action.BackupAction):
    """gitlab_backup_info: one question to the program, which is borrowed where it is not installed."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        try:
            borrowed = not self._is_installed(self._first_look())
            answer = self._ask("list", _backup_action.request(args).as_json(), borrowed=borrowed)
        except _backup_host.HostError as exc:
            raise AnsibleActionFail(str(exc)) from None
        good = [one["id"] for one in answer["sets"] if one["condition"] == "good"]
        result.update({"changed": False, **answer, "latest": good[-1] if good else None})
        return result
