# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a GitLab server back to what it was before an upgrade; all that it needs is in the host's journal."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import Outcome
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _backup_host,
    _host_action,
    _server_upgrade_drive,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_server_upgrade_drive.SPEC,
    "version": {"type": "str", "default": ""},
}


class ActionModule(_server_upgrade_drive.ServerUpgradeAction):
    """gitlab_rollback: say where it goes and what is lost, then have the host do it."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        request = self._request(args, version=args["version"] or None)
        try:
            self._settle()
            borrowed = self._task.check_mode or not self._is_there
            known = self._ask("upgrade-look", request, borrowed=borrowed)
        except _backup_host.HostError as exc:
            raise AnsibleActionFail(f"{exc} Nothing was changed.") from None
        last, journal = known["last"] or {}, known["journal"]
        if last.get("outcome") == Outcome.ROLLED_BACK and not args["version"]:
            # Once more would be one version further back, which nobody has asked for.
            result.update(changed=False, version=last["stands_at"], msg="The last upgrade was rolled back already.")
            return result
        if "refusal" in journal:
            raise AnsibleActionFail(f"{journal['refusal']} Nothing was changed.")
        goal = journal["target"]
        lost = f"what was written since the backup set {goal['set']} was made is lost" if journal["loses"] else None
        result.update(changed=True, version=goal["release"]["version"], set=goal["set"], loses=lost)
        self._say(f"rollback to {goal['release']['version']}, set {goal['set']}{'; ' + lost if lost else ''}")
        if self._task.check_mode:
            return result
        result.update(_server_upgrade_drive.shown(self._driven("rollback", request)))
        return result
