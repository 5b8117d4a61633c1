# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans config.toml on the controller and leaves one write on the host."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _coerce,
    _config_check,
    _config_plan,
    _declaration,
    _pending_restart,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_action import (
    HostAction,
    Result,
    Target,
    TaskVars,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState

ARGUMENT_SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "default": "/etc/gitlab-runner/config.toml"},
    "service": {"type": "str", "default": "gitlab-runner"},
    "settings": {"type": "dict", "default": {}},
    "runners": {"type": "list", "elements": "dict", "default": []},
    "runner_defaults": {"type": "dict", "default": {}},
    "url": {"type": "str"},
    "purge": {"type": "bool", "default": False},
    "on_doubled_entry": {"type": "str", "choices": ["fail", "remove"], "default": "fail"},
    "on_renamed_entry": {"type": "str", "choices": ["rename", "fail"], "default": "rename"},
    "allow_unknown_keys": {"type": "bool", "default": False},
    "backup_count": {"type": "int", "default": 3},
}
PENDING_TOKEN = "(comes from GitLab)"


class ActionModule(HostAction):
    """gitlab_runner_config: read, plan, write."""

    def run(self, tmp: str | None = None, task_vars: TaskVars = None) -> Result:
        result: Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        wanted = _wanted(args, check_mode=self._task.check_mode)
        target = Target(args["path"], args["service"], args["backup_count"], args["allow_unknown_keys"])
        note = _pending_restart.path_beside(target.path)
        state = self._read_host(target.path, files=(note,))
        pending = self._pending(target, state, note)
        planned = self._plan_config(state, wanted)
        keys = (*pending, *(key for key in planned.restart if key not in pending))
        if keys != pending and not self._task.check_mode:
            self._write_private(note, _pending_restart.dumped(keys))
        plan, written = self._write_config(target, state, wanted, task_vars, planned)
        result.update(
            changed=plan.changed,
            path=state.config.path,
            changes=list(plan.changes),
            restart_required=bool(keys),
            restart_keys=list(keys),
            **{name: written[name] for name in ("reloaded", "backup_file") if name in written},
        )
        if self._task.diff and plan.changed:
            result["diff"] = [plan.diff(state.config.path)]
        return result

    def _pending(self, target: Target, state: HostState, note: str) -> tuple[str, ...]:
        """The keys that an earlier run wrote and that the running process has not read; read closer only if noted."""
        keys = _pending_restart.noted(state, note)
        if not keys:
            return ()
        state = self._read_host(target.path, service=target.service, files=(note,))
        if not _pending_restart.outdated(state, note):
            return keys
        if not self._task.check_mode:
            self._remove(note)
        return ()


def _wanted(args: Result, *, check_mode: bool) -> _config_plan.Wanted:
    """The declaration, checked; every fault is found before the host is read."""
    settings = _coerce.coerced(args["settings"], schema.GLOBAL)
    faults = list(_config_check.settings_problems(settings, allow_unknown=args["allow_unknown_keys"]))
    try:
        declared = _declaration.declarations(
            args["runners"],
            defaults=args["runner_defaults"],
            url=args["url"],
            allow_unknown_keys=args["allow_unknown_keys"],
        )
        if faults:
            raise _declaration.DeclarationError(faults)
    except _declaration.DeclarationError as exc:
        raise AnsibleActionFail(str(exc)) from None
    # In check mode a registration before this task wrote nothing: its entries are shown as they would come.
    pending = {"token": PENDING_TOKEN} if check_mode else {}
    return _config_plan.Wanted(
        settings=settings,
        entries=tuple(
            runner.entry({} if runner.token else pending) for runner in declared if runner.state == "present"
        ),
        absent=frozenset(runner.name for runner in declared if runner.state == "absent"),
        purge=args["purge"],
        doubled=_config_plan.Doubled(args["on_doubled_entry"]),
        renamed=_config_plan.Renamed(args["on_renamed_entry"]),
    )
