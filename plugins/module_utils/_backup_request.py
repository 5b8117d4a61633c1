# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup is asked for, and where things are on the host. Standard library of Python 3.9.

The controller sends a request as JSON, the timer reads its own from a file; both are checked here, before anything is
changed.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_set, _gitlab_readiness

STATE_PATH = "/var/lib/fleetwright/gitlab_backup"
RESTORE_STATE_PATH = "/var/lib/fleetwright/gitlab_restore"
UPGRADE_STATE_PATH = "/var/lib/fleetwright/gitlab_upgrade"
ORIGIN_RESTORE = "restore"  # the set of what was there before a restore
ORIGIN_UPGRADE = "upgrade"  # the set that a stop of an upgrade goes back to
SETS_PATH = "/var/opt/gitlab/fleetwright-backups"
BACKUP_PATH = "/var/opt/gitlab/backups"
LATEST = "latest"
# Names of GitLab's parts (server facts 1.2); "tar" is none: without an archive there is no set.
PARTS = (
    "db",
    "repositories",
    "uploads",
    "builds",
    "artifacts",
    "pages",
    "lfs",
    "terraform_state",
    "registry",
    "packages",
    "ci_secure_files",
    "external_diffs",
)
REMOTE = "remote"
MIB = 1 << 20
_LIST_ENTRY = re.compile(r"\A[^\s,]+\Z")
_LISTS = ("repositories_storages", "repositories_paths", "skip_repositories_paths")
_OPTIONS = ("origin", "strategy", "skip", "incremental", "compress_cmd", "decompress_cmd", "gzip_rsyncable", *_LISTS)
# What GitLab backs up, or would store the sets in its own archive.
_NOT_FOR_SETS = (
    "/etc/gitlab",
    "/opt/gitlab",
    "/var/opt/gitlab/git-data",
    "/var/opt/gitlab/gitlab-rails",
    "/var/opt/gitlab/gitlab-ci",
    "/var/opt/gitlab/postgresql",
)


class Refused(Exception):
    """A backup can't begin; nothing was changed, and the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Places:
    """Where GitLab's package keeps what is read here; other than the defaults only in tests."""

    version: str = "/opt/gitlab/embedded/service/gitlab-rails/VERSION"
    pid_file: str = "/opt/gitlab/embedded/service/gitlab-rails/tmp/backup_restore.pid"
    rails_rc: str = "/opt/gitlab/etc/gitlab-rails-rc"
    connection_env: str = "/opt/gitlab/etc/gitlab-backup/env"
    secrets: str = "/etc/gitlab/gitlab-secrets.json"
    rake: str = "/opt/gitlab/bin/gitlab-rake"
    ctl: str = "/opt/gitlab/bin/gitlab-ctl"
    data: str = "/var/opt/gitlab"
    gitlab_yml: str = _gitlab_readiness.GITLAB_YML


@dataclasses.dataclass(frozen=True)
class Bucket:
    """Where copies go: s3://bucket/prefix/<id>/. program is the aws command, for the timer."""

    bucket: str
    prefix: str = ""
    region: str | None = None
    endpoint_url: str | None = None
    kms_key_id: str | None = None
    program: str = "aws"

    def key(self, set_id: str, file: str) -> str:
        return "/".join(part for part in (self.prefix.strip("/"), set_id, file) if part)

    def url(self, set_id: str) -> str:
        return f"s3://{self.bucket}/{self.key(set_id, '')}".rstrip("/")


@dataclasses.dataclass(frozen=True)
class Request:
    """One backup as it is asked for. piece_size is in bytes, keep_days in days; keep_count 0 keeps all.

    origin says who asked (playbook or timer); tool is the collection's version. prune removes what retention lets go
    at the end; where a copy is made first, the end is after the copy. copies_to is the URL of a bucket that the
    controller copies to; the host copies to bucket itself.
    """

    backup_path: str = BACKUP_PATH
    sets_path: str = SETS_PATH
    state_path: str = STATE_PATH
    restore_state_path: str = RESTORE_STATE_PATH
    upgrade_state_path: str = UPGRADE_STATE_PATH
    skip: tuple[str, ...] = ()
    strategy: str = "stream"
    incremental: bool = False
    previous: str = LATEST
    compress_cmd: str | None = None
    decompress_cmd: str | None = None
    gzip_rsyncable: bool = False
    max_concurrency: int | None = None
    max_storage_concurrency: int | None = None
    repositories_storages: tuple[str, ...] = ()
    repositories_paths: tuple[str, ...] = ()
    skip_repositories_paths: tuple[str, ...] = ()
    keep_in_backup_path: bool = False
    check_space: bool = True
    fingerprint: bool = True
    unpack_all: bool = False
    keep_count: int = 7
    keep_days: int = 0
    prune: bool = True
    piece_size: int | None = None
    bucket: Bucket | None = None
    copies_to: str = ""
    origin: str = "playbook"
    tool: str = ""

    @classmethod
    def from_json(cls, data: t.Mapping[str, t.Any]) -> Request:
        """Raises Refused where a value can't be used."""
        known = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(set(data) - set(known))
        if unknown:
            raise Refused(f"The request has keys that this version does not know: {', '.join(unknown)}.")
        values: dict[str, t.Any] = {key: tuple(one) if isinstance(one, list) else one for key, one in data.items()}
        if values.get("bucket"):
            values["bucket"] = Bucket(**values["bucket"])
        request = cls(**values)
        check(request)
        return request

    def as_json(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)

    def copy_url(self, set_id: str) -> str | None:
        """Where a copy of the set goes; None where none is wanted."""
        if self.bucket is not None:
            return self.bucket.url(set_id)
        return f"{self.copies_to}/{set_id}" if self.copies_to else None

    def options(self) -> dict[str, t.Any]:
        """What the manifest says of how the backup was made."""
        return {name: getattr(self, name) for name in _OPTIONS if getattr(self, name) not in (None, (), False)}


