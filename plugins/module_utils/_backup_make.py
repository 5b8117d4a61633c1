# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a set, and clears up what earlier runs left half way. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_lock,
    _backup_plan,
    _backup_result,
    _backup_space,
    _backup_steps,
    _backup_store,
    _backup_work,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import BackupFailed, Host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_work import Making, Stage


def make(request: Request, host: Host) -> tuple[Manifest, list[str]]:
    """Make a set; returns its manifest, and what was done about sets that were left unfinished.

    The caller holds the lock. Raises Refused or Busy where nothing was changed, BackupFailed otherwise.
    """
    recovered = recover(request, host)
    plan = _backup_plan.plan(request, host.places, host.run, host.now())
    _backup_store.prepare(request.sets_path)
    making = _begin(request, host, plan)
    try:
        making = _backup_steps.configuration(request, host, making)
        making = _backup_steps.application(request, host, making, plan)
        manifest = _backup_steps.finish(request, host, making)
    except (BackupFailed, OSError) as exc:
        raise _cleared(request, making.id, exc) from None
    return manifest, recovered


def recover(request: Request, host: Host) -> list[str]:
    """Finish or remove what runs left that were killed; says what was done. The caller holds the lock."""
    at_work = _backup_lock.gitlab_at_work(host.places.pid_file)
    if at_work:
        raise _backup_lock.Busy(at_work)
    said = []
    for one in _backup_store.sets(request.sets_path):
        making = _backup_work.noted(one.path)
        if one.condition == _backup_store.Condition.GOOD and making is not None:
            _backup_work.settle(request.sets_path, making, keep=request.keep_in_backup_path)
            said.append(f"cleared up behind {one.id}, which an earlier run had sealed")
        if one.condition != _backup_store.Condition.UNFINISHED:
            continue
        if making is None:
            _backup_store.remove(one)
            said.append(f"removed what was left of {one.id}")
        elif making.stage == Stage.VERIFICATION:
            said.append(_finished(request, host, making))
        else:
            _backup_work.throw_away(request.sets_path, making)
            said.append(f"removed {one.id}: an earlier run was stopped before GitLab was done with it")
    return said


def _finished(request: Request, host: Host, making: Making) -> str:
    try:
        _backup_steps.finish(request, host, making)
    except BackupFailed as exc:
        return f"gave up {making.id}, which an earlier run left unfinished: {_cleared(request, making.id, exc)}"
    except OSError as exc:
        raise _cleared(request, making.id, exc) from None
    return f"finished {making.id}, which an earlier run had made but not sealed"


def _cleared(request: Request, set_id: str, exc: BackupFailed | OSError) -> BackupFailed:
    """What a failed backup leaves is kept aside, removed, or left for the next run to finish."""
    making = _backup_work.noted(str(_backup_work.folder(request.sets_path, set_id)))
    judged = isinstance(exc, BackupFailed) and exc.keep
    words = str(exc) if isinstance(exc, BackupFailed) else f"The backup failed: {exc}."
    if making is None:
        return BackupFailed(words)
    if judged and making.stage != Stage.CONFIGURATION:
        kept = _backup_work.set_aside(request.sets_path, making, words)
        words += f" What it made is kept in {kept} until the next backup." if kept else ""
    elif making.stage == Stage.VERIFICATION:
        words += f" GitLab was done with {set_id}: the next run reads its archive and makes it a set."
    else:
        _backup_work.throw_away(request.sets_path, making)
    return BackupFailed(words)


def _begin(request: Request, host: Host, plan: _backup_plan.Plan) -> Making:
    making = Making(
        id=plan.id,
        release=plan.release,
        host=plan.host,
        began=_backup_result.stamp(host.now()),
        backup_path=request.backup_path,
        options=request.options(),
    )
    taken = {one.id for one in _backup_store.sets(request.sets_path)}
    if making.id in taken or making.archive.exists():
        raise Refused(f"There is a backup called {making.id} already: another one began in the same second.")
    before = _backup_steps.fingerprint(request, host)
    if before is not None and "database" in before["unread"]:
        raise Refused(
            f"GitLab's database can't be read: {before['unread']['database']}. Nothing was changed. Start it "
            "(gitlab-ctl start postgresql), then run this again."
        )
    making = dataclasses.replace(making, fingerprint_before=before)
    _backup_work.note(request.sets_path, making)
    host.recorder.stage("backing up /etc/gitlab", id=making.id)
    return making


def prune(request: Request, host: Host) -> list[str]:
    """Remove the sets that retention lets go; returns their ids. The caller holds the lock. Raises OSError."""
    kept = _backup_store.sets(request.sets_path)
    gone = _backup_store.expired(kept, host.now(), request.keep_count, request.keep_days)
    for one in gone:
        host.recorder.stage(f"removing {one.id} ({_backup_space.human(one.size)})")
        _backup_store.remove(one)
    return [one.id for one in gone]
