# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores a backup set on a GitLab server, from the host itself or from S3."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import LATEST, Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import PIECES, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _backup_action,
    _backup_host,
    _backup_program,
    _host_action,
    _s3_client,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._restore_s3 import Shelf

OPTIONS = (
    *("pieces", "backup_path", "sets_path", "replace", "safety_backup", "check_space", "again", "accept_findings"),
    "in_upgrade",
)
ARGUMENT_SPEC: dict[str, t.Any] = {
    "set": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["restored", "prepared"], "default": "restored"},
    "pieces": {"type": "list", "elements": "str", "choices": list(PIECES), "default": list(PIECES)},
    "sets_path": _backup_action.BACKUP_SPEC["sets_path"],
    "backup_path": _backup_action.BACKUP_SPEC["backup_path"],
    "replace": {"type": "str", "default": ""},
    "safety_backup": {"type": "bool", "default": True},
    "check_space": {"type": "bool", "default": True},
    "again": {"type": "bool", "default": False},
    "accept_findings": {"type": "bool", "default": False},
    "in_upgrade": {"type": "bool", "default": False},
    "ready_timeout": {"type": "int", "default": 600},
    "s3": _backup_action.S3_SPEC,
}
SIGN_AGAIN = 5


class ActionModule(_backup_action.BackupAction):
    """gitlab_restore: have the set on the host, then start the program there and follow it."""

    _state_path = _backup_request.RESTORE_STATE_PATH

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        request = _request(args)
        try:
            shelf = self._shelf(args["s3"])
            first = self._first_look()
            if first.running:
                self._say("an earlier run is still at work on the host: waiting for it")
                self._waited()
            if not self._is_installed(first) and not self._task.check_mode:
                self._install()
            result.update(self._done(args, request, shelf))
        except (_backup_host.HostError, _s3_client.S3Error, Refused) as exc:
            raise AnsibleActionFail(f"{exc} Nothing was changed.") from None
        return result

    def _shelf(self, options: t.Mapping[str, t.Any] | None) -> Shelf | None:
        bucket = _backup_action.bucket(options)
        if not options or not bucket:
            return None
        return Shelf(_backup_action.s3_client(options), bucket)

    def _done(self, args: _host_action.Result, request: Request, shelf: Shelf | None) -> _host_action.Result:
        known = self._ask("restore-show", request.as_json(), borrowed=self._task.check_mode)
        if request.set == LATEST and known["unfinished"]:
            request = dataclasses.replace(request, set=known["unfinished"])
        fetched = False
        if shelf is not None:
            request = dataclasses.replace(request, set=shelf.resolve(request.set))
            if request.set not in known["sets"]:
                fetched = True
                if self._task.check_mode:
                    return _would_fetch(shelf, request, known)
                self._fetch(shelf, request, args["s3"])
        prepared = args["state"] == "prepared"
        answer = self._prepared(request, known) if prepared else self._restored(request)
        return {**answer, "changed": bool(answer["changed"] or fetched), "fetched": fetched}

    def _fetch(self, shelf: Shelf, request: Request, options: t.Mapping[str, t.Any]) -> None:
        text, manifest = shelf.manifest(request.set)
        for _again in range(SIGN_AGAIN):
            order = {
                "sets_path": request.sets_path,
                "manifest": text,
                "urls": shelf.urls(manifest),
                "ca_file": options["host_ca_path"],
            }
            answer = self._work("fetch", {"request": request.as_json(), "order": order})
            if not answer.get("failed"):
                return
            if not answer.get("expired"):
                break
        raise AnsibleActionFail(
            f"{answer['msg']} Nothing was restored; what was fetched stays, and the next run goes on from there."
        )

    def _prepared(self, request: Request, known: t.Mapping[str, t.Any]) -> _host_action.Result:
        check_mode = self._task.check_mode
        answer = self._ask("prepare", {"request": request.as_json(), "check_mode": check_mode}, borrowed=check_mode)
        return {**answer, "installed": known["version"]}

    def _restored(self, request: Request) -> _host_action.Result:
        if self._task.check_mode:
            return self._ask("restore-plan", request.as_json(), borrowed=True)
        answer = self._work("restore", request.as_json())
        if answer.get("failed"):
            raise AnsibleActionFail(str(answer["msg"]), result={"seconds": answer.get("seconds", {})})
        for words in answer.get("warnings", []):
            self._say(f"warning: {words}")
        hidden = ("pid", "pid_started", "stage", "state", "origin", "id")
        return {name: value for name, value in answer.items() if name not in hidden}


def _request(args: t.Mapping[str, t.Any]) -> Request:
    try:
        return Request.from_json(
            {
                "set": args["set"],
                "ready_seconds": args["ready_timeout"],
                "tool": _backup_program.collection_version(),
                **{name: args[name] for name in OPTIONS},
            }
        )
    except Refused as exc:
        raise AnsibleActionFail(f"{exc} Nothing was changed.") from None


def _would_fetch(shelf: Shelf, request: Request, known: t.Mapping[str, t.Any]) -> _host_action.Result:
    """What check mode can say of a set that is not on the host: its archives are not there to be looked into."""
    manifest = shelf.manifest(request.set)[1]
    shelf.urls(manifest)
    return {
        "changed": True,
        "fetched": True,
        "set": manifest.id,
        "version": manifest.release.version,
        "package": manifest.release.package,
        "installed": known["version"],
        "size": manifest.size,
        "msg": f"Would fetch {manifest.id} ({manifest.host}, {manifest.ended}) and restore it.",
    }
