# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a backup, each of which leaves a note of how far the set has come. Standard library of Python 3.9."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import pathlib
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_awscli,
    _backup_judge,
    _backup_plan,
    _backup_request,
    _backup_result,
    _backup_set,
    _backup_store,
    _backup_verify,
    _backup_work,
    _git_refs,
    _gitlab_fingerprint,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_pass import Seen
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Places, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_result import Recorder
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Archive, Kind, Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_work import Making, Stage
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Run, Stream

CONFIG_BACKUP = "config_backup"  # below /etc/gitlab, where gitlab-ctl backup-etc writes
FINGERPRINT_PARTS = ("database", "repositories", "secrets")


class BackupFailed(Exception):
    """There is no new set; the text says what failed and what to do.

    keep says whether what was made is worth keeping: not where space ran out, or where it was stopped.
    """

    def __init__(self, words: str, *, keep: bool = True) -> None:
        self.keep = keep
        super().__init__(words)


@dataclasses.dataclass(frozen=True)
class Host:
    """What a backup works with; tests hand in others."""

    run: Run
    stream: Stream
    recorder: Recorder
    places: Places = dataclasses.field(default_factory=Places)
    now: t.Callable[[], float] = time.time


def fingerprint(request: Request, host: Host) -> dict[str, t.Any] | None:
    if not request.fingerprint:
        return None
    with host.recorder.timed("fingerprint"):
        return _gitlab_fingerprint.take(host.run, FINGERPRINT_PARTS).as_dict()


def configuration(request: Request, host: Host, making: Making) -> Making:
    with host.recorder.timed("gitlab"):
        done = host.run([host.places.ctl, "backup-etc", "--no-delete-old-backups"], timeout=3600)
    said = _backup_judge.configuration(done.rc, done.stdout, done.stderr)
    source = pathlib.Path(host.places.secrets).parent / CONFIG_BACKUP / said.path if said.path else None
    if said.faults or source is None:
        if source:  # cut off, under its final name: with some of the secrets, and in the way where the disk is full
            source.unlink(missing_ok=True)
        raise BackupFailed(
            f"gitlab-ctl backup-etc failed: {'; '.join(said.faults)}. There is no new set.", keep=not said.full
        )
    walker = _backup_verify.configuration_walker()
    target = _backup_work.folder(request.sets_path, making.id) / source.name
    seen = _backup_work.take_in(source, target, walker, request.piece_size)
    source.unlink()
    faults = _backup_verify.configuration_faults(seen.contents, _sha256(host.places.secrets))
    if faults:
        raise BackupFailed(f"The archive of /etc/gitlab is not good: {'; '.join(faults)}. There is no new set.")
    making = dataclasses.replace(
        making,
        stage=Stage.APPLICATION,
        configuration=_archive(Kind.CONFIGURATION, target.name, seen),
        secrets_sha256=seen.contents.sums[_backup_verify.SECRETS],
        warnings=said.warnings,
    )
    _backup_work.note(request.sets_path, making)
    return making


def application(request: Request, host: Host, making: Making, plan: _backup_plan.Plan) -> Making:
    """GitLab's own backup, judged by all that it said."""
    if plan.previous:
        making = _link_previous(request, making, plan.previous)
    previous = plan.previous.id if plan.previous else None
    said = _dumped(host, making.id, _backup_request.arguments(request, making.id, previous))
    if said.faults:
        raise BackupFailed(
            f"GitLab's backup failed: {'; '.join(said.faults[:5])}. There is no new set, and earlier ones are as they "
            f"were. {'Make room for it' if said.full else 'Mend that'}, then run this again.",
            keep=not said.full,
        )
    if not making.archive.exists():
        raise BackupFailed(
            f"GitLab said that the backup is done, but there is no {making.archive}. Give as backup_path what "
            "gitlab_rails['backup_path'] says."
        )
    if making.secrets_sha256 != _sha256(host.places.secrets):
        raise BackupFailed(
            f"{host.places.secrets} changed while the backup was made, as a reconfigure does: the archives may not fit "
            "together. There is no new set. Run this again."
        )
    making = dataclasses.replace(
        making,
        stage=Stage.VERIFICATION,
        states=dict(said.parts),
        warnings=(*making.warnings, *said.warnings),
        fingerprint_after=fingerprint(request, host),
    )
    _backup_work.note(request.sets_path, making)
    return making


def _dumped(host: Host, set_id: str, arguments: t.Sequence[str]) -> _backup_judge.Judgement:
    lines: list[str] = []

    def on_line(line: str) -> None:
        if not _backup_judge.matters(line):
            return
        lines.append(line)
        step = _backup_judge.step(line)
        if step:
            host.recorder.stage(step)

    with host.recorder.timed("gitlab"):
        done = host.stream(_with_connection(host.places, [host.places.rake, *arguments]), on_line)
    return _backup_judge.application(done.rc, "\n".join([*lines, done.stderr]), set_id)


