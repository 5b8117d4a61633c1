# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backs up a runner's configuration on its host, and puts such a copy back."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _drain_action,
    _host_action,
    _upgrade_action,
    _upgrade_config,
    _upgrade_plan,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    "state": {"type": "str", "choices": ["present", "restored"], "default": "present"},
    "name": {"type": "str", "default": ""},
    "config_path": {"type": "path", "default": "/etc/gitlab-runner/config.toml"},
    "service": {"type": "str", "default": "gitlab-runner"},
    "backup_count": {"type": "int", "default": 5},
}


class ActionModule(_upgrade_action.UpgradeAction):
    """gitlab_runner_backup: one small write, or one read and one write."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        try:
            result.update(self._made(args) if args["state"] == "present" else self._put_back(args, task_vars))
        except (_upgrade_config.BackupError, _upgrade_plan.UpgradeError) as exc:
            raise AnsibleActionFail(f"Nothing was changed: {exc}") from None
        return result

    def _made(self, args: _host_action.Result) -> _host_action.Result:
        state = self._read_all(args["config_path"], args["service"])
        if state.config.content is None:
            raise _upgrade_config.BackupError(f"There is no {args['config_path']} to back up.")
        if self._task.check_mode:
            return {"changed": True}
        path = _upgrade_plan.journal_path(args["service"])
        journal = _upgrade_plan.loaded(state.files.get(path), path)
        kept = journal.backup.rpartition("/")[2] if journal else ""
        folder = self._backup(args["config_path"], args["service"], count=args["backup_count"], kept=kept)
        return {"changed": True, "backup": folder, "sha256": state.config.sha256}

    def _put_back(self, args: _host_action.Result, task_vars: _host_action.TaskVars) -> _host_action.Result:
        kept = self._read_backup(args["service"], args["name"])
        if kept.text is None:
            raise _upgrade_config.BackupError(f"The backup {kept.name} was made where there was no config.toml.")
        ask = _drain_action.Ask(args["config_path"], args["service"], 0.0, False, 0)
        state = self._read_host(args["config_path"])
        before = _host_action.text_of(state.config) or ""
        changed = self._restore(ask, kept.text, task_vars)
        result: _host_action.Result = {"changed": changed, "name": kept.name, "backups": list(kept.names)}
        if self._task.diff and changed:
            after = _upgrade_config.restored(kept.text, before, state.config.path)
            result["diff"] = [_upgrade_config.diff(before, after, state.config.path)]
        return result
