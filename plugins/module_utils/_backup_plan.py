# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at the host before a backup and refuses what would fail; changes nothing. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_lock,
    _backup_set,
    _backup_space,
    _backup_store,
    _restore_journal,
    _restore_look,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import (
    LATEST,
    ORIGIN_RESTORE,
    ORIGIN_UPGRADE,
    Places,
    Refused,
    Request,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Release
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_store import Kept
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Run


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a backup would do: id is the set's, if it began now; previous is what an incremental one builds on."""

    id: str
    release: Release
    host: str
    estimate: _backup_space.Estimate
    needs: tuple[_backup_space.Need, ...]
    expired: tuple[str, ...]
    unfinished: tuple[str, ...]
    previous: Kept | None = None

    def as_json(self) -> dict[str, t.Any]:
        return {
            "version": self.release.version,
            "package": self.release.package,
            "estimate": self.estimate.size,
            "estimate_reason": self.estimate.reason,
            "needs": [dataclasses.asdict(need) for need in self.needs],
            "removed": list(self.expired),
            "unfinished": list(self.unfinished),
            "previous": self.previous.id if self.previous else None,
        }


def plan(request: Request, places: Places, run: Run, now: float) -> Plan:
    """Raises Refused, or Busy where another backup or restore is at work."""
    if os.geteuid() != 0:
        raise Refused("Only root can back up GitLab's configuration. Run this with become: true.")
    release = _release(places, run)
    at_work = _backup_lock.gitlab_at_work(places.pid_file)
    if at_work:
        raise _backup_lock.Busy(at_work)
    _check_restore(request)
    _check_upgrade(request)
    _check_backup_path(request, places)
    kept = _backup_store.sets(request.sets_path)
    previous = _previous(request, kept, release)
    estimate = _backup_space.estimate(request, _backup_store.good(kept), places.data)
    needs = tuple(_backup_space.needs(request, estimate.size)) if estimate.size is not None else ()
    unfinished = tuple(one.id for one in kept if one.condition == _backup_store.Condition.UNFINISHED)
    if request.check_space and not unfinished:  # what they hold is given back before a backup begins
        _check_space(estimate, needs)
    set_id = _backup_set.new_id(now, release.version)
    return Plan(
        id=set_id,
        release=release,
        host=os.uname().nodename,
        estimate=estimate,
        needs=needs,
        expired=_expired(request, kept, set_id, now),
        unfinished=unfinished,
        previous=previous,
    )


def _check_restore(request: Request) -> None:
    """Half restored data is not worth a set, and must not push a good one out."""
    words = _restore_journal.unfinished(request.restore_state_path) if request.origin != ORIGIN_RESTORE else None
    if words:
        raise Refused(f"No backup is made while a restore is unfinished. {words}")


def _check_upgrade(request: Request) -> None:
    """The upgrade makes the sets that it needs itself, and must find them again."""
    journal = pathlib.Path(request.upgrade_state_path, "open.json")
    if request.origin not in (ORIGIN_RESTORE, ORIGIN_UPGRADE) and journal.exists():
        raise Refused(
            "No backup is made while an upgrade is unfinished: run the upgrade again to finish it, or roll it back "
            "(playbook gitlab_rollback)."
        )


def _release(places: Places, run: Run) -> Release:
    try:
        version = pathlib.Path(places.version).read_text("utf-8").strip()
    except OSError:
        raise Refused(
            f"GitLab is not installed here: there is no {places.version}. Install it first (playbook gitlab_install)."
        ) from None
    if not pathlib.Path(places.rails_rc).exists():
        raise Refused(f"GitLab was never configured here: there is no {places.rails_rc}. Run gitlab-ctl reconfigure.")
    edition = "gitlab-ee" if version.endswith("-ee") else "gitlab-ce"
    done = run(["rpm", "-q", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}", edition], timeout=60)
    return Release(version, done.stdout.strip() if done.rc == 0 else None)


def _check_backup_path(request: Request, places: Places) -> None:
    path = pathlib.Path(request.backup_path)
    if not path.is_dir():
        raise Refused(
            f"backup_path {path} is no directory. Give the one of gitlab_rails['backup_path']; gitlab-ctl reconfigure "
            "makes it."
        )
    known = _restore_look.gitlab_backup_path(places.gitlab_yml)
    if known is not None and os.path.realpath(known) != os.path.realpath(path):
        raise Refused(
            f"backup_path is {path}, and GitLab backs up to {known}, by what gitlab.rb said at the last reconfigure. "
            f"Nothing was changed. Give {known} as backup_path."
        )
    sets = pathlib.Path(request.sets_path)
    if sets.is_symlink() or (sets.exists() and not sets.is_dir()):
        raise Refused(f"sets_path {sets} is a link or a file. Give a directory, or a path where nothing is.")


def _previous(request: Request, kept: t.Sequence[Kept], release: Release) -> Kept | None:
    if not request.incremental:
        return None
    there = _backup_store.good(kept)
    if request.previous == LATEST:
        there = [one for one in there if _backup_store.stands_in(one.options, request.options())]
    else:
        there = [one for one in there if one.id == request.previous]
    if not there:
        raise Refused(
            f"An incremental backup needs a good set to build on, and {request.sets_path} has none"
            f"{' with all its parts' if request.previous == LATEST else ' called ' + request.previous}. Make a full "
            "backup first."
        )
    found = there[-1]
    if found.manifest is None or found.manifest.release.version != release.version:
        raise Refused(
            f"The set {found.id} is of another version than the installed {release.version}, and GitLab builds an "
            "incremental backup only on its own version. Make a full backup first."
        )
    if _backup_space.device(request.sets_path) != _backup_space.device(request.backup_path):
        raise Refused(
            "An incremental backup needs sets_path and backup_path on one file system: the set that it builds on must "
            "be seen in both. Make a full backup, or move the sets."
        )
    return found


def _check_space(estimate: _backup_space.Estimate, needs: t.Sequence[_backup_space.Need]) -> None:
    short = [str(need) for need in needs if not need.met]
    if short:
        raise Refused(
            f"There is too little room for a backup: {'; '.join(short)} ({estimate.reason}). Nothing was changed. Free "
            "or add space, move backup_path and sets_path, or turn check_space off if you know that it is enough."
        )


def _expired(request: Request, kept: t.Sequence[Kept], new_id: str, now: float) -> tuple[str, ...]:
    """What would be removed once the new set is good."""
    if not request.prune:
        return ()
    new = Kept(new_id, _backup_store.Condition.GOOD, "", options=request.options())
    return tuple(one.id for one in _backup_store.expired([*kept, new], now, request.keep_count, request.keep_days))
