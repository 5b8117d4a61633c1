# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade or rollback at work on a host: what was asked for, what is known, and what its steps share. Python 3.9."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_lock,
    _backup_request,
    _backup_set,
    _backup_store,
    _gitlab_fingerprint,
    _gitlab_psql,
    _restore_compare,
    _restore_make,
    _restore_request,
    _restore_services,
    _upgrade_door,
    _upgrade_file,
    _upgrade_look,
    _upgrade_next,
    _upgrade_unit,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import Host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_fingerprint import Difference
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_file import Journal
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_journal import Kind
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import Stop, Upgrade

LOGS = "logs"


class StepFailed(Exception):
    """A step failed; the text says what was tried, what came back and where to look."""


class ProofFailed(StepFailed):
    """What is there after a step is not what was there before; found while nobody could write."""


FAILURES = (
    StepFailed,
    _restore_services.ServiceError,
    _upgrade_door.DoorError,
    _upgrade_unit.Interrupted,
    _gitlab_psql.DatabaseError,
    _backup_set.SetError,
    *_restore_make.FAILURES,  # Refused, Busy, BackupFailed, RestoreFailed, OSError
)


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked for. stops are empty where an upgrade is only to be gone on with.

    rollback says whether a failure turns back by itself. ready_seconds bounds the wait for readiness,
    migrations_seconds that for background migrations; version is where a rollback on demand goes to. copied are the
    URLs of sets that the controller has copied off the host, by id; copy says that it does.
    """

    stops: tuple[Stop, ...] = ()
    keep_serving: bool = False
    rollback: bool = True
    ready_seconds: int = 900
    migrations_seconds: int = 86400
    version: str | None = None
    copy: bool = False
    copied: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    paused: tuple[int, ...] = ()
    backup: _backup_request.Request = dataclasses.field(default_factory=_backup_request.Request)
    state_path: str = _upgrade_file.STATE_PATH
    restore_state_path: str = _backup_request.RESTORE_STATE_PATH

    @classmethod
    def from_json(cls, data: t.Mapping[str, t.Any]) -> Request:
        """Raises Refused where a value can't be used."""
        unknown = sorted(set(data) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise Refused(f"The request has keys that this version does not know: {', '.join(unknown)}.")
        values = dict(data)
        values["stops"] = tuple(Stop(**one) for one in data.get("stops", ()))
        values["paused"] = tuple(data.get("paused", ()))
        more = {"origin": _backup_request.ORIGIN_UPGRADE, "prune": False}
        values["backup"] = _backup_request.Request.from_json({**data.get("backup", {}), **more})
        return cls(**values)

    def restore(self, set_id: str) -> _restore_request.Request:
        """The request that puts back a set of this upgrade; what is there now is what failed."""
        return _restore_request.Request(
            set=set_id,
            backup_path=self.backup.backup_path,
            sets_path=self.backup.sets_path,
            backup_state_path=self.backup.state_path,
            state_path=self.restore_state_path,
            replace=_restore_request.ANY,
            safety_backup=False,
            check_space=self.backup.check_space,
            in_upgrade=True,
            ready_seconds=self.ready_seconds,
            tool=self.backup.tool,
        )


@dataclasses.dataclass
class Work:
    """One run of the program."""

    request: Request
    host: Host
    journal: Journal
    places: _upgrade_look.Places = dataclasses.field(default_factory=_upgrade_look.Places)
    warnings: list[str] = dataclasses.field(default_factory=list)

    @property
    def known(self) -> Upgrade:
        known = self.journal.last
        if known is None:
            raise Refused("No upgrade is recorded on this host.")
        return known

    @property
    def ctl(self) -> str:
        return self.host.places.ctl

    @property
    def serving(self) -> bool:
        """Whether users are let in while the upgrade is at work."""
        return bool(self.known.options.get("keep_serving"))

    def say(self, words: str) -> None:
        stop = self.known.stops[_upgrade_next.at(self.known)]
        where = f"back to {self.known.back.release.version}" if self.known.back else stop.version
        self.host.recorder.stage(f"{where}: {words}", id=self.known.id)

    def note(self, **facts: t.Any) -> None:
        self.journal.append(Kind.NOTED, facts=facts)

    def log(self, name: str, stop: int) -> pathlib.Path:
        """Where the output of a long command goes; one file a stop and command."""
        folder = pathlib.Path(self.request.state_path) / LOGS
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder / f"{self.known.id}-{stop}-{name}.log"

    def make_flag(self, name: str) -> None:
        """Have a file of that name in /etc/gitlab, where being there is all that counts; the operator's own stays."""
        path = pathlib.Path(self.places.etc, name)
        if str(path) in self.known.made or not path.exists():
            self.note(made=[str(path)])
            path.touch(mode=0o644)

    def remove_flags(self) -> None:
        for path in self.known.made:
            pathlib.Path(path).unlink(missing_ok=True)
            self.note(removed=[path])

    def aside(self, path: pathlib.Path) -> None:
        """Put something out of the way that is never deleted."""
        target = path.with_name(f"fleetwright-{self.known.id}-{path.name}")
        number = 1
        while target.exists():
            number += 1
            target = path.with_name(f"fleetwright-{self.known.id}-{path.name}-{number}")
        self.note(aside=[str(target)])
        path.rename(target)

    def manifest(self, set_id: str) -> Manifest:
        kept = _backup_store.find(self.request.backup.sets_path, set_id)
        if kept.manifest is None:
            raise StepFailed(f"The set {set_id} has no manifest.")
        return kept.manifest

    def differences(self, set_id: str) -> list[Difference]:
        """What is other on this host than in a set, by their fingerprints."""
        manifest = self.manifest(set_id)
        with self.host.recorder.timed("fingerprint"):
            found = _gitlab_fingerprint.take(self.host.run)
        return _restore_compare.differences(self.request.restore(set_id), manifest, found)

    def run_to_end(self, argv: t.Sequence[str], name: str, stop: int) -> tuple[int, str]:
        """A command that must not be cut short; its exit status and what it said."""
        log = self.log(name, stop)
        with self.host.recorder.timed(name):
            status = _upgrade_unit.run_to_end(self.host.run, argv, log)
        return status, _upgrade_unit.said(log)


def lock(request: Request, words: str) -> t.ContextManager[None]:
    """The host's lock, which backups and restores take as well."""
    return _backup_lock.hold(request.backup.state_path, words)
