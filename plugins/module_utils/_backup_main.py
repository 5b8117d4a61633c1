# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that runs on the host: what a playbook starts there, and what the timer does. Standard library.

C(backup.pyz COMMAND REQUEST ANSWER): both are files, or - for standard input and output; JSON.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import sys
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_awscli,
    _backup_lock,
    _backup_make,
    _backup_pieces,
    _backup_plan,
    _backup_result,
    _backup_send,
    _backup_set,
    _backup_store,
    _host_command,
    _host_signals,
    _restore_main,
    _upgrade_main,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Places, Refused, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import BackupFailed, Host

Json = dict[str, t.Any]
FAILURES = (
    Refused,
    _backup_lock.Busy,
    BackupFailed,
    _backup_set.SetError,
    _backup_awscli.CopyFailed,
    *_restore_main.FAILURES,
    *_upgrade_main.FAILURES,
)
NOTE_SECONDS = 60.0


def create(request: Request) -> Json:
    """Make a set and, where it goes to S3 from here, copy it; then remove what retention lets go."""
    recorder = _backup_result.Recorder(request.state_path, request.origin)
    host = Host(_host_command.run, _host_command.stream, recorder)
    with _backup_lock.hold(request.state_path, f"A backup by the {request.origin}"):
        recorder.begin()
        try:
            with _host_signals.raised(_stopped):  # so that it clears up after itself
                return _created(request, host)
        except FAILURES as exc:
            return {"failed": True, "msg": str(exc), **recorder.failed(str(exc))}


def _stopped(name: str) -> BackupFailed:
    return BackupFailed(f"The backup was stopped ({name}).", keep=False)


def _created(request: Request, host: Host) -> Json:
    if request.bucket is not None:
        _backup_awscli.check(request.bucket, host.run)
    manifest, recovered = _backup_make.make(request, host)
    url = _copied(request, host, manifest.id) if request.bucket is not None else None
    removed = _backup_make.prune(request, host) if request.prune else []
    known = host.recorder.succeeded(id=manifest.id, recovered=recovered, removed=removed, url=url)
    return {**known, **summary(_backup_store.find(request.sets_path, manifest.id))}


def _copied(request: Request, host: Host, set_id: str) -> str:
    """Copy the new set, and whatever copies were left unfinished; returns the new one's URL."""
    bucket = t.cast("t.Any", request.bucket)
    with host.recorder.timed("copy"):
        for kept in _backup_store.good(_backup_store.sets(request.sets_path)):
            if kept.id == set_id or _backup_awscli.is_unfinished(kept, bucket.url(kept.id)):
                _backup_awscli.copy(kept, bucket, host.run, host.recorder.stage)
    return str(bucket.url(set_id))


def plan(request: Request) -> Json:
    """What create would do, and what it would refuse; changes nothing."""
    return _backup_plan.plan(request, Places(), _host_command.run, time.time()).as_json()


def show(request: Request) -> Json:
    """The sets of this host and the last result."""
    return {
        "sets": [summary(kept) for kept in _backup_store.sets(request.sets_path)],
        "last": _backup_result.read(request.state_path),
    }


def summary(kept: _backup_store.Kept) -> Json:
    """A set as people and playbooks want it; archives without their long lists."""
    found: Json = {"id": kept.id, "condition": kept.condition, "path": kept.path, "problem": kept.problem}
    if kept.manifest is None:
        return found
    manifest = kept.manifest
    return {
        **found,
        "version": manifest.release.version,
        "edition": manifest.release.edition,
        "host": manifest.host,
        "origin": manifest.options.get("origin"),
        "began": manifest.began,
        "ended": manifest.ended,
        "size": manifest.size,
        "skipped_parts": list(manifest.skipped),
        "warnings": list(manifest.warnings),
        "archives": [
            {name: getattr(archive, name) for name in ("kind", "file", "size", "sha256")}
            for archive in manifest.archives
        ],
        "copies": {url: known.get("state") for url, known in kept.copies.items()},
    }


def pieces(data: Json) -> Json:
    """The files of a set in pieces, for who signs their upload; and which others are to be copied there still."""
    request = Request.from_json(data["request"])
    kept = _backup_store.find(request.sets_path, data["id"])
    found = _backup_pieces.files(kept, request.piece_size or _backup_pieces.DEFAULT_SIZE)
    others = [one for one in _backup_store.good(_backup_store.sets(request.sets_path)) if one.id != kept.id]
    return {
        "id": kept.id,
        "files": [dataclasses.asdict(file) for file in found],
        "copies": dict(kept.copies),
        "unfinished": [one.id for one in others if _backup_awscli.is_unfinished(one, request.copy_url(one.id))],
    }


def send(request: Json) -> Json:
    """Send pieces to signed URLs."""
    kept = _backup_store.find(request["sets_path"], request["id"])
    orders = [_backup_send.Order.from_json(one) for one in request["orders"]]
    sent = _backup_send.send(kept.path, orders, ca_file=request.get("ca_file"))
    return {"sent": [dataclasses.asdict(one) for one in sent]}


def note(data: Json) -> Json:
    """Write down what is known of a copy; once it is there, retention may let others go. error is why it is not."""
    request = Request.from_json(data["request"])
    kept = _backup_store.find(request.sets_path, data["id"])
    _backup_store.note_copy(kept.path, data["url"], data["copy"])
    if data["copy"]["state"] == _backup_awscli.UNFINISHED and not data.get("error"):
        return {}
    recorder = _backup_result.Recorder(request.state_path, request.origin)
    recorder.take_up(kept.id)
    if data.get("error"):
        return recorder.failed(data["error"])
    host = Host(_host_command.run, _host_command.stream, recorder)
    with _backup_lock.hold(request.state_path, f"A backup by the {request.origin}", wait=NOTE_SECONDS):
        removed = _backup_make.prune(request, host) if request.prune else []
        return recorder.succeeded(id=kept.id, removed=removed, url=data["url"])


COMMANDS: dict[str, t.Callable[[Json], Json]] = {
    "create": lambda request: create(Request.from_json(request)),
    "plan": lambda request: plan(Request.from_json(request)),
    "list": lambda request: show(Request.from_json(request)),
    "pieces": pieces,
    "send": send,
    "note": note,
    **_restore_main.COMMANDS,
    **_upgrade_main.COMMANDS,
}
# A request of that name is for one run: it is removed once it is read, as it may have signed URLs in it, which are as
# good as credentials.
ONCE = "once."


def _request(source: str) -> str:
    if source == "-":
        return sys.stdin.read()
    file = pathlib.Path(source)
    text = file.read_text("utf-8")
    if file.name.startswith(ONCE):
        file.unlink()
    return text


def checksum(request: str) -> str:
    """What the answer says of the request that it is to, so that nobody takes it for that to another."""
    return hashlib.sha256(request.encode()).hexdigest()


def main(argv: t.Sequence[str]) -> int:
    if len(argv) != 3 or argv[0] not in COMMANDS:
        sys.stderr.write(f"usage: backup.pyz {'|'.join(COMMANDS)} REQUEST ANSWER\n")
        return 2
    command, source, target = argv
    request = _request(source)
    try:
        answer = COMMANDS[command](json.loads(request))
    except FAILURES as exc:
        answer = {"failed": True, "msg": str(exc)}
    if target == "-":
        sys.stdout.write(json.dumps(answer) + "\n")
    else:
        _backup_store.write_json(pathlib.Path(target), {**answer, "asked": checksum(request)})
    if answer.get("failed"):
        sys.stderr.write(f"{answer['msg']}\n")  # for the journal
    return 1 if answer.get("failed") else 0
