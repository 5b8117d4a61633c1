# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions around upgrades of a server share: the read, the plan, and what stands against it."""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _upgrade_facts, _upgrade_preflight
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_preflight import Finding
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _host_action,
    _server_offers,
    _server_upgrade_read,
    _server_upgrade_ready,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_plan import Plan, Wanted
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_postgresql import PlanError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_read import State

LOOK_MODULE = "fleetwright.gitlab_aws.gitlab_upgrade_look"

TARGET_SPEC: dict[str, t.Any] = {
    "version": {"type": "raw", "default": _server_offers.NEWEST},
    "conditional_stops": {"type": "list", "elements": "raw", "default": []},
    "edition": {"type": "str", "choices": ["ce", "ee"]},
}
PLACES_SPEC: dict[str, t.Any] = {
    field.name: {"type": "path", "default": field.default}
    for field in dataclasses.fields(_upgrade_facts.Asked)
    if field.name in ("sets_path", "backup_path")
}


def wanted(args: t.Mapping[str, t.Any]) -> Wanted:
    """What a task asks for; raises AnsibleActionFail for versions that YAML has read as numbers."""
    for value in (args["version"], *args["conditional_stops"]):
        if isinstance(value, float):
            raise AnsibleActionFail(
                f"Nothing was changed: the version {value} is a number; quote it, so that 18.10 does not become 18.1."
            )
    stops = tuple(str(value) for value in args["conditional_stops"])
    return Wanted(str(args["version"] or _server_offers.NEWEST), stops, args["edition"])


class UpgradeAction(_host_action.HostAction):
    """An action that plans an upgrade of a server."""

    def _read_upgrade(self) -> State:
        """One shell command; nothing is changed."""
        output = self._do(_server_upgrade_read.command(), "read the server")
        try:
            return _server_upgrade_read.parse(output)
        except _server_upgrade_read.ReadError as exc:
            raise AnsibleActionFail(str(exc)) from None

    def _plan_upgrade(self, state: State, target: Wanted) -> Plan:
        try:
            return _server_upgrade_ready.plan(state, target)
        except PlanError as exc:
            raise AnsibleActionFail(f"Nothing was changed: {exc}") from None

    def _preflight(
        self,
        state: State,
        plan: Plan,
        places: t.Mapping[str, str],
        task_vars: _host_action.TaskVars,
        *,
        patient: bool = True,
    ) -> list[Finding]:
        """What stands against the plan's first stop and its way; nothing where there is no stop.

        What only needs a little time is waited for by a patient one, except in check mode.
        """
        if not plan.stops:
            return []
        minor = _server_offers.dotted(plan.stops[0].package.minor)
        while True:
            found = self._on_host(LOOK_MODULE, {"version": minor, **places}, task_vars)
            facts = _upgrade_facts.Facts.from_json(found["facts"])
            all_of_it = [
                *_server_upgrade_ready.findings(state, plan),
                *_upgrade_preflight.findings(facts, _server_upgrade_ready.needs(state, plan)),
            ]
            blocking = [one for one in all_of_it if one.blocks]
            if not patient or self._task.check_mode or not blocking or not all(one.wait for one in blocking):
                return all_of_it
            pause = max(one.wait for one in blocking)
            self._say(f"{blocking[0].what}: waiting {pause:.0f} s")
            time.sleep(pause)
