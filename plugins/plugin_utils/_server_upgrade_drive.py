# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions that upgrade a server and go back share: the program on the host, driven stop by stop."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_request
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _backup_action,
    _backup_program,
    _host_action,
)

Json = dict[str, t.Any]
SPEC: Json = {
    "sets_path": _backup_action.BACKUP_SPEC["sets_path"],
    "backup_path": _backup_action.BACKUP_SPEC["backup_path"],
    "check_space": _backup_action.BACKUP_SPEC["check_space"],
    "ready_timeout": {"type": "int", "default": 900},
}
_OF_BACKUP = ("sets_path", "backup_path", "check_space")
_SHOWN = ("id", "version", "stops", "set", "aside", "warnings", "seconds")


class ServerUpgradeAction(_backup_action.BackupAction):
    """An action that drives the upgrade's side of the program on the host."""

    _state_path = _backup_request.UPGRADE_STATE_PATH
    _is_there = False

    def _request(self, args: t.Mapping[str, t.Any], **more: t.Any) -> Json:
        backup = {**{name: args[name] for name in _OF_BACKUP}, "tool": _backup_program.collection_version()}
        return {"backup": backup, "ready_seconds": args["ready_timeout"], **more}

    def _settle(self) -> None:
        """Wait for what an earlier run has begun on the host: its journal tells what became of it."""
        first = self._first_look()
        if first.running and not self._task.check_mode:
            self._say("an earlier run is still at work on the host: waiting for it")
            self._waited()
        self._is_there = self._is_installed(first)

    def _driven(self, command: str, request: Json) -> Json:
        """Have the host do one stop after the other; the answer at the end, whatever it is."""
        if not self._is_there:
            self._install()
        executions = 0
        while True:
            answer = self._work(command, request)
            executions += 1
            for words in answer.get("warnings", []):
                self._say(f"warning: {words}")
            if answer.get("failed"):
                raise AnsibleActionFail(str(answer["msg"]), result=shown(answer))
            if answer["state"] == "closed":
                return {**answer, "runs": executions}
            if answer["state"] == "stop done":
                self._say(f"{answer['version']} is done, its backup set is {answer['set']}")
                request = {**request, "stops": []}
                continue
            request = self._helped(answer, request)

    def _helped(self, answer: Json, request: Json) -> Json:
        """Do what the host can't; returns the request to go on with."""
        raise AnsibleActionFail(f"The program on the host asks for {answer['state']!r}, which this version can't do.")


def shown(answer: t.Mapping[str, t.Any]) -> _host_action.Result:
    """What a task returns of the program's answer."""
    return {name: answer[name] for name in _SHOWN if name in answer}
