# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as the genuine client speaks it: header order, one attempt or five, errors in Go's words (observed facts 4)."""

from __future__ import annotations

import errno
import http.client
import json
import os
import random
import socket
import threading
import time
import typing as t
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from .build import Build
from .traits import Trait, Traits

CERTIFICATES = Path("/etc/gitlab-runner/certs")
TIMEOUT = 600.0
ATTEMPTS = 5
RETRIED = frozenset((408, 429, 500, 502, 503, 504))
CLIENT_ERROR = -100  # the request could not even be made


@dataclass(frozen=True)
class Reply:
    """What came back; status -1 when nothing did. text is what logs show as status=."""

    status: int
    text: str
    reason: str = ""
    headers: t.Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def json(self) -> dict[str, t.Any]:
        """Return the body, empty unless the server says that it is JSON."""
        if not self.headers.get("content-type", "").startswith("application/json"):
            return {}
        try:
            data = json.loads(self.body)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}


@dataclass(frozen=True)
class Request:
    """One call below /api/v4/."""

    method: str
    path: str
    body: t.Optional[bytes] = None
    headers: t.Mapping[str, str] = field(default_factory=dict)


def json_body(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def _network_error(method: str, url: str, exc: Exception, host: str, port: int) -> str:
    verb = method.capitalize()
    if isinstance(exc, socket.gaierror):
        detail = f"dial tcp: lookup {host}: no such host"
    elif isinstance(exc, ConnectionRefusedError):
        detail = f"dial tcp {_address(host, port)}: connect: connection refused"
    elif isinstance(exc, (http.client.RemoteDisconnected, http.client.IncompleteRead)):
        detail = "EOF"
    elif isinstance(exc, TimeoutError):
        detail = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    elif isinstance(exc, OSError) and exc.errno in errno.errorcode:
        detail = f"dial tcp {_address(host, port)}: connect: {os.strerror(exc.errno or 0).lower()}"
    else:
        detail = str(exc)
    return f'couldn\'t execute {method} against {url}: {verb} "{url}": {detail}'


def _address(host: str, port: int) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    name = found[4][0]
    return f"[{name}]:{port}" if found[0] == socket.AF_INET6 else f"{name}:{port}"


class Client:
    """Speaks to one GitLab for one entry; remembers X-GitLab-Last-Update and any pause it owes the server."""

    def __init__(self, build: Build, traits: Traits, url: str, ca_file: str = "") -> None:
        self.last_update = ""
        self.not_before = 0.0
        self._build = build
        self._traits = traits
        stripped = url.rstrip("/")
        self._base = (stripped[:-3] if stripped.endswith("/ci") else stripped) + "/api/v4/"
        self._parts = urllib.parse.urlsplit(self._base)
        self._ca_file = ca_file
        self._live: set[http.client.HTTPConnection] = set()
        self._lock = threading.Lock()
        self._cancelled = False

    def call(self, request: Request) -> Reply:
        """Send the request, again where this version does that inside one call."""
        if self._parts.scheme not in ("http", "https"):
            return Reply(CLIENT_ERROR, "only http or https scheme supported")
        reply = self._once(request)
        for attempt in range(1, ATTEMPTS if self._traits.has(Trait.RETRIES) else 1):
            if (reply.status not in RETRIED and reply.status < 512) or self._cancelled:
                break
            time.sleep(_wait(reply, attempt))
            reply = self._once(request)
        return reply

    def cancel(self) -> None:
        """Break off what is under way."""
        with self._lock:
            self._cancelled = True
            live = list(self._live)
        for connection in live:
            if connection.sock is not None:
                try:
                    connection.sock.shutdown(socket.SHUT_RDWR)
                except OSError:  # it ended by itself meanwhile
                    continue

    def resume(self) -> None:
        with self._lock:
            self._cancelled = False

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port or 80, timeout=TIMEOUT)
        import ssl

        context = ssl.create_default_context()
        own = Path(self._ca_file) if self._ca_file else CERTIFICATES / f"{host}.crt"
        if own.exists():
            context.load_verify_locations(str(own))
        return http.client.HTTPSConnection(host, port or 443, timeout=TIMEOUT, context=context)

    def _once(self, request: Request) -> Reply:
        url = self._base + request.path
        connection = self._connection()
        with self._lock:
            self._live.add(connection)
        try:
            self._send(connection, request)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as exc:
            text = _network_error(request.method, url, exc, connection.host, connection.port)
            return Reply(-1, text)
        finally:
            with self._lock:
                self._live.discard(connection)
            connection.close()
        return self._reply(request.method, url, answer, body)

    def _send(self, connection: http.client.HTTPConnection, request: Request) -> None:
        """Send headers in the order in which Go sends them."""
        path = self._parts.path + request.path
        connection.putrequest(request.method, path, skip_accept_encoding=True)
        connection.putheader("User-Agent", self._build.user_agent)
        if request.body is not None:
            connection.putheader("Content-Length", str(len(request.body)))
        headers = dict(request.headers)
        if self._traits.has(Trait.REQUEST_ID):
            headers["X-Request-Id"] = f"{random.getrandbits(128):032x}"
        for name in sorted(headers):
            connection.putheader(name, headers[name])
        connection.putheader("Accept-Encoding", "gzip")
        connection.endheaders(request.body)

    def _reply(self, method: str, url: str, answer: http.client.HTTPResponse, body: bytes) -> Reply:
        headers = {name.lower(): value for name, value in answer.getheaders()}
        if headers.get("content-encoding") == "gzip":
            import gzip

            body = gzip.decompress(body)
        self.last_update = headers.get("x-gitlab-last-update", self.last_update)
        reason = answer.reason or http.client.responses.get(answer.status, "")
        status = f"{answer.status} {reason}"
        reply = Reply(answer.status, f"{method} {url}: {status}", status, headers, body)
        message = reply.json().get("message")
        if answer.status >= 400 and isinstance(message, str) and message not in ("", status):
            return Reply(answer.status, f"{reply.text} ({message})", status, headers, body)
        return reply


def _wait(reply: Reply, attempt: int) -> float:
    """Return the pause before another attempt: the server's wish, else 100 ms and growing."""
    reset = reply.headers.get("ratelimit-resettime", "")
    if reset:
        import email.utils

        return max(0.0, email.utils.mktime_tz(email.utils.parsedate_tz(reset) or (0,) * 10) - time.time())
    wish = reply.headers.get("retry-after", "")
    if wish.isdigit():
        return float(wish)
    return float(min(60.0, 0.1 * 2**attempt) * random.uniform(0.5, 1.0))
