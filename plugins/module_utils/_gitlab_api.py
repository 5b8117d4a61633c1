# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that speaks HTTP to GitLab.

Standard library only, so that it runs in the controller's process as well as on a host. One keep-alive
connection a thread and one TLS context for all of them: a context costs 18 ms, a new connection a round trip.
"""

from __future__ import annotations

import dataclasses
import http.client
import json
import random
import ssl
import threading
import time
import typing as t
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError, error_detail

RETRIED = frozenset({429, 502, 503, 504})
MAX_TRIES = 5
MAX_PAUSE = 60.0

Item = t.TypeVar("Item")
Result = t.TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer with a status that the caller said to expect."""

    status: int
    headers: t.Mapping[str, str]
    data: t.Any


@dataclasses.dataclass(frozen=True)
class Call:
    """One request. `attempt` completes the sentence "Could not ..."; `repeatable` is false for what creates."""

    method: str
    path: str
    attempt: str
    body: t.Any = None
    expect: tuple[int, ...] = (200, 201, 202, 204)
    repeatable: bool = True
    with_token: bool = True


class GitLab:
    """A client for GitLab's REST API v4; safe to use from several threads."""

    def __init__(self, endpoint: Endpoint, sleep: t.Callable[[float], None] = time.sleep) -> None:
        self.endpoint = endpoint
        self._base = urllib.parse.urlsplit(endpoint.base)
        if self._base.scheme not in ("http", "https") or not self._base.hostname:
            raise GitLabError(
                "use api_url",
                0,
                f"{endpoint.api_url!r} is no http or https URL",
                "Give the base URL of GitLab, for example https://gitlab.example.com.",
            )
        self._proxy = _gitlab_endpoint.proxy_for(self._base)
        self._context = _gitlab_endpoint.tls_context(endpoint) if self._base.scheme == "https" else None
        self._local = threading.local()
        self._open: list[http.client.HTTPConnection] = []
        self._sleep = sleep

    def each(self, work: t.Callable[[Item], Result], items: t.Sequence[Item], connections: int) -> list[Result]:
        """Run work over items with at most `connections` requests at a time; the first error is raised."""
        if not items:
            return []
        with ThreadPoolExecutor(max_workers=min(connections, len(items))) as pool:
            return list(pool.map(work, items))

    def request(self, call: Call) -> Answer:
        """Send a call, again where that is safe, and return its answer.

        Raises GitLabError for every status that the call does not expect and when GitLab can't be reached.
        """
        for tried in range(1, MAX_TRIES + 1):
            last = tried == MAX_TRIES
            try:
                status, headers, text = self._send(call)
            except (OSError, http.client.HTTPException) as exc:
                self._drop()
                if last or not call.repeatable or isinstance(exc, ssl.SSLError):
                    raise self._unreachable(call, exc) from exc
                self._sleep(_pause(tried, {}))
                continue
            if status in call.expect:
                return Answer(status, headers, self._decoded(call, status, headers, text))
            # 429 is answered before anything is done; the others may come after a create that worked.
            if status in RETRIED and not last and (call.repeatable or status == 429):
                self._sleep(_pause(tried, headers))
                continue
            raise self._refused(call, status, headers, text)
        raise AssertionError("the last try returns or raises")

    def next_page(self, answer: Answer) -> str | None:
        """The path of the next page, from the Link header; its host is GitLab's external_url and is left out."""
        for part in answer.headers.get("link", "").split(","):
            target, _sep, parameters = part.partition(";")
            if 'rel="next"' in parameters:
                url = urllib.parse.urlsplit(target.strip().strip("<>"))
                path = url.path[url.path.find("/api/v4") + len("/api/v4") :]
                return f"{path}?{url.query}" if url.query else path
        return None

    def close(self) -> None:
        """Close every connection that a thread opened."""
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _send(self, call: Call) -> tuple[int, dict[str, str], str]:
        if not call.repeatable:
            self._drop()  # a kept connection may have been closed meanwhile: then nobody knows whether it was created
        connection = self._connection()
        headers = {"Accept": "application/json", "User-Agent": "fleetwright.gitlab_aws"}
        if call.with_token and self.endpoint.api_token:
            headers["PRIVATE-TOKEN"] = self.endpoint.api_token
        if self._proxy and self._context is None:
            headers.update(_gitlab_endpoint.proxy_login(self._proxy))
        body = None
        if call.body is not None:
            body = json.dumps(call.body).encode()
            headers["Content-Type"] = "application/json"
        connection.request(call.method, self._target(call.path), body=body, headers=headers)
        response = connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        return response.status, {key.lower(): value for key, value in response.getheaders()}, text

    def _target(self, path: str) -> str:
        target = self._base.path + path
        if self._proxy and self._base.scheme == "http":
            return f"http://{self._base.netloc}{target}"
        return target

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
            self._open.append(connection)
        return connection

    def _connect(self) -> http.client.HTTPConnection:
        host, port = t.cast(str, self._base.hostname), self._base.port
        timeout = self.endpoint.timeout
        via = self._proxy
        if self._context is None:
            where = (t.cast(str, via.hostname), via.port or 80) if via else (host, port or 80)
            return http.client.HTTPConnection(*where, timeout=timeout)
        if via is None:
            return http.client.HTTPSConnection(host, port or 443, timeout=timeout, context=self._context)
        tunnel = http.client.HTTPSConnection(
            t.cast(str, via.hostname), via.port or 3128, timeout=timeout, context=self._context
        )
        tunnel.set_tunnel(host, port or 443, _gitlab_endpoint.proxy_login(via))
        return tunnel

    def _drop(self) -> None:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _unreachable(self, call: Call, exc: Exception) -> GitLabError:
        detail = f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
        remedy = _gitlab_endpoint.tls_remedy(exc) or (
            f"Check from this machine that {self.endpoint.base} answers (address, firewall, proxy)."
        )
        if not call.repeatable:
            remedy += " Whether GitLab did it is not known; run this again, it looks for what was done first."
        return GitLabError(call.attempt, 0, detail, remedy)

    def _decoded(self, call: Call, status: int, headers: t.Mapping[str, str], text: str) -> t.Any:
        """The answer's data; a proxy or login page in GitLab's place answers 200 too, but with something else."""
        try:
            if "json" in headers.get("content-type", ""):
                return json.loads(text) if text else None
        except ValueError:
            pass
        if status in (200, 201):
            raise self._not_gitlab(call, status, text)
        return text

    def _not_gitlab(self, call: Call, status: int, text: str) -> GitLabError:
        remedy = f"Check that {self.endpoint.base} (api_url) is GitLab itself, and what stands between."
        return GitLabError(call.attempt, status, f"an answer that is not GitLab's: {error_detail(text)}", remedy)

    def _refused(self, call: Call, status: int, headers: t.Mapping[str, str], text: str) -> GitLabError:
        if 300 <= status < 400:
            where = headers.get("location", "another address")
            return GitLabError(call.attempt, status, f"redirected to {where}", "Set api_url to the final address.")
        if status < 300:
            return self._not_gitlab(call, status, text)
        return GitLabError(call.attempt, status, error_detail(text))


def _pause(tried: int, headers: t.Mapping[str, str]) -> float:
    """Seconds until the next try: what GitLab asks for, else growing with a random part."""
    asked = headers.get("retry-after", "")
    if asked.isdigit():
        return min(float(asked), MAX_PAUSE)
    return float(0.25 * 2**tried * (1 + random.random()))
