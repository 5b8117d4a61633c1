# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a backup set on a GitLab server, and copies it to S3 where that is asked for."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import typing as t

from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_main, _backup_pieces, _backup_send
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Bucket, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _backup_action,
    _backup_host,
    _backup_s3,
    _host_action,
    _s3_client,
)

ARGUMENT_SPEC: dict[str, t.Any] = {
    **_backup_action.BACKUP_SPEC,
    "s3": _backup_action.S3_SPEC,
}
UNFINISHED, COMPLETE = "unfinished", "complete"


class ActionModule(_backup_action.BackupAction):
    """gitlab_backup: start, follow, sign what is to be sent."""

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        result: _host_action.Result = super().run(tmp, task_vars)
        args = self._arguments(ARGUMENT_SPEC)
        bucket = _backup_action.bucket(args["s3"])
        request = _backup_action.request(args, prune=bucket is None, copies_to=bucket.url("") if bucket else "")
        try:
            s3 = self._client(args["s3"], bucket) if bucket else None
            first = self._first_look()
            if self._task.check_mode:
                answer = self._ask("plan", request.as_json(), borrowed=True)
                result.update({"changed": True, **answer, "url": f"{bucket.url('')}/" if bucket else None})
            else:
                result.update(self._made(request, first, args["s3"], s3, bucket))
        except (_backup_host.HostError, _s3_client.S3Error) as exc:
            raise AnsibleActionFail(f"{exc} Nothing was changed.") from None
        return result

    def _client(self, options: t.Mapping[str, t.Any], bucket: Bucket) -> t.Any:
        """A client whose bucket is there; what is wrong with it is said before a backup is made."""
        s3 = _backup_action.s3_client(options)
        _backup_s3.Copier(s3, bucket, "", t.cast(t.Any, None), self._say).check()
        return s3

    def _made(
        self,
        request: Request,
        first: _backup_host.First,
        options: t.Mapping[str, t.Any] | None,
        s3: t.Any,
        bucket: Bucket | None,
    ) -> _host_action.Result:
        earlier = self._earlier(request, first) if first.running else None
        if not self._is_installed(first):
            self._install()
        answer = earlier or self._work("create", request.as_json())
        if answer.get("failed"):
            raise AnsibleActionFail(str(answer["msg"]), result={"last": _shown(answer)})
        for words in answer.get("recovered", []):
            self._say(words)
        if bucket is not None and options is not None:
            answer.update(self._copies(request, str(answer["id"]), options, s3, bucket))
        return {"changed": True, "adopted": earlier is not None, **_shown(answer)}

    def _earlier(self, request: Request, first: _backup_host.First) -> dict[str, t.Any] | None:
        """Wait for what is at work; its set is this task's where it was asked for the same, and only now made."""
        self._say("an earlier run is still at work on the host: waiting for it")
        look = self._waited()
        same = look.asked == _backup_main.checksum(json.dumps(request.as_json(), sort_keys=True))
        if first.answered or not same or look.answer is None:
            return None
        return look.answer if look.answer.get("id") and not look.answer.get("failed") else None

    def _copies(
        self, request: Request, set_id: str, options: t.Mapping[str, t.Any], s3: t.Any, bucket: Bucket
    ) -> _host_action.Result:
        """Copy the new set, then what earlier runs left half way; retention comes when all of it is there."""
        copied: list[str] = []
        todo = [set_id]
        for one in todo:
            job = _Job(self, request, one, bucket, options.get("host_ca_path"))
            answer = self._ask("pieces", {"request": request.as_json(), "id": one})
            if one == set_id:
                todo += answer["unfinished"]
            job.uploads = dict(answer["copies"].get(job.url, {}).get("uploads", {}))
            files = [_backup_pieces.from_json(file) for file in answer["files"]]
            try:
                checksums = _backup_s3.Copier(s3, bucket, one, job, self._say).copy(files, job.uploads)
            except (_s3_client.S3Error, AnsibleActionFail, _backup_host.HostError) as exc:
                with contextlib.suppress(AnsibleActionFail):
                    job.failed(str(exc))
                raise AnsibleActionFail(f"The set {one} is good on the host, but not its copy: {exc}") from None
            note = job.done(checksums, prune=one == todo[-1])
            copied.append(job.url)
        return {"copied": copied, "removed": note.get("removed", []), "url": copied[0]}


class _Job:
    """The host's side of one copy."""

    def __init__(
        self, action: ActionModule, request: Request, set_id: str, bucket: Bucket, ca_file: str | None
    ) -> None:
        self._action = action
        self._request = request
        self._set_id = set_id
        self._ca_file = ca_file
        self.url = bucket.url(set_id)
        self.uploads: dict[str, str] = {}

    def send(self, orders: t.Sequence[_backup_send.Order]) -> _backup_s3.SENT:
        request = {
            "sets_path": self._request.sets_path,
            "id": self._set_id,
            "orders": [dataclasses.asdict(order) for order in orders],
            "ca_file": self._ca_file,
        }
        answer = self._action._work("send", request)
        if answer.get("failed"):
            raise AnsibleActionFail(str(answer["msg"]))
        return t.cast(_backup_s3.SENT, answer["sent"])

    def note(self, uploads: t.Mapping[str, str]) -> None:
        self.uploads = dict(uploads)
        self._note({"state": UNFINISHED, "uploads": self.uploads})

    def failed(self, error: str) -> None:
        self._note({"state": UNFINISHED, "uploads": self.uploads}, error=error)

    def done(self, checksums: t.Mapping[str, str], *, prune: bool) -> dict[str, t.Any]:
        return self._note({"state": COMPLETE, "checksums": dict(checksums)}, prune=prune)

    def _note(self, copy: t.Mapping[str, t.Any], *, prune: bool = False, **more: str) -> dict[str, t.Any]:
        request = dataclasses.replace(self._request, prune=prune).as_json()
        return self._action._ask(
            "note", {"request": request, "id": self._set_id, "url": self.url, "copy": copy, **more}
        )


def _shown(answer: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What a task returns of the program's answer."""
    hidden = ("failed", "msg", "pid", "pid_started", "stage", "state", "origin", "condition", "problem", "copies")
    return {name: value for name, value in answer.items() if name not in hidden}
