# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server is before an upgrade, or before a stop of it: read once, changed by nobody. Standard library of 3.9."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_lock,
    _backup_request,
    _backup_space,
    _backup_store,
    _gitlab_migrations,
    _gitlab_psql,
    _gitlab_readiness,
    _gitlab_server,
    _gitlab_services,
    _host_command,
    _restore_journal,
)

CHECK_SECONDS = 300.0
# Made by the last good reconfigure, and gone after a broken one (server facts 4.1, 6).
BOOTSTRAPPED = "/var/opt/gitlab/bootstrapped"
ATTRIBUTES = "/var/opt/gitlab/public_attributes.json"
DNF_LOCKS = ("/var/cache/dnf/metadata_lock.pid", "/run/dnf.pid", "/var/lib/dnf/rpmdb_lock.pid")
# Where an upgrade needs room, beside the backup's own places.
ROOMS = {"packages": "/var/cache/dnf", "program": "/opt/gitlab", "postgresql": "/var/opt/gitlab/postgresql"}


@dataclasses.dataclass(frozen=True)
class Room:
    """A file system that takes part: free is in bytes."""

    path: str
    device: int
    free: int


@dataclasses.dataclass(frozen=True)
class Facts:
    """What was found; words are empty where nothing is wrong.

    services are those that do not run, in gitlab-ctl's words, services_error why it could not say; check_config is
    what check-config found for the version asked for. migrations is None where migrations_error says why. busy is who
    works on the server, half an unfinished restore. set_bytes is the size of the newest backup set, None without one.
    """

    services: tuple[str, ...] = ()
    services_error: str = ""
    readiness: str = ""
    check_config: str = ""
    configured: bool = True
    migrations: _gitlab_migrations.State | None = None
    migrations_error: str = ""
    busy: tuple[str, ...] = ()
    half: str = ""
    rooms: t.Mapping[str, Room] = dataclasses.field(default_factory=dict)
    set_bytes: int | None = None
    installed_ago: float | None = None

    def as_json(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: t.Mapping[str, t.Any]) -> Facts:
        known = dict(data)
        for name in ("services", "busy"):
            known[name] = tuple(known[name])
        known["rooms"] = {name: Room(**room) for name, room in known["rooms"].items()}
        if known["migrations"] is not None:
            state = known["migrations"]
            left = tuple(_gitlab_migrations.Migration(**one) for one in state["left"])
            known["migrations"] = _gitlab_migrations.State(**{**state, "left": left})
        return cls(**known)


@dataclasses.dataclass(frozen=True)
class Asked:
    """What to look for: version is the next stop's major.minor, for check-config."""

    version: str
    sets_path: str = _backup_request.SETS_PATH
    backup_path: str = _backup_request.BACKUP_PATH
    backup_state: str = _backup_request.STATE_PATH


def look(asked: Asked, run: _host_command.Run) -> Facts:
    """Read the server. What can't be read is said in the facts."""
    down, services_error = _services(run)
    state, migrations_error = _migrations(run)
    sets = _backup_store.good(_backup_store.sets(asked.sets_path))
    paths = {**ROOMS, "sets": asked.sets_path, "backup_path": asked.backup_path}
    return Facts(
        services=down,
        services_error=services_error,
        readiness=_readiness(),
        check_config=_check_config(asked.version, run),
        configured=pathlib.Path(BOOTSTRAPPED).exists() and pathlib.Path(ATTRIBUTES).exists(),
        migrations=state,
        migrations_error=migrations_error,
        busy=tuple(_busy(asked)),
        half=_restore_journal.unfinished(_backup_request.RESTORE_STATE_PATH) or "",
        rooms={name: Room(path, _backup_space.device(path), _backup_space.free(path)) for name, path in paths.items()},
        set_bytes=sets[-1].size if sets else None,
        installed_ago=_installed_ago(run),
    )


def _services(run: _host_command.Run) -> tuple[tuple[str, ...], str]:
    try:
        return tuple(_gitlab_services.not_running(_gitlab_services.services(run))), ""
    except OSError as exc:
        return (), str(exc)


def _readiness() -> str:
    """Why GitLab is not ready; empty where it is."""
    try:
        return _gitlab_readiness.ask(_gitlab_readiness.address())
    except (OSError, ValueError) as exc:
        return str(exc)


def _check_config(version: str, run: _host_command.Run) -> str:
    """What the installed package's check-config has against a version; it judges the last reconfigure's data."""
    done = run([_gitlab_services.GITLAB_CTL, "check-config", f"--version={version}"], timeout=CHECK_SECONDS)
    return "" if done.rc == 0 else done.words or f"exit status {done.rc}"


def _migrations(run: _host_command.Run) -> tuple[_gitlab_migrations.State | None, str]:
    try:
        return _gitlab_migrations.look(run), ""
    except (OSError, ValueError, _gitlab_psql.DatabaseError) as exc:
        return None, str(exc)


def _busy(asked: Asked) -> t.Iterator[str]:
    gitlab = _backup_lock.gitlab_at_work(_backup_request.Places().pid_file)
    if gitlab:
        yield gitlab
    for path in DNF_LOCKS:
        with contextlib.suppress(OSError):
            pid = pathlib.Path(path).read_text("utf-8").strip()
            if pid.isdigit() and _backup_lock.process_started(int(pid)) is not None:
                yield f"dnf is at work ({path} names the process {pid})"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        holder = json.loads((pathlib.Path(asked.backup_state) / _backup_lock.LOCK).read_text("utf-8"))
        if holder["pid"] != os.getpid() and _backup_lock.is_alive(holder["pid"], holder["started"]):
            yield f"{holder['words']} is at work (process {holder['pid']})"


def _installed_ago(run: _host_command.Run, now: t.Callable[[], float] = time.time) -> float | None:
    """Seconds since the package was installed; None where rpm can't say."""
    done = run(["rpm", "-q", "--qf", "%{INSTALLTIME}\\n", *_gitlab_server.PACKAGES], timeout=_gitlab_server.RPM_SECONDS)
    times = [int(line) for line in done.stdout.split("\n") if line.isdigit()]
    return max(0.0, now() - max(times)) if times else None
