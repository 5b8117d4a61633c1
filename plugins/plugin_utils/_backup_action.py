# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions around backups share: their options, and the backup program on the host."""

from __future__ import annotations

import dataclasses
import json
import shlex
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_pieces,
    _backup_request,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Bucket, Refused, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _backup_host,
    _backup_program,
    _host_action,
    _s3_client,
)

Json = dict[str, t.Any]
SHOW_SECONDS = 15.0
STATE_PATH = _backup_request.STATE_PATH

PLACE_SPEC: Json = {
    "sets_path": {"type": "path", "default": _backup_request.SETS_PATH},
}
RETENTION_SPEC: Json = {
    "keep_count": {"type": "int", "default": 7},
    "keep_days": {"type": "int", "default": 0},
}
BACKUP_SPEC: Json = {
    **PLACE_SPEC,
    **RETENTION_SPEC,
    "backup_path": {"type": "path", "default": _backup_request.BACKUP_PATH},
    "skip": {
        "type": "list",
        "elements": "str",
        "choices": [*_backup_request.PARTS, _backup_request.REMOTE],
        "default": [],
    },
    "strategy": {"type": "str", "choices": ["stream", "copy"], "default": "stream"},
    "incremental": {"type": "bool", "default": False},
    "previous": {"type": "str", "default": _backup_request.LATEST},
    "compress_cmd": {"type": "str"},
    "decompress_cmd": {"type": "str"},
    "gzip_rsyncable": {"type": "bool", "default": False},
    "max_concurrency": {"type": "int"},
    "max_storage_concurrency": {"type": "int"},
    "repositories_storages": {"type": "list", "elements": "str", "default": []},
    "repositories_paths": {"type": "list", "elements": "str", "default": []},
    "skip_repositories_paths": {"type": "list", "elements": "str", "default": []},
    "keep_in_backup_path": {"type": "bool", "default": False},
    "check_space": {"type": "bool", "default": True},
    "fingerprint": {"type": "bool", "default": True},
    "unpack_all": {"type": "bool", "default": False},
}
BUCKET_SPEC: Json = {
    "bucket": {"type": "str", "required": True},
    "prefix": {"type": "str", "default": ""},
    "region": {"type": "str"},
    "endpoint_url": {"type": "str"},
    "kms_key_id": {"type": "str"},
}

S3_SPEC: Json = {
    "type": "dict",
    "options": {
        **BUCKET_SPEC,
        "profile": {"type": "str"},
        "access_key": {"type": "str"},
        "secret_key": {"type": "str", "no_log": True},
        "session_token": {"type": "str", "no_log": True},
        "ca_path": {"type": "path"},
        "host_ca_path": {"type": "path"},
    },
    "required_together": [["access_key", "secret_key"]],
    "mutually_exclusive": [["access_key", "profile"]],
}


def s3_client(options: t.Mapping[str, t.Any]) -> t.Any:
    """A client for S3 by a task's options; raises S3Error."""
    names = [field.name for field in dataclasses.fields(_s3_client.Access)]
    return _s3_client.client(_s3_client.Access(**{name: options[name] for name in names}))


def bucket(options: t.Mapping[str, t.Any] | None, **more: t.Any) -> Bucket | None:
    """The bucket of a task's options."""
    if not options:
        return None
    known: Json = {name: options[name] for name in BUCKET_SPEC if options.get(name) is not None}
    return Bucket(**known, **more)


def request(args: t.Mapping[str, t.Any], **more: t.Any) -> Request:
    """The request that a task's arguments make; raises AnsibleActionFail where they can't be meant."""
    values = {name: args[name] for name in BACKUP_SPEC if name in args}
    if args.get("s3"):
        values["piece_size"] = _backup_pieces.DEFAULT_SIZE
    version = _backup_program.collection_version()
    try:
        return Request.from_json({**values, "tool": version, "state_path": STATE_PATH, **more})
    except Refused as exc:
        raise AnsibleActionFail(f"{exc} Nothing was changed.") from None


