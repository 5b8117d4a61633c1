# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades a GitLab server over every required stop; the host's journal says how far it came."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _backup_host,
    _host_action,
    _server_upgrade_drive,
    _server_upgrade_plan,
    _server_upgrade_table,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_plan import Here, Plan, Wanted
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_postgresql import PlanError

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_server_upgrade_drive.SPEC,
    "target": {"type": "str", "default": "newest"},
    "conditional_stops": {"type": "list", "elements": "str", "default": []},
    "edition": {"type": "str", "choices": ["ce", "ee"]},
    "keep_serving": {"type": "bool", "default": False},
    "rollback": {"type": "bool", "default": True},
    "migrations_timeout": {"type": "int", "default": 86400},
}


class ActionModule(_server_upgrade_drive.ServerUpgradeAction):
    """gitlab_upgrade: plan the whole way, then have the host go it."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        request = self._request(
            args,
            keep_serving=args["keep_serving"],
            rollback=args["rollback"],
            migrations_seconds=args["migrations_timeout"],
        )
        try:
            known = self._looked(request, edition=args["edition"])
        except _backup_host.HostError as exc:
            raise AnsibleActionFail(f"{exc} Nothing was changed.") from None
        last = known["last"] or {}
        open_ = bool(last.get("unfinished"))
        if open_ and last["back"] and not last["automatic"]:
            raise AnsibleActionFail(
                f"{last['stands']} Run the playbook gitlab_rollback to finish it; then upgrade again."
            )
        plan = None if open_ and last["back"] else self._planned(args, known, last if open_ else None)
        result.update(changed=bool(open_ or (plan and plan.stops)), plan=plan.as_json() if plan else None)
        result["unfinished"] = last["stands"] if open_ else None
        if plan:
            Display().display(_server_upgrade_table.table(plan))
        if self._task.check_mode or not result["changed"]:
            return result
        request["stops"] = [dataclasses.asdict(one.stop) for one in plan.stops] if plan else []
        answer = self._driven("upgrade", request)
        result.update(_server_upgrade_drive.shown(answer))
        if answer["outcome"] != "upgraded":
            raise AnsibleActionFail(
                f"The upgrade failed, and GitLab is back at {answer['version']} with the data of before: "
                f"{answer['reason']}",
                result=result,
            )
        return result

    def _planned(
        self, args: t.Mapping[str, t.Any], known: t.Mapping[str, t.Any], last: t.Mapping[str, t.Any] | None
    ) -> Plan | None:
        """The way from what is installed; what an unfinished upgrade has removed is taken as where it stands."""
        package = known["package"] or (last["at"] if last else None)
        if package is None:
            raise AnsibleActionFail(
                "GitLab is not installed here, so there is nothing to upgrade. Run the playbook gitlab_install."
            )
        if known["listing_problem"]:
            raise AnsibleActionFail(f"The packages on offer can't be listed: {known['listing_problem']}.")
        here = Here(package, known["postgresql"], known["data_bytes"], known["held"], tuple(known["system"]))
        wanted = Wanted(args["target"], tuple(args["conditional_stops"]), args["edition"])
        try:
            return _server_upgrade_plan.plan(here, wanted, known["listing"])
        except PlanError as exc:
            raise AnsibleActionFail(f"{exc} Nothing was changed.") from None
