# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Upgrades a GitLab server over every required stop; the host's journal says how far it came."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _upgrade_next, _upgrade_preflight
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import Outcome, Upgrade
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _backup_host,
    _host_action,
    _server_upgrade_action,
    _server_upgrade_drive,
    _server_upgrade_ready,
    _server_upgrade_table,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_plan import Plan
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_postgresql import PlanError

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_server_upgrade_drive.SPEC,
    **_server_upgrade_action.TARGET_SPEC,
    "keep_serving": {"type": "bool", "default": False},
    "rollback": {"type": "bool", "default": True},
    "migrations_timeout": {"type": "int", "default": 86400},
}


class ActionModule(_server_upgrade_action.UpgradeAction, _server_upgrade_drive.ServerUpgradeAction):
    """gitlab_upgrade: plan the whole way, then have the host go it."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        target = _server_upgrade_action.wanted(args)
        try:
            self._settle()
        except _backup_host.HostError as exc:
            raise AnsibleActionFail(f"{exc} Nothing was changed.") from None
        state = self._read_upgrade()
        try:
            last = _server_upgrade_ready.unfinished(state)
        except PlanError as exc:
            raise AnsibleActionFail(f"Nothing was changed: {exc}") from None
        plan = None if last and last.back else self._plan_upgrade(state, target)
        self._look_first(state, plan, last, args, task_vars)
        result.update(
            changed=last is not None or bool(plan and plan.stops),
            plan=plan.as_json() if plan else None,
            unfinished=_upgrade_next.stands(last) if last else None,
        )
        if self._task.check_mode or not result["changed"]:
            return result
        return {**result, **self._gone(args, plan, result)}

    def _look_first(
        self,
        state: t.Any,
        plan: Plan | None,
        last: Upgrade | None,
        args: t.Mapping[str, t.Any],
        task_vars: _host_action.TaskVars,
    ) -> None:
        """Show the way, and refuse what stands against it; an upgrade that is under way is gone on with."""
        if last is not None and last.back is not None and not last.automatic:
            raise AnsibleActionFail(
                f"Nothing was changed: {_upgrade_next.stands(last)} Run the playbook gitlab_rollback to finish it; "
                "then upgrade again."
            )
        if plan is None:
            return
        places = {name: args[name] for name in _server_upgrade_action.PLACES_SPEC}
        found = self._preflight(state, plan, places, task_vars) if last is None else []
        Display().display(_server_upgrade_table.table(plan, found))
        blocking = [one for one in found if one.blocks]
        if blocking:
            raise AnsibleActionFail(f"Nothing was changed. {_upgrade_preflight.blocked(blocking)}")

    def _gone(self, args: t.Mapping[str, t.Any], plan: Plan | None, result: _host_action.Result) -> _host_action.Result:
        request = self._request(
            args,
            keep_serving=args["keep_serving"],
            rollback=args["rollback"],
            migrations_seconds=args["migrations_timeout"],
            stops=[dataclasses.asdict(one.stop) for one in plan.stops] if plan else [],
        )
        answer = self._driven("upgrade", request)
        if answer["outcome"] != Outcome.UPGRADED:
            raise AnsibleActionFail(
                f"The upgrade failed, and GitLab is back at {answer['version']} with the data of before: "
                f"{answer['reason']}",
                result={**result, **_server_upgrade_drive.shown(answer)},
            )
        return _server_upgrade_drive.shown(answer)