def _link_previous(request: Request, making: Making, previous: _backup_store.Kept) -> Making:
    """Let GitLab find the archive that an incremental backup builds on."""
    name = _backup_set.archive_name(previous.id)
    link = pathlib.Path(request.backup_path) / name
    if link.exists():
        return making
    making = dataclasses.replace(making, previous=str(link))
    _backup_work.note(request.sets_path, making)
    os.link(pathlib.Path(previous.path) / name, link)
    _backup_work.hand_over(link)  # one that was fetched is root's
    return making


def _with_connection(places: Places, argv: t.Sequence[str]) -> list[str]:
    """As gitlab-backup does since 18.11 and gitlab-rake does not: a backup role's connection (server facts 1.1)."""
    files = [f"{places.connection_env}/{name}" for name in ("env-connection", "env-backup_user")]
    there = [file for file in files if pathlib.Path(file).exists()]
    if not there:
        return list(argv)
    script = 'set -a; while test "$1" != --; do . "$1"; shift; done; shift; exec "$@"'
    return ["/bin/sh", "-c", script, "sh", *there, "--", *argv]


def finish(request: Request, host: Host, making: Making) -> Manifest:
    """Read the archive once and seal the set. Can be done again. Raises BackupFailed and OSError."""
    host.recorder.stage("reading the archive", id=making.id)
    target = _backup_work.folder(request.sets_path, making.id) / _backup_set.archive_name(making.id)
    with host.recorder.timed("pass"):
        size = (making.archive if making.archive.exists() else target).stat().st_size
        walker = _backup_verify.application_walker(size, unpack_all=request.unpack_all)
        seen = _backup_work.take_in(making.archive, target, walker, request.piece_size)
    release, empty, unknown = making.release.version, _empty(making.fingerprint_before), _unknown(making)
    faults = _backup_verify.application_faults(seen.contents, making.states, making.id, release, empty, unknown)
    if faults:
        raise BackupFailed(f"The backup is not good: {'; '.join(faults)}. There is no new set. Run this again.")
    manifest = _manifest(request, host, making, seen)
    url = request.copy_url(making.id)
    if url:  # from here on whoever comes copies it, however this run ends
        _backup_awscli.note_begun(str(_backup_work.folder(request.sets_path, making.id)), url, {})
    _backup_work.seal(request.sets_path, making, manifest)
    _backup_work.settle(request.sets_path, making, keep=request.keep_in_backup_path)
    _backup_work.drop_failed(request.sets_path)
    return manifest


def _empty(before: t.Mapping[str, t.Any] | None) -> tuple[str, ...]:
    """Parts that have nothing to dump: a server where nobody has pushed yet has no repositories to back up."""
    found = before["repositories"] if before else None
    none = found is not None and all(digest == _git_refs.EMPTY for digest in found.values())
    return ("repositories",) if none else ()


def _unknown(making: Making) -> tuple[str, ...]:
    """Parts that may have nothing to dump: repositories that nobody counted, or of which only some were asked for."""
    found = making.fingerprint_before["repositories"] if making.fingerprint_before else None
    limits = ("repositories_storages", "repositories_paths", "skip_repositories_paths")
    return ("repositories",) if found is None or any(making.options.get(name) for name in limits) else ()


def _manifest(request: Request, host: Host, making: Making, seen: Seen) -> Manifest:
    parts = _backup_verify.parts(seen.contents, making.states)
    archive = _archive(Kind.APPLICATION, _backup_set.archive_name(making.id), seen, parts)
    return Manifest(
        id=making.id,
        release=making.release,
        archives=(archive, *([making.configuration] if making.configuration else [])),
        host=making.host,
        began=making.began,
        ended=_backup_result.stamp(host.now()),
        tool=request.tool,
        options=dict(making.options),
        information=_backup_verify.information(seen.contents),
        secrets_sha256=making.secrets_sha256,
        fingerprint_before=dict(making.fingerprint_before) if making.fingerprint_before else None,
        fingerprint_after=dict(making.fingerprint_after) if making.fingerprint_after else None,
        warnings=making.warnings,
    )


def _archive(kind: str, file: str, seen: Seen, parts: tuple[_backup_set.Part, ...] = ()) -> Archive:
    return Archive(kind, file, seen.size, seen.sha256, seen.contents.members, parts, seen.pieces)


def _sha256(path: str) -> str | None:
    with contextlib.suppress(OSError):
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    return None
