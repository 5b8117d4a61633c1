# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a restore is asked for, and where things are on the host. Standard library of Python 3.9.

The controller sends a request as JSON; it is checked here, before anything is looked at.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_request,
    _backup_set,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import (
    LATEST,
    ORIGIN_RESTORE,
    Refused,
)

ANY = "any"
_MARK = re.compile(r"\A[0-9a-f]{12}\Z")


class Piece:
    """What of a set is put back."""

    CONFIGURATION = "configuration"  # /etc/gitlab with gitlab-secrets.json
    APPLICATION = "application"  # the data


PIECES = (Piece.CONFIGURATION, Piece.APPLICATION)


@dataclasses.dataclass(frozen=True)
class Places:
    """Where GitLab's package keeps what a restore reads and writes; others only in tests."""

    etc: str = "/etc/gitlab"
    wrapper: str = "/opt/gitlab/bin/gitlab-backup"
    gitaly_config: str = "/var/opt/gitlab/gitaly/config.toml"
    pg_data: str = "/var/opt/gitlab/postgresql/data"
    gitlab_yml: str = "/var/opt/gitlab/gitlab-rails/etc/gitlab.yml"
    mounts: str = "/proc/self/mountinfo"
    upgrade_journal: str = "/var/lib/fleetwright/gitlab_upgrade/open.json"


@dataclasses.dataclass(frozen=True)
class Request:
    """One restore as it is asked for.

    set is an id or "latest". replace is the mark of the data that may be replaced, or "any". backup_state_path is
    where backups keep their lock, which restores take as well. ready_seconds bounds the wait for readiness.
    in_upgrade says that the upgrade whose journal is open asks for it itself.
    """

    set: str
    pieces: tuple[str, ...] = PIECES
    backup_path: str = _backup_request.BACKUP_PATH
    sets_path: str = _backup_request.SETS_PATH
    backup_state_path: str = _backup_request.STATE_PATH
    state_path: str = _backup_request.RESTORE_STATE_PATH
    replace: str = ""
    safety_backup: bool = True
    check_space: bool = True
    again: bool = False
    accept_findings: bool = False
    in_upgrade: bool = False
    ready_seconds: int = 600
    tool: str = ""

    @classmethod
    def from_json(cls, data: t.Mapping[str, t.Any]) -> Request:
        """Raises Refused where a value can't be used."""
        unknown = sorted(set(data) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise Refused(f"The request has keys that this version does not know: {', '.join(unknown)}.")
        values: dict[str, t.Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in data.items()}
        request = cls(**values)
        check(request)
        return request

    def as_json(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)

    @property
    def data(self) -> bool:
        """Whether GitLab's data is put back, not only the configuration."""
        return Piece.APPLICATION in self.pieces

    @property
    def configuration(self) -> bool:
        return Piece.CONFIGURATION in self.pieces

    def backup(self, skip: tuple[str, ...]) -> _backup_request.Request:
        """The request of the set that keeps what is there now; nothing is pruned for it."""
        return _backup_request.Request(
            backup_path=self.backup_path,
            sets_path=self.sets_path,
            state_path=self.backup_state_path,
            skip=skip,
            check_space=self.check_space,
            prune=False,
            restore_state_path=self.state_path,
            origin=ORIGIN_RESTORE,
            tool=self.tool,
        )


def check(request: Request) -> None:
    """Raises Refused for what can be seen to fail without looking at the host."""
    checked_set(request.set)
    wrong = sorted(set(request.pieces) - set(PIECES))
    if wrong or not request.pieces:
        raise Refused(f"pieces is {list(request.pieces)}: name {' or '.join(PIECES)}, or both.")
    if request.replace and request.replace != ANY and not _MARK.match(request.replace):
        raise Refused(
            f"replace is {request.replace!r}: give the mark of twelve digits that a run in check mode shows for this "
            f"host's data, or {ANY}."
        )
    if request.ready_seconds < 1:
        raise Refused(f"ready_seconds is {request.ready_seconds}: give the seconds that GitLab may take to be ready.")
    _backup_request.check(request.backup(()))
    if not request.state_path.startswith("/") or request.state_path.count("/") < 2:
        raise Refused(
            f"state_path is {request.state_path!r}: give an absolute path, such as "
            f"{_backup_request.RESTORE_STATE_PATH}."
        )


def checked_set(text: str) -> str:
    """The text, where it names a set; raises Refused."""
    if not text:
        raise Refused(
            f"No set is named. Say which backup is restored: its id, or {LATEST} for the newest good one; "
            "gitlab_backup_info lists them."
        )
    if text != LATEST and not _backup_set.is_id(text):
        try:
            _backup_set.checked_id(text)
        except _backup_set.SetError as exc:
            raise Refused(str(exc)) from None
    return text
