# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans a server's way to another version, and says what stands against it; changes nothing."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _upgrade_next
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_preflight import Finding
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _host_action,
    _server_upgrade_action,
    _server_upgrade_ready,
    _server_upgrade_table,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_server_upgrade_action.TARGET_SPEC,
    **_server_upgrade_action.PLACES_SPEC,
    "preflight": {"type": "bool", "default": True},
}


class ActionModule(_server_upgrade_action.UpgradeAction):
    """gitlab_upgrade_plan: one read, and one look for the preflight."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        target = _server_upgrade_action.wanted(args)
        state = self._read_upgrade()
        plan = self._plan_upgrade(state, target)
        found = _server_upgrade_ready.findings(state, plan)
        if args["preflight"]:
            places = {name: args[name] for name in _server_upgrade_action.PLACES_SPEC}
            found = self._preflight(state, plan, places, task_vars, patient=False)
        last = _server_upgrade_ready.unfinished(state)
        result.update(
            changed=False,
            **plan.as_json(),
            table=_server_upgrade_table.table(plan, found),
            findings=[_plain(one) for one in found],
            ready=not any(one.blocks for one in found),
            unfinished=_upgrade_next.stands(last) if last else None,
        )
        return result


def _plain(finding: Finding) -> dict[str, t.Any]:
    plain = dataclasses.asdict(finding)
    plain.pop("wait")
    return plain