def check(request: Request) -> None:
    """Raises Refused for what can be seen to fail without looking at the host."""
    for name in ("backup_path", "sets_path", "state_path"):
        path = getattr(request, name)
        if not path.startswith("/") or pathlib.PurePosixPath(path).parent == pathlib.PurePosixPath("/"):
            raise Refused(f"{name} is {path!r}: give an absolute path below the first level, such as {SETS_PATH}.")
    _check_sets_path(request)
    _check_parts(request)
    _check_numbers(request)
    if (request.compress_cmd is None) != (request.decompress_cmd is None):
        raise Refused(
            "compress_cmd and decompress_cmd go together: a restore needs the second to read what the first made."
        )


def _check_parts(request: Request) -> None:
    wrong = sorted(set(request.skip) - {*PARTS, REMOTE})
    if wrong:
        raise Refused(
            f"skip names {', '.join(wrong)}, which GitLab does not have. Its parts are {', '.join(PARTS)}; "
            f"{REMOTE} keeps GitLab from uploading by itself. Without an archive (tar) there is no set."
        )
    if set(PARTS) <= set(request.skip):
        raise Refused("skip names every part: nothing would be left to back up.")
    for name in _LISTS:
        bad = [one for one in getattr(request, name) if not _LIST_ENTRY.match(one)]
        if bad:
            raise Refused(f"{name} has the entry {bad[0]!r}: GitLab takes names without spaces and commas.")
    if request.incremental and request.previous != LATEST and not _backup_set.is_id(request.previous):
        raise Refused(f"previous is {request.previous!r}: give {LATEST}, or the id of a set.")


def _check_numbers(request: Request) -> None:
    for name in ("keep_count", "keep_days"):
        if getattr(request, name) < 0:
            raise Refused(f"{name} is {getattr(request, name)}: give 0 where this is no reason to remove a set.")
    for name in ("max_concurrency", "max_storage_concurrency"):
        if getattr(request, name) is not None and getattr(request, name) < 1:
            raise Refused(f"{name} is {getattr(request, name)}: give 1 or more, or leave it to GitLab.")


def _check_sets_path(request: Request) -> None:
    sets = pathlib.PurePosixPath(request.sets_path)
    if sets == pathlib.PurePosixPath(request.backup_path):
        raise Refused(
            f"sets_path and backup_path are both {sets}: GitLab prunes and unpacks there. Give the sets a place of "
            f"their own, on the same file system; {SETS_PATH} is one."
        )
    for taken in _NOT_FOR_SETS:
        if sets == pathlib.PurePosixPath(taken) or pathlib.PurePosixPath(taken) in sets.parents:
            raise Refused(f"sets_path {sets} is inside {taken}, which is backed up itself. Give another, {SETS_PATH}.")


def arguments(request: Request, set_id: str, previous: str | None) -> list[str]:
    """What gitlab-rake is given: as arguments, because gitlab_rails['env'] wins over the environment (facts 1.1).

    SKIP is always said, so that one in gitlab_rails['env'] leaves nothing out that was not meant to be.
    """
    values: dict[str, t.Any] = {
        "BACKUP": set_id,
        "SKIP": ",".join(request.skip),
        "STRATEGY": request.strategy,
        "INCREMENTAL": "yes" if request.incremental else "no",
        "PREVIOUS_BACKUP": previous,
        "COMPRESS_CMD": request.compress_cmd,
        "DECOMPRESS_CMD": request.decompress_cmd,
        "GZIP_RSYNCABLE": "yes" if request.gzip_rsyncable else None,
        "GITLAB_BACKUP_MAX_CONCURRENCY": request.max_concurrency,
        "GITLAB_BACKUP_MAX_STORAGE_CONCURRENCY": request.max_storage_concurrency,
        "REPOSITORIES_STORAGES": ",".join(request.repositories_storages) or None,
        "REPOSITORIES_PATHS": ",".join(request.repositories_paths) or None,
        "SKIP_REPOSITORIES_PATHS": ",".join(request.skip_repositories_paths) or None,
    }
    return ["gitlab:backup:create", *(f"{name}={value}" for name, value in values.items() if value is not None)]