class BackupAction(_host_action.HostAction):
    """An action whose work on the host is done by the backup program."""

    _host_name = ""
    _state_path = STATE_PATH

    def run(self, tmp: str | None = None, task_vars: _host_action.TaskVars = None) -> _host_action.Result:
        self._host_name = str((task_vars or {}).get("inventory_hostname", ""))
        result: _host_action.Result = super().run(tmp, task_vars)
        return result

    def _say(self, words: str) -> None:
        Display().display(f"[{self._host_name}] {words}")

    def _shell(self, script: str, attempt: str, data: bytes | None = None) -> str:
        """Run a shell script on the host, unseen; raises AnsibleActionFail where it fails."""
        with self._unseen():
            answer = self._low_level_execute_command(script, in_data=data)
        if answer["rc"] != 0:
            words = (answer.get("stderr") or answer.get("stdout") or "").strip()[-300:]
            raise AnsibleActionFail(f"Could not {attempt} on the host: {words}. Check become: true, and its systemd.")
        return str(answer["stdout"])

    def _first_look(self) -> _backup_host.First:
        return _backup_host.read_first(self._shell(_backup_host.first(self._state_path), "look for the backup program"))

    def _is_installed(self, first: _backup_host.First) -> bool:
        return first.sums.get(_backup_host.PROGRAM) == _backup_program.sha256(_backup_program.build())

    def _install(self) -> None:
        self._shell(_backup_host.install(self._state_path), "install the backup program", _backup_program.build())

    def _ask(self, command: str, request: t.Mapping[str, t.Any], *, borrowed: bool = False) -> Json:
        """Run the program for a quick answer; a borrowed one lies in a temporary folder, which is removed again."""
        program = f"{self._state_path}/{_backup_host.PROGRAM}"
        folder = ""
        if borrowed:
            folder = self._make_tmp_path()
            program = self._connection._shell.join_path(folder, _backup_host.PROGRAM)
            self._shell(f"cat > {shlex.quote(program)}", "place the backup program", _backup_program.build())
        with self._unseen():
            output = self._low_level_execute_command(
                _backup_host.ask(program, command), in_data=json.dumps(request).encode()
            )
        if borrowed:
            self._remove_tmp_path(folder)
        try:
            answer = _backup_host.read_answer(output["stdout"])
        except _backup_host.HostError as exc:
            words = (output.get("stderr") or "").strip()[-300:]
            raise AnsibleActionFail(f"{exc} {words}".strip()) from None
        if answer.get("failed"):
            raise AnsibleActionFail(str(answer["msg"]))
        return answer

    def _work(self, command: str, request: t.Mapping[str, t.Any]) -> Json:
        """Have the program work in a unit of its own, and follow it to its end."""
        script = _backup_host.start(self._state_path, command)
        output = self._shell(script, "start the backup program", json.dumps(request, sort_keys=True).encode())
        return self._followed(_backup_host.read_look(output))

    def _waited(self, look: _backup_host.Look | None = None) -> _backup_host.Look:
        """Look at the program at work until it ends; it may be another's, and leave no answer here."""
        shown, said = time.monotonic(), ""
        while look is None or look.running:
            if look and look.last and look.last["stage"] != said and time.monotonic() - shown >= SHOW_SECONDS:
                said, shown = look.last["stage"], time.monotonic()
                self._say(said)
            look = _backup_host.read_look(self._shell(_backup_host.look(self._state_path), "look at the backup"))
        return look

    def _followed(self, look: _backup_host.Look) -> Json:
        """Wait for a program that was started here; returns its answer, whatever it is."""
        look = self._waited(look)
        if look.answer is None:
            raise AnsibleActionFail(
                "The backup program ended without an answer: it was killed. Look at `journalctl -u "
                f"{_backup_host.UNIT}` on the host, then run this again: it clears up what is left."
            )
        return look.answer
