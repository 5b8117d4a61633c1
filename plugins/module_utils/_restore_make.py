# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restores a set on this host: looks, decides, reads the archives once, then acts. Standard library of Python 3.9."""

from __future__ import annotations

import pathlib
import tarfile
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_lock,
    _backup_result,
    _backup_set,
    _backup_store,
    _restore_archive,
    _restore_config,
    _restore_journal,
    _restore_look,
    _restore_plan,
    _restore_services,
    _restore_steps,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import LATEST, Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import BackupFailed, Host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_store import Kept
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_journal import Step
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Places, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_steps import RestoreFailed, Work

ORIGIN = "restore"
FAILURES = (RestoreFailed, _restore_services.ServiceError, BackupFailed, Refused, _backup_lock.Busy, OSError)
_STEPS: t.Mapping[str, t.Callable[[Work], None]] = {
    Step.STOP: _restore_steps.stop,
    Step.KEEP: _restore_steps.keep,
    Step.CONFIGURE: _restore_steps.configure,
    Step.LOAD: _restore_steps.load,
    Step.RECONFIGURE: _restore_steps.reconfigure,
    Step.PROVE: _restore_steps.prove,
    Step.START: _restore_steps.start,
    Step.CHECK: _restore_steps.check,
}


def restore(request: Request, host: Host, places: Places, *, check_mode: bool = False) -> dict[str, t.Any]:
    """Restore, or say what would be done. The caller holds the lock.

    Raises Refused or Busy where nothing was changed, RestoreFailed otherwise.
    """
    kept = find(request)
    manifest = kept.manifest
    if manifest is None:
        raise Refused(f"The set {kept.id} has no manifest.")
    host.recorder.stage("looking at the host", id=manifest.id)
    entries = entries_of(kept, manifest) if request.configuration else []
    changes = _restore_config.changes(entries, places.etc)
    with host.recorder.timed("fingerprint"):
        facts = _facts(request, manifest, host, places)
    plan = _restore_plan.plan(request, manifest, facts, changes, _backup_result.stamp(host.now()))
    result = {"changed": bool(plan.steps), "version": manifest.release.version, **plan.as_json()}
    if not plan.steps:
        return {**result, "msg": _restore_plan.SAME, "kept": facts.journal.kept if facts.journal else None}
    if request.data and not plan.journal.loaded:
        host.recorder.stage("reading the archive")
        with host.recorder.timed("pass"):
            _restore_archive.verify_application(request, kept, place=not check_mode)
    if check_mode:
        return result
    work = Work(request, host, places, kept, manifest, entries, plan, plan.journal, warnings=list(plan.warnings))
    return {**result, **_carry_out(work)}


def find(request: Request) -> Kept:
    """The set that is meant: by "latest" the one of an unfinished restore, else the newest that no restore made."""
    if request.set != LATEST:
        return _refusing(lambda: _backup_store.find(request.sets_path, request.set))
    journal = journal_of(request)
    if journal is not None and not journal.done:
        return _refusing(lambda: _backup_store.find(request.sets_path, journal.set))
    for one in reversed(_backup_store.good(_backup_store.sets(request.sets_path))):
        if one.manifest and one.manifest.options.get("origin") != ORIGIN:
            return one
    raise Refused(f"There is no good set in {request.sets_path}; fetch one from S3, or make one first.")


def journal_of(request: Request) -> _restore_journal.Journal | None:
    return _refusing(lambda: _restore_journal.read(request.state_path))


_T = t.TypeVar("_T")


def _refusing(look: t.Callable[[], _T]) -> _T:
    try:
        return look()
    except (_backup_set.SetError, ValueError) as exc:
        raise Refused(str(exc)) from None


def _facts(request: Request, manifest: Manifest, host: Host, places: Places) -> _restore_look.Facts:
    return _refusing(lambda: _restore_look.look(request, manifest, host.run, host.places, places))


def entries_of(kept: Kept, manifest: Manifest) -> list[_restore_config.Entry]:
    """The configuration archive, verified; it is small."""
    archive = manifest.configuration
    _restore_archive.verify(kept, archive, pathlib.Path(kept.path) / archive.file)
    try:
        return _restore_config.read(pathlib.Path(kept.path) / archive.file)
    except (_restore_config.UnsafeArchive, tarfile.TarError, OSError) as exc:
        raise Refused(f"{archive.file} of the set {kept.id} can't be used, and nothing was changed: {exc}.") from None


def _carry_out(work: Work) -> dict[str, t.Any]:
    step = work.plan.steps[0]
    try:
        for step in work.plan.steps:
            # On the way to where an earlier run came, its place stays noted.
            reached = _restore_journal.STEPS.index(step) >= _restore_journal.STEPS.index(work.journal.step)
            work.note(**({"step": step} if reached else {}))
            _STEPS[step](work)
    except FAILURES as exc:
        raise _explained(work, step, exc) from None
    work.note(step=Step.DONE, ended=_backup_result.stamp(work.host.now()))
    return {
        "kept": work.journal.kept,
        "aside": list(work.journal.aside),
        "warnings": work.warnings,
        **{name: work.found.get(name, []) for name in ("doctor", "check", "differences")},
    }


def _explained(work: Work, step: str, exc: BaseException) -> RestoreFailed:
    """What failed, where things stand, and how to go on. Before anything was changed, what was stopped is started."""
    if work.journal.touched:
        return RestoreFailed(f"{exc} {_restore_journal.stands(work.journal)}")
    running = [name for name in _restore_services.WRITERS if name in work.journal.running]
    try:
        _restore_services.start(work.host.run, running)
    except _restore_services.ServiceError as second:
        return RestoreFailed(
            f"{exc} {_restore_journal.stands(work.journal)} Starting what was stopped failed: {second}."
        )
    _restore_journal.forget(work.request.state_path)
    again = (
        ""
        if step != Step.KEEP
        else (" No set of what is there now could be made: mend that, or waive it (safety_backup: false).")
    )
    return RestoreFailed(f"{exc} Nothing was changed, and the services run as before.{again}")
