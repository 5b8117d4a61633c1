# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a GitLab server says of itself, part by part, also when parts of it are down. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _gitlab_fingerprint,
    _gitlab_migrations,
    _gitlab_psql,
    _gitlab_readiness,
    _gitlab_services,
    _host_command,
)

PACKAGES = {"gitlab-ce": "ce", "gitlab-ee": "ee"}
GITLAB_RAKE = "/opt/gitlab/bin/gitlab-rake"
RPM_SECONDS = 60
# A full start of Rails takes tens of seconds, on a small or busy host minutes.
RAKE_SECONDS = 900


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the parts come from; other than the defaults only in tests."""

    run: _host_command.Run = _host_command.run
    gitlab_yml: str = _gitlab_readiness.GITLAB_YML
    fingerprint: _gitlab_fingerprint.Places = dataclasses.field(default_factory=_gitlab_fingerprint.Places)
    migrations: _gitlab_migrations.Places = dataclasses.field(default_factory=_gitlab_migrations.Places)


def gathered(parts: t.Sequence[str], source: Source) -> dict[str, t.Any]:
    """The parts asked for; what could not be read is None, and unread says why, by part."""
    found: dict[str, t.Any] = {}
    unread: dict[str, str] = {}
    for part in parts:
        try:
            found[part] = PARTS[part](source)
        except (OSError, ValueError, _gitlab_psql.DatabaseError) as exc:
            found[part] = None
            unread[part] = str(exc)
    return {**found, "unread": unread}


def version(source: Source) -> dict[str, str]:
    """Version, release and edition of the installed package. Raises OSError where there is none."""
    query = ["rpm", "-q", "--qf", "%{NAME} %{VERSION} %{RELEASE}\\n", *PACKAGES]
    for line in source.run(query, timeout=RPM_SECONDS).stdout.splitlines():
        words = line.split()
        if len(words) == 3 and words[0] in PACKAGES:
            return {"package": words[0], "version": words[1], "release": words[2], "edition": PACKAGES[words[0]]}
    raise OSError("GitLab is not installed here")


def services(source: Source) -> list[dict[str, str]]:
    return [dataclasses.asdict(one) for one in _gitlab_services.services(source.run)]


def readiness(source: Source) -> dict[str, t.Any]:
    words = _gitlab_readiness.ask(_gitlab_readiness.address(source.gitlab_yml))
    return {"ready": not words, "message": words}


def migrations(source: Source) -> dict[str, t.Any]:
    """Migrations by SQL, which needs neither Rails nor a running web service."""
    statement = "SELECT count(*), max(version) FROM schema_migrations;"
    ((count, newest),) = _gitlab_psql.rows(source.run, [statement], timeout=_gitlab_migrations.SQL_SECONDS)
    state = _gitlab_migrations.look(source.run, source.migrations)
    names = ("status", "job_class_name", "table_name", "column_name")
    return {
        "schema_migrations": int(count),
        "schema_version": newest,
        "batched": dict(state.counts),
        "unfinished": [{name: getattr(one, name) for name in names} for one in state.left],
    }


def environment(source: Source) -> dict[str, dict[str, t.Any]]:
    """`gitlab:env:info` as data. Raises OSError where Rails does not start."""
    done = source.run([GITLAB_RAKE, "gitlab:env:info"], timeout=RAKE_SECONDS)
    if done.rc != 0:
        raise OSError(f"gitlab-rake gitlab:env:info ended with {done.rc}: {done.words}")
    return sections(done.stdout)


def sections(text: str) -> dict[str, dict[str, t.Any]]:
    """Sections by their headers, and in each the lines by what stands before the first colon (server facts 3.1).

    A list that follows a key (Repository storages) is a dictionary of its own; other lists belong to their section.
    """
    found: dict[str, dict[str, t.Any]] = {}
    section: dict[str, t.Any] = {}
    inner: dict[str, t.Any] | None = None
    for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines():
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not key:
            inner = None
        elif not colon:
            section = found.setdefault(key, {})
            inner = None
        elif key.startswith("- "):
            (section if inner is None else inner)[key[2:].strip()] = value
        elif not value:
            inner = section.setdefault(key, {})
        else:
            section[key], inner = value, None
    return {name: {key: value or "" for key, value in lines.items()} for name, lines in found.items()}


def fingerprint(source: Source) -> dict[str, t.Any]:
    return _gitlab_fingerprint.take(source.run, places=source.fingerprint).as_dict()


PARTS: dict[str, t.Callable[[Source], t.Any]] = {
    "version": version,
    "services": services,
    "readiness": readiness,
    "migrations": migrations,
    "environment": environment,
    "fingerprint": fingerprint,
}
