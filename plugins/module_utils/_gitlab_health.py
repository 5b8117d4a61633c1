# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services and readiness of the GitLab on this host, as it says them itself. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import http.client
import json
import re
import socket
import ssl
import time
import typing as t
import urllib.parse

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _host_command

GITLAB_CTL = "/opt/gitlab/bin/gitlab-ctl"
CONFIG = "/etc/gitlab/gitlab.rb"
STATUS_SECONDS = 120
ANSWER_SECONDS = 20
PAUSE_SECONDS = 2
_EVERYWHERE = ("*", "0.0.0.0", "[::]", "::")
_SERVICE = re.compile(r"^(run|down|fail|warning): ([^:]+): (.*?)(?:; run: log: .*|; down: log: .*)?$")


@dataclasses.dataclass(frozen=True)
class Target:
    """Where this host's own readiness is asked, and by which name; the address is one of this host."""

    https: bool = False
    address: str = "127.0.0.1"
    port: int = 80
    host: str = "localhost"
    prefix: str = ""

    @classmethod
    def from_config(cls, text: str) -> Target:
        """Where nginx listens by a gitlab.rb.

        The name counts: 18.5.0 and 18.5.1 answer 404 to any other than the server's own (server facts 5.3).
        """
        url = urllib.parse.urlsplit(_setting(text, r"external_url") or "")
        https = url.scheme == "https"
        listens = _setting(text, r"nginx\['listen_https'\]\s*=")
        if listens is not None:
            https = listens == "true"
        port = _setting(text, r"nginx\['listen_port'\]\s*=") or ""
        address = _setting(text, r"nginx\['listen_addresses'\]\s*=\s*\[") or "*"
        return cls(
            https,
            "127.0.0.1" if address in _EVERYWHERE else address.strip("[]"),
            int(port) if port.isdigit() else url.port or (443 if https else 80),
            url.netloc or "localhost",
            url.path.rstrip("/"),
        )


def _setting(text: str, name: str) -> str | None:
    """The value of the last line that sets this, without quotes."""
    found = re.findall(rf"^\s*{name}\s*[\"']?([^\"'\s,\]]+)", text, re.MULTILINE)
    return str(found[-1]) if found else None


@dataclasses.dataclass(frozen=True)
class Readiness:
    """What GitLab says of itself. status is the HTTP status, 0 where nobody answered; checks are those not ok."""

    ready: bool
    status: int
    failed_checks: tuple[str, ...] = ()
    message: str = ""


def readiness(target: Target) -> Readiness:
    """Ask once; what goes wrong is the answer."""
    try:
        status, body = _get(target, f"{target.prefix}/-/readiness?all=1")
    except (OSError, http.client.HTTPException) as exc:
        return Readiness(False, 0, (), f"nobody answers at {target.address}:{target.port} ({exc})")
    failed = _failed_checks(body)
    if status == 200:
        return Readiness(not failed, status, failed, "" if not failed else f"failed: {', '.join(failed)}")
    words = {
        404: "not allowed from this host (gitlab_rails['monitoring_whitelist']), or not GitLab",
        502: "GitLab is still starting",
        503: f"failed: {', '.join(failed)}" if failed else "GitLab says that it is not ready",
    }
    return Readiness(False, status, failed, f"HTTP {status}: {words.get(status, 'unexpected')}")


def _failed_checks(body: bytes) -> tuple[str, ...]:
    """Names of the checks of which no part is ok; their set differs between versions (server facts 6)."""
    try:
        data = json.loads(body)
    except ValueError:
        return ()
    checks = {name: parts for name, parts in data.items() if isinstance(parts, list)} if isinstance(data, dict) else {}
    return tuple(
        sorted(
            name
            for name, parts in checks.items()
            if not any(isinstance(part, dict) and part.get("status") == "ok" for part in parts)
        )
    )


def _get(target: Target, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(target.address, target.port, timeout=ANSWER_SECONDS)
    try:
        if target.https:
            connection.sock = _tls(target)
        connection.request("GET", path, headers={"Host": target.host, "Accept": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read(1 << 20)
    finally:
        connection.close()


def _tls(target: Target) -> ssl.SSLSocket:
    """A connection to this host itself, so its certificate proves nothing; the name selects the site."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection((target.address, target.port), timeout=ANSWER_SECONDS)
    return context.wrap_socket(plain, server_hostname=target.host.partition(":")[0])


def wait_ready(target: Target, seconds: float) -> Readiness:
    """Ask until GitLab is ready, for at most that many seconds; the last answer."""
    until = time.monotonic() + seconds
    while True:
        found = readiness(target)
        if found.ready or time.monotonic() + PAUSE_SECONDS > until:
            return found
        time.sleep(PAUSE_SECONDS)


@dataclasses.dataclass(frozen=True)
class Service:
    """One line of `gitlab-ctl status`. state is run, down, fail (no supervisor) or warning (no access)."""

    name: str
    state: str
    detail: str


def services(run: _host_command.Run) -> list[Service]:
    """Every enabled service, also when some are down. Raises OSError where gitlab-ctl can't say."""
    done = run([GITLAB_CTL, "status"], timeout=STATUS_SECONDS)
    found = [match.groups() for match in map(_SERVICE.match, done.stdout.splitlines()) if match]
    if not found:
        raise OSError(f"gitlab-ctl status named no service (exit status {done.rc}): {done.words or 'no output'}")
    return [Service(name, state, detail) for state, name, detail in found]


def not_running(found: t.Iterable[Service]) -> list[str]:
    """Services that do not run, in gitlab-ctl's own words."""
    return [f"{one.name}: {one.state}, {one.detail}" for one in found if one.state != "run"]
