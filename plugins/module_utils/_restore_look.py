# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is before a restore: read once, changed by nobody. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_lock,
    _backup_request,
    _backup_space,
    _git_refs,
    _gitlab_fingerprint,
    _gitlab_psql,
    _gitlab_readiness,
    _restore_journal,
    _restore_request,
    _restore_services,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_fingerprint import Fingerprint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Run
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_journal import Journal

# Tables that a new GitLab leaves empty, and how many users it makes by itself (root, and robots of later versions).
WORK = ("ci_pipelines", "issues", "merge_requests", "notes", "packages_packages", "projects", "snippets")
FIRST_USERS = 3
MARK_DIGITS = 12
PROBE_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Room:
    """A file system that takes part: free is in bytes."""

    path: str
    device: int
    free: int


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was found. version is None where GitLab is not installed; configured says that a reconfigure succeeded.

    has_cluster and has_database say whether PostgreSQL has its files, and whether GitLab's database can be asked.
    busy_mounts are mount points in the way of a part, by part; rooms are by what lies there. at_work and upgrade_open
    are words about what excludes a restore, services_error says why gitlab-ctl can't tell what runs. backup_path_is
    says what stands there: directory, nothing or other; backup_path_owner is whose it is, gitlab_user who GitLab works
    as, and gitlab_backup_path the one that the last reconfigure gave to GitLab: None where that is not known.
    """

    version: str | None = None
    package: str | None = None
    configured: bool = False
    services: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    services_error: str | None = None
    present: Fingerprint = dataclasses.field(default_factory=Fingerprint)
    secrets_sha256: str | None = None
    storages: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    lost_storages: tuple[str, ...] = ()
    has_cluster: bool = False
    has_database: bool = False
    busy_mounts: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    rooms: t.Mapping[str, Room] = dataclasses.field(default_factory=dict)
    backup_path_is: str = "directory"
    backup_path_owner: str | None = None
    gitlab_user: str | None = None
    gitlab_backup_path: str | None = None
    at_work: str | None = None
    upgrade_open: bool = False
    journal: Journal | None = None

    @property
    def mark(self) -> str:
        return mark(self.present)

    @property
    def empty(self) -> bool:
        return is_empty(self.present)


def mark(found: Fingerprint) -> str:
    """Twelve digits that name this data: what a person copies to say that it may be replaced."""
    data = {**found.as_dict(), "unread": sorted(found.unread)}
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:MARK_DIGITS]


def is_empty(found: Fingerprint) -> bool:
    """Whether it is the data of a GitLab that nobody has used yet."""
    if found.tables is None or found.repositories is None:
        return False
    used = [name for name in WORK if name in found.tables and found.tables[name].count]
    users = found.tables["users"].count if "users" in found.tables else 0
    return not used and users <= FIRST_USERS and not any(_holds(one) for one in found.repositories.values())


def _holds(digest: str) -> bool:
    return digest != _git_refs.EMPTY


def look(
    request: _restore_request.Request,
    manifest: Manifest,
    run: Run,
    backup: _backup_request.Places,
    places: _restore_request.Places,
) -> Facts:
    """Read the host. Raises ValueError where an earlier restore's journal can't be understood."""
    journal = _restore_journal.read(request.state_path)
    version = _text(backup.version)
    storages = _gitlab_fingerprint.storages(places.gitaly_config)
    present = _present(run, places) if version else Fingerprint(unread={"database": "GitLab is not installed"})
    services, services_error = _services(run) if version else ({}, None)
    return Facts(
        version=version,
        package=_package(run, version) if version else None,
        configured=pathlib.Path(backup.rails_rc).exists(),
        services=services,
        services_error=services_error,
        present=present,
        secrets_sha256=_sha256(backup.secrets),
        storages=storages,
        lost_storages=tuple(name for name, path in sorted(storages.items()) if not pathlib.Path(path).is_dir()),
        has_database=bool(version) and _gitlab_psql.is_there(run, timeout=PROBE_SECONDS),
        has_cluster=pathlib.Path(places.pg_data, "PG_VERSION").exists(),
        busy_mounts=busy_mounts(_text(places.mounts) or "", manifest, backup.data),
        rooms=_rooms(request, backup.data, storages),
        backup_path_is=_what(pathlib.Path(request.backup_path)),
        backup_path_owner=owner(request.backup_path),
        gitlab_user=gitlab_user(_text(backup.rails_rc) or ""),
        gitlab_backup_path=gitlab_backup_path(places.gitlab_yml),
        at_work=_backup_lock.gitlab_at_work(backup.pid_file),
        upgrade_open=pathlib.Path(places.upgrade_journal).exists(),
        journal=journal,
    )


def _services(run: Run) -> tuple[dict[str, str], str | None]:
    try:
        return _restore_services.states(run), None
    except _restore_services.ServiceError as exc:
        return {}, str(exc)


def _present(run: Run, places: _restore_request.Places) -> Fingerprint:
    where = _gitlab_fingerprint.Places(places.gitaly_config, f"{places.etc}/gitlab-secrets.json")
    return _gitlab_fingerprint.take(run, places=where)


def _package(run: Run, version: str) -> str | None:
    name = "gitlab-ee" if version.endswith("-ee") else "gitlab-ce"
    done = run(["rpm", "-q", "--qf", "%{NAME}-%{VERSION}-%{RELEASE}", name], timeout=60)
    return done.stdout.strip() if done.rc == 0 else None


def busy_mounts(mountinfo: str, manifest: Manifest, data: str) -> dict[str, str]:
    """Mount points that GitLab could not move out of the way: "resource busy" (server facts 2.1).

    A part's folder may be a mount point while it is empty; one further down never is, when its part comes back.
    """
    mounted = {_unescaped(line.split()[4]) for line in mountinfo.splitlines() if len(line.split()) > 4}
    found = {}
    for part in manifest.application.parts:
        folder = _backup_space.FOLDERS.get(part.name)
        if folder is None or not part.members or part.name in ("db", "repositories"):
            continue
        real = os.path.realpath(f"{data}/{folder}")
        inner = sorted(one for one in mounted if one.startswith(real + "/"))
        if inner:
            found[part.name] = inner[0]
        elif real in mounted and _holds_something(real):
            found[part.name] = real
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)


def _holds_something(folder: str) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.name != "lost+found" for entry in entries)


def _rooms(request: _restore_request.Request, data: str, storages: t.Mapping[str, str]) -> dict[str, Room]:
    paths = {
        "backup_path": request.backup_path,
        "sets_path": request.sets_path,
        "db": f"{data}/{_backup_space.FOLDERS['db']}",
        "repositories": next(iter(storages.values()), data),
        "files": f"{data}/gitlab-rails",
    }
    return {name: Room(path, _backup_space.device(path), _backup_space.free(path)) for name, path in paths.items()}


def _what(path: pathlib.Path) -> str:
    if path.is_dir():
        return "directory"
    return "other" if path.exists() or path.is_symlink() else "nothing"


def owner(path: str) -> str | None:
    """Whose it is, by name where it has one; None where nothing is there."""
    try:
        return pathlib.Path(path).owner()
    except KeyError:
        return str(pathlib.Path(path).stat().st_uid)
    except OSError:
        return None


def gitlab_user(rails_rc: str) -> str | None:
    """Who GitLab's commands work as, of the file that they read it from; None before the first reconfigure."""
    found = re.search(r"^gitlab_user='?([^'\s]+)", rails_rc, re.MULTILINE)
    return found.group(1) if found else None


def gitlab_backup_path(gitlab_yml: str) -> str | None:
    """Where GitLab looks for backups, by what the last reconfigure wrote; None where that is not known."""
    try:
        found = _gitlab_readiness.section(pathlib.Path(gitlab_yml).read_text("utf-8"), "backup").get("path")
    except (OSError, ValueError):
        return None
    return str(found) if found else None


def _text(path: str) -> str | None:
    try:
        return pathlib.Path(path).read_text("utf-8", "replace").strip()
    except OSError:
        return None


def _sha256(path: str) -> str | None:
    try:
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    except OSError:
        return None
