# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The restore's side of the program that runs on the host: its commands. Standard library of Python 3.9."""

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_lock,
    _backup_result,
    _backup_set,
    _backup_store,
    _host_command,
    _host_signals,
    _restore_config,
    _restore_fetch,
    _restore_journal,
    _restore_make,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Places as GitlabPlaces
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import Host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_request import Places, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_steps import RestoreFailed

Json = dict[str, t.Any]
FAILURES = (*_restore_make.FAILURES, _restore_fetch.FetchFailed, _backup_set.SetError)


def _work(request: Request, what: str, work: t.Callable[[Host], Json]) -> Json:
    """Do it under the host's lock, keeping last.json true."""
    recorder = _backup_result.Recorder(request.state_path, "playbook")
    host = Host(_host_command.run, _host_command.stream, recorder)
    with _backup_lock.hold(request.backup_state_path, what):
        recorder.begin()
        try:
            with _host_signals.raised(lambda name: RestoreFailed(f"It was stopped ({name}).")):
                found = work(host)
            return {**recorder.succeeded(), **found}
        except FAILURES as exc:
            expired = isinstance(exc, _restore_fetch.FetchFailed) and exc.expired
            return {"failed": True, "expired": expired, **recorder.failed(str(exc)), "msg": str(exc)}


def restore(data: Json) -> Json:
    """Restore a set that is on the host."""
    request = Request.from_json(data)

    return _work(request, f"A restore of {request.set}", lambda host: _restore_make.restore(request, host, Places()))


def plan(data: Json) -> Json:
    """What restore would do, or refuse; changes nothing."""
    request = Request.from_json(data)
    host = Host(_host_command.run, _host_command.stream, _backup_result.Silent())
    return _restore_make.restore(request, host, Places(), check_mode=True)


def show(data: Json) -> Json:
    """What is known without looking at the data: the installed version, the sets, an unfinished restore."""
    request = Request.from_json(data)
    journal = _restore_make.journal_of(request)
    version = pathlib.Path(GitlabPlaces().version)
    return {
        "version": version.read_text("utf-8").strip() if version.exists() else None,
        "configured": pathlib.Path(GitlabPlaces().rails_rc).exists(),
        "sets": [kept.id for kept in _backup_store.good(_backup_store.sets(request.sets_path))],
        "unfinished": journal.set if journal and not journal.done else None,
        "stands": _restore_journal.unfinished(request.state_path),
    }


def fetch(data: Json) -> Json:
    """Have a set on the host, by signed URLs."""
    request = Request.from_json(data["request"])
    order = _restore_fetch.Order(**data["order"])

    def work(host: Host) -> Json:
        _restore_fetch.forget(request.sets_path, but=request.set)
        kept = _restore_fetch.fetch(order, host.recorder.stage, check_space=request.check_space)
        return {"id": kept.id, "path": kept.path}

    return _work(request, f"The fetching of {request.set}", work)


def prepare(data: Json) -> Json:
    """Before GitLab is installed: put /etc/gitlab in place, so that the package's own reconfigure finds it.

    Says what the set was made of. A host that has GitLab is left alone.
    """
    request, places = Request.from_json(data["request"]), Places()
    kept = _restore_make.find(request)
    manifest = kept.manifest
    if manifest is None:
        raise Refused(f"The set {kept.id} has no manifest.")
    known: Json = {"set": kept.id, "version": manifest.release.version, "package": manifest.release.package}
    if pathlib.Path(GitlabPlaces().version).exists() or not request.configuration:
        return {**known, "changed": False}
    if manifest.release.edition != "ce":
        raise Refused(f"GitLab is not installed, and the set is of {manifest.release.version}: install that first.")
    if pathlib.Path(places.pg_data).exists():
        raise Refused(
            f"GitLab's package is missing here, but not its data ({places.pg_data}): a package that is installed now "
            "would migrate it. Install the version that the data is of, or move /var/opt/gitlab elsewhere (keep it)."
        )
    with _backup_lock.hold(request.backup_state_path, f"The preparation of {kept.id}"):
        entries = _restore_make.entries_of(kept, manifest)
        changes = _restore_config.changes(entries, places.etc)
        if changes and not data.get("check_mode"):
            folder = pathlib.Path(request.state_path) / f"{kept.id}-prepared"
            _restore_config.keep(places.etc, folder)
            _restore_config.write(entries, places.etc)
    return {**known, "changed": bool(changes), "configuration_changes": changes}


COMMANDS: t.Mapping[str, t.Callable[[Json], Json]] = {
    "restore": restore,
    "restore-plan": plan,
    "restore-show": show,
    "fetch": fetch,
    "prepare": prepare,
}
