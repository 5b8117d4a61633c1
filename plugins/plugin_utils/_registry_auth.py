# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials of container registries in the file that the runner reads for its jobs' images: pure functions.

The runner looks for them in ~/.docker/config.json of the user of its main process, at every pull, so no restart is
needed (GitLab Runner docs, "Use statically-defined credentials"). Others write that file too (docker login, credential
helpers): only entries of registries are touched, and a record says which are ours.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import re
import shlex
import typing as t

CONFIG = "/root/.docker/config.json"
RECORD = "/etc/gitlab-runner/.fleetwright-registries.json"
DOCKER_HUB = "https://index.docker.io/v1/"
CONFLICT = 75
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]+)?")

Registries = t.Mapping[str, t.Mapping[str, str]]


class RegistryError(Exception):
    """The declaration or a file on the host can't work; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Write:
    """A file to write, and what must still be in it for that."""

    path: str
    content: str = dataclasses.field(repr=False)
    before: str | None = dataclasses.field(repr=False)

    def guard(self) -> str:
        """A shell line that ends with CONFLICT when someone else has written the file meanwhile."""
        path = shlex.quote(self.path)
        if self.before is None:
            return f"test ! -e {path} || exit {CONFLICT}\n"
        digest = hashlib.sha256(self.before.encode()).hexdigest()
        return f'test "$(sha256sum < {path})" = "{digest}  -" || exit {CONFLICT}\n'


@dataclasses.dataclass(frozen=True)
class RegistryPlan:
    """What is written, in this order; the record comes before what it speaks of, and is tidied after it."""

    writes: tuple[Write, ...]
    set: tuple[str, ...]
    removed: tuple[str, ...]


def plan(files: t.Mapping[str, str], service: str, registries: Registries) -> RegistryPlan:
    """Compare the files with the declaration of one service.

    An entry that is no longer declared goes only while it still holds what this service wrote, and no other service
    of the host declared it. Raises RegistryError.
    """
    faults = list(problems(registries))
    if faults:
        raise RegistryError(" ".join(faults))
    text, recorded = files.get(CONFIG), files.get(RECORD)
    config, record = _loaded(text, CONFIG), _loaded(recorded, RECORD)
    auths = _table(config.get("auths"), CONFIG)
    wanted = {host: _auth(one["username"], one["password"]) for host, one in registries.items()}
    mine = _table(record.get(service), RECORD)
    others = {host for name, hosts in record.items() if name != service for host in _table(hosts, RECORD)}
    changed = tuple(host for host, auth in wanted.items() if not _holds(auths.get(host), auth))
    gone = tuple(
        host
        for host, digest in mine.items()
        if host not in wanted and host not in others and _digest(_auth_of(auths.get(host))) == digest
    )
    entries = {host: entry for host, entry in auths.items() if host not in gone}
    entries.update({host: {"auth": wanted[host]} for host in changed})
    target = {**config, "auths": entries} if changed or gone else config
    digests = {host: _digest(auth) for host, auth in wanted.items()}
    announced = _tidied({**record, service: {**{host: mine[host] for host in gone}, **digests}})
    now = {RECORD: (recorded, record), CONFIG: (text, config)}
    steps = ((RECORD, announced), (CONFIG, target), (RECORD, _tidied({**record, service: digests})))
    return RegistryPlan(tuple(_writes(now, steps)), changed, gone)


def _writes(
    now: dict[str, tuple[str | None, dict[str, t.Any]]], steps: t.Iterable[tuple[str, dict[str, t.Any]]]
) -> t.Iterator[Write]:
    """Only the steps that change what a file means after those before them."""
    for path, value in steps:
        text, meaning = now[path]
        if value != meaning:
            content = _dumped(value)
            yield Write(path, content, text)
            now[path] = (content, value)


def _tidied(record: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {service: hosts for service, hosts in record.items() if hosts}


def problems(registries: Registries) -> t.Iterator[str]:
    """Faults of the declaration; no secret is in them."""
    for host, credentials in registries.items():
        where = f"gitlab_runner_registries[{host}]"
        if host != DOCKER_HUB and not _HOST.fullmatch(host):
            yield f"{where}: give the registry's host, and its port if it has one; Docker Hub is {DOCKER_HUB}."
        if not isinstance(credentials, t.Mapping) or set(credentials) != {"username", "password"}:
            yield f"{where} must have a username and a password, and nothing else."
        elif not all(isinstance(value, str) and value for value in credentials.values()):
            yield f"{where}: username and password must be strings that are not empty; quote numbers."
        elif ":" in credentials["username"]:
            yield f"{where}.username holds a colon, which ends it in Docker's format."


def _loaded(text: str | None, path: str) -> dict[str, t.Any]:
    try:
        return _table(json.loads(text) if text and text.strip() else {}, path)
    except ValueError:
        raise RegistryError(
            f"{path} on the host is no JSON, so neither Docker nor the runner can read it. Repair it, or remove it."
        ) from None


def _table(value: t.Any, path: str) -> dict[str, t.Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RegistryError(f"{path} on the host does not have the form that Docker gives it. Repair it, or remove it.")
    return value


def _dumped(value: t.Mapping[str, t.Any]) -> str:
    """JSON as Docker itself writes it."""
    return json.dumps(value, indent="\t", ensure_ascii=False) + "\n"


def _auth(username: str, password: str) -> str:
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def _auth_of(entry: t.Any) -> str:
    return str(entry.get("auth", "")) if isinstance(entry, dict) else ""


def _holds(entry: t.Any, auth: str) -> bool:
    """Whether an entry says the same; a token of docker login would win over the password."""
    return _auth_of(entry) == auth and not {"identitytoken", "registrytoken"} & set(entry)


def _digest(auth: str) -> str:
    return hashlib.sha256(auth.encode()).hexdigest()
