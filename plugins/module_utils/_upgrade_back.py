# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a rollback; each can be done again, whatever ended it before. Standard library of Python 3.9.

Older code over a newer schema is what has to be kept from writing: the older package is put in place without its own
reconfigure, and puma and sidekiq stay down until the set is back and proven.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_make,
    _backup_store,
    _restore_make,
    _restore_request,
    _restore_services,
    _upgrade_door,
    _upgrade_look,
    _upgrade_next,
    _upgrade_package,
    _upgrade_postgresql,
    _upgrade_steps,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import BackupFailed
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import Back, Return, Step
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_work import ProofFailed, StepFailed, Work

Facts = dict[str, t.Any]


class SetWanted(StepFailed):
    """The set is not on the host any more; the controller can bring it back from where it was copied to."""

    def __init__(self, set_id: str, url: str) -> None:
        self.set = set_id
        super().__init__(f"The set {set_id} is not on the host; its copy is {url}.")


def target(work: Work) -> Return:
    found = work.known.back
    if found is None:
        raise StepFailed("No rollback is recorded.")
    return found


def set_of(work: Work) -> str:
    found = target(work).set
    if found is None:
        raise StepFailed("The journal names no set to go back to.")
    return found


def fetch(work: Work, _stop: int, _again: bool) -> Facts:
    set_id = set_of(work)
    kept = _backup_store.good(_backup_store.sets(work.request.backup.sets_path))
    if set_id not in [one.id for one in kept]:
        url = target(work).url
        if url:
            raise SetWanted(set_id, url)
        raise StepFailed(
            f"The set {set_id} of {target(work).release.version} is not in {work.request.backup.sets_path}, and no "
            "copy of it is recorded. Put it back there, then run the rollback again."
        )
    return {}


def keep(work: Work, _stop: int, _again: bool) -> Facts:
    """A set of the newer state, where users have worked with it: nobody shall miss what only that one has."""
    if not work.known.begun(_upgrade_next.at(work.known), Step.OPEN) and not work.serving:
        return {"why": "nobody could write"}
    try:
        with work.host.recorder.timed("backup"):
            manifest, _recovered = _backup_make.make(work.request.backup, work.host)
        return {"set": manifest.id}
    except (BackupFailed, Refused) as exc:
        work.warnings.append(f"No set of the newer state could be made before going back: {exc}")
        return {"why": str(exc)}


def stop(work: Work, at: int, _again: bool) -> Facts:
    """Keep everybody out; then see whether anything but services was changed at all."""
    if _upgrade_look.installed(work.host.run) is None:
        return {"intact": False}  # an earlier run came as far as to remove the package
    if _upgrade_door.files():
        _upgrade_door.close(work.host.run, work.ctl)
    _restore_services.stop(work.host.run, work.say)
    return {"intact": _intact(work, at)}


def _intact(work: Work, at: int) -> bool:
    """Whether the package never came, so that there is nothing to put back."""
    goal, known = target(work), work.known
    there = _upgrade_look.installed(work.host.run)
    same = there is not None and there[1] == goal.release.package and goal.upgrade == known.id
    if not same or at != _upgrade_next.at(known) or known.done(at, Step.PACKAGE) or known.begun(at, Step.RECONFIGURE):
        return False
    if goal.release.postgresql not in (None, _upgrade_look.postgresql(work.places)):
        return False
    _restore_services.start_needed(work.host.run, work.say)
    return not work.differences(set_of(work))


def intact(work: Work) -> bool:
    mark = work.known.back_marks.get(Back.STOP)
    return bool(mark and mark.facts.get("intact"))


def postgresql(work: Work, at: int, _again: bool) -> Facts:
    if _upgrade_look.installed(work.host.run) is None:
        return {"way": "gone on with"}
    return _upgrade_postgresql.back(work, at, target(work).release.postgresql)


def remove(work: Work, at: int, _again: bool) -> Facts:
    there = _upgrade_look.installed(work.host.run)
    if there is not None and there[1] != target(work).release.package:
        _upgrade_package.remove(work, at)
    return {}


def install(work: Work, at: int, _again: bool) -> Facts:
    """With its reconfigure left out: it would run over the newer schema, and before the set is back."""
    if intact(work):
        return {}
    release = target(work).release
    work.make_flag(_upgrade_package.NO_RECONFIGURE)
    _upgrade_package.install(work, at, release.spec, release.package, "install-back")
    return {}


def reconfigure(work: Work, at: int, _again: bool) -> Facts:
    """Then all services run that do not write: a package whose reconfigure failed has left them stopped."""
    if not intact(work):
        _upgrade_package.supervised(work)
        _restore_services.stop(work.host.run, work.say)
        _upgrade_package.reconfigure(work, at, "reconfigure-back")
        _upgrade_package.page_down(work)
        quiet = [name for name in _before(work, at) if name not in _restore_services.WRITERS]
        _restore_services.start(work.host.run, quiet)
    return {}


def restore(work: Work, _stop: int, _again: bool) -> Facts:
    """The set, by the restore's own program: it proves secrets and fingerprint before it starts puma."""
    if intact(work):
        return {}
    places = _restore_request.Places()
    with work.host.recorder.timed("restore"):
        done = _restore_make.restore(work.request.restore(set_of(work)), work.host, places)
    return {"warnings": done.get("warnings", [])}


def check(work: Work, at: int, _again: bool) -> Facts:
    """What is there is what was there before; with the set untouched, by its fingerprint."""
    goal = target(work).release
    there = _upgrade_look.installed(work.host.run)
    if there is None or there[1] != goal.package:
        raise ProofFailed(f"{there[1] if there else 'No package'} is installed after the rollback to {goal.package}.")
    if goal.postgresql is not None and _upgrade_look.postgresql(work.places) != goal.postgresql:
        raise ProofFailed(
            f"PostgreSQL {_upgrade_look.postgresql(work.places)} runs after the rollback, and {goal.postgresql} "
            "did before."
        )
    _restore_services.start(work.host.run, _before(work, at))
    _upgrade_steps.ready(work)
    return {}


def _before(work: Work, at: int) -> list[str]:
    """The services that ran before that stop and are there."""
    known = next((one for one in work.journal.upgrades if one.id == target(work).upgrade), work.known)
    before = known.facts(at, Step.CLOSE).get("running", [])
    states = _restore_services.states(work.host.run)
    return sorted({*before, *_restore_services.WRITERS} & set(states))


def open_(work: Work, at: int, _again: bool) -> Facts:
    """Everybody is let in, and what the upgrade made is gone."""
    work.remove_flags()
    _restore_services.start(work.host.run, _before(work, at))
    _upgrade_door.open_(work.host.run, work.ctl)
    _upgrade_steps.ready(work)
    return {}


STEPS: t.Mapping[str, t.Callable[[Work, int, bool], Facts]] = {
    Back.FETCH: fetch,
    Back.KEEP: keep,
    Back.STOP: stop,
    Back.POSTGRESQL: postgresql,
    Back.REMOVE: remove,
    Back.INSTALL: install,
    Back.RECONFIGURE: reconfigure,
    Back.RESTORE: restore,
    Back.CHECK: check,
    Back.OPEN: open_,
}
