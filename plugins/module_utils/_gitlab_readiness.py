# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether GitLab is ready, asked on its own host as it wants to be asked. Standard library of Python 3.9.

Probes are answered to the loopback addresses only, and 18.5.0 and 18.5.1 answer them under GitLab's own name alone
(server facts 5.3, 6): so the request goes to 127.0.0.1 and names the host of external_url.
"""

from __future__ import annotations

import dataclasses
import http.client
import json
import pathlib
import re
import ssl
import time
import typing as t

GITLAB_YML = "/var/opt/gitlab/gitlab-rails/etc/gitlab.yml"
LOOPBACK = "127.0.0.1"
PUMA_PORT = 8080
PATH = "/-/readiness?all=1"
SECONDS = 20
PAUSE_SECONDS = 1.0


@dataclasses.dataclass(frozen=True)
class Address:
    """GitLab's own address, as its users type it."""

    host: str
    port: int
    https: bool
    prefix: str = ""

    @property
    def header(self) -> str:
        return self.host if self.port == (443 if self.https else 80) else f"{self.host}:{self.port}"


def address(gitlab_yml: str = GITLAB_YML) -> Address:
    """The address that the last reconfigure wrote; raises OSError, and ValueError where it can't be read."""
    found = section(pathlib.Path(gitlab_yml).read_text("utf-8"), "gitlab")
    if "host" not in found:
        raise ValueError(f"{gitlab_yml} names no host")
    https = str(found.get("https", "")).lower() == "true"
    port = int(found.get("port") or (443 if https else 80))
    return Address(str(found["host"]), port, https, str(found.get("relative_url_root") or "").rstrip("/"))


def section(text: str, name: str) -> dict[str, t.Any]:
    """The plain values of a section below `production`; hosts have no YAML in their standard library."""
    if text.lstrip().startswith("{"):
        return dict(json.loads(text).get("production", {}).get(name, {}))
    found = re.search(rf"^  {name}:[^\n]*\n((?:    .*\n|\s*#.*\n|\s*\n)*)", text, re.MULTILINE)
    pairs = re.findall(r"^    (\w+): *([^#\n]*)", found.group(1), re.MULTILINE) if found else []
    return {key: value.strip().strip("'\"") for key, value in pairs}


def ask(where: Address) -> str:
    """What is not ready; empty when all is. Never raises for an answer that is no good."""
    words = _asked(where, where.port, where.https)
    if words.startswith("nobody"):  # nginx listens elsewhere, or is not GitLab's
        words = _asked(where, PUMA_PORT, https=False)
    return words


def wait(seconds: float, gitlab_yml: str = GITLAB_YML) -> str:
    """Ask until all is ready, for at most that long; what is not ready then, empty when all is."""
    until = time.monotonic() + seconds
    while True:
        try:
            words = ask(address(gitlab_yml))
        except (OSError, ValueError) as exc:
            words = f"no reconfigure has written GitLab's address yet ({exc})"
        if not words or time.monotonic() + PAUSE_SECONDS > until:
            return words
        time.sleep(PAUSE_SECONDS)


def _asked(where: Address, port: int, https: bool) -> str:
    connection = _connection(port, https)
    try:
        connection.request("GET", where.prefix + PATH, headers={"Host": where.header, "Accept": "application/json"})
        answer = connection.getresponse()
        return judge(answer.status, answer.read(1 << 20).decode("utf-8", "replace"))
    except ConnectionRefusedError:
        return f"nobody listens at {LOOPBACK}:{port}"
    except (OSError, http.client.HTTPException) as exc:
        return f"{LOOPBACK}:{port} gave no answer ({exc or type(exc).__name__})"
    finally:
        connection.close()


def _connection(port: int, https: bool) -> http.client.HTTPConnection:
    if not https:
        return http.client.HTTPConnection(LOOPBACK, port, timeout=SECONDS)
    # The certificate is for GitLab's name, and nobody stands between a host and its own loopback address.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(LOOPBACK, port, timeout=SECONDS, context=context)


def judge(status: int, text: str) -> str:
    """What an answer says against readiness; nothing where each check has at least one that is ok (server facts 6)."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return f"HTTP {status}" + (" (puma is starting)" if status == 502 else "")
    checks = {name: value for name, value in found.items() if name.endswith("_check") and isinstance(value, list)}
    bad = [name for name, each in sorted(checks.items()) if not any(_is_ok(one) for one in each)]
    if bad:
        return f"HTTP {status}, not ok: {', '.join(bad)}"
    if status != 200 or found.get("status") != "ok":
        return f"HTTP {status}, {found.get('message') or found.get('status')}"
    return ""


def _is_ok(one: t.Any) -> bool:
    return isinstance(one, dict) and one.get("status") == "ok"
