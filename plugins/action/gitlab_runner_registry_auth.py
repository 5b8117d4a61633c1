# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the credentials of container registries in the file that the runner reads."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _host_action,
    _host_read,
    _host_write,
    _registry_auth,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    "registries": {"type": "dict", "required": True},
    "service": {"type": "str", "default": "gitlab-runner"},
}
TRIES = 5


class ActionModule(_host_action.HostAction):
    """gitlab_runner_registry_auth: one read, and a guarded write for each file that differs."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        plan = self._brought_about(args)
        result.update(changed=bool(plan.writes), path=_registry_auth.CONFIG, set=plan.set, removed=plan.removed)
        if self._task.diff and plan.writes:
            lines = [*(f"+{host}" for host in plan.set), *(f"-{host}" for host in plan.removed)]
            result["diff"] = [{"prepared": f"{_registry_auth.CONFIG}:\n" + "\n".join(lines) + "\n"}]
        return result

    def _brought_about(self, args: _host_action.Result) -> _registry_auth.RegistryPlan:
        """Plan and write; where someone else writes meanwhile, plan again from what they wrote."""
        files = (_registry_auth.CONFIG, _registry_auth.RECORD)
        for _try in range(TRIES):
            state = self._read_host(_host_read.DEFAULT_CONFIG_PATH, files=files)
            try:
                plan = _registry_auth.plan(state.files, args["service"], args["registries"])
            except _registry_auth.RegistryError as exc:
                raise AnsibleActionFail(f"Nothing was changed: {exc}") from None
            if self._task.check_mode or all(self._written(write) for write in plan.writes):
                return plan
        raise AnsibleActionFail(
            f"Could not write {_registry_auth.CONFIG}: it was changed by someone else {TRIES} times while this task "
            "wrote it. Look for what else rewrites the file, then run this again."
        )

    def _written(self, write: _registry_auth.Write) -> bool:
        """Write one file, mode 0600; False where it is no longer the one that was read."""
        command = write.guard() + _host_write.command(write.path, write.content)
        with self._unseen():
            answer = self._low_level_execute_command(command, in_data=write.content.encode())
        if answer["rc"] not in (0, _registry_auth.CONFLICT):
            words = (answer.get("stderr") or answer.get("stdout") or "").strip()[-300:]
            raise AnsibleActionFail(
                f"Could not write {write.path} on the host: {words}. Check space and permissions of its directory, and "
                "become: true, then run this again."
            )
        return bool(answer["rc"] == 0)
