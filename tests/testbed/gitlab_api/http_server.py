# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 with keep-alive: one thread a connection, one write an answer."""

from __future__ import annotations

import contextlib
import email.utils
import http
import socket
import socketserver
import struct
import typing as t
import uuid

from .errors import Headers
from .web import Request, Response, json_response, text_response

if t.TYPE_CHECKING:
    from .app import Twin

_MAX_LINE = 65536
_NO_BODY = (204, 304)


class Malformed(Exception):
    """Not HTTP as this server reads it."""


def _headers(rfile: t.BinaryIO) -> dict[str, str]:
    found: dict[str, str] = {}
    while True:
        line = rfile.readline(_MAX_LINE)
        if line in (b"\r\n", b"\n"):
            return found
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise Malformed(f"bad header line {line!r}")
        found[name.strip().lower()] = value.strip()


def _chunked(rfile: t.BinaryIO) -> bytes:
    parts: list[bytes] = []
    while True:
        size = int(rfile.readline(_MAX_LINE).partition(b";")[0], 16)
        if size == 0:
            _headers(rfile)
            return b"".join(parts)
        parts.append(rfile.read(size))
        rfile.readline(_MAX_LINE)


def read_request(rfile: t.BinaryIO, peer: str, go_on: t.Callable[[], None]) -> Request | None:
    """Read one request; None when the client has gone. `go_on` says 100 Continue."""
    line = rfile.readline(_MAX_LINE)
    if not line.strip():
        return None
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Malformed(f"bad request line {line!r}")
    headers = _headers(rfile)
    if headers.get("expect", "").lower() == "100-continue":
        go_on()
    try:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = _chunked(rfile)
        else:
            body = rfile.read(int(headers.get("content-length", "0")))
    except ValueError as exc:
        raise Malformed("bad length of the body") from exc
    path, _unused, query = words[1].partition("?")
    if "connection" not in headers and words[2] == "HTTP/1.0":
        headers["connection"] = "close"
    return Request(words[0], path, query, headers, body, peer)


def encode(response: Response, *, head: bool, close: bool) -> bytes:
    """Return the bytes of an answer."""
    lines = [
        f"HTTP/1.1 {response.status} {_reason(response.status)}",
        "Server: nginx",
        f"Date: {email.utils.formatdate(usegmt=True)}",
    ]
    headers: Headers = (*response.headers, ("X-Request-Id", uuid.uuid4().hex.upper()[:26]))
    if response.status not in _NO_BODY:
        headers = (*headers, ("Content-Length", str(len(response.body))))
    lines += [f"{name}: {value}" for name, value in (*headers, ("Connection", "close" if close else "keep-alive"))]
    block = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return block if head or response.status in _NO_BODY else block + response.body


def _reason(status: int) -> str:
    with contextlib.suppress(ValueError):
        return http.HTTPStatus(status).phrase
    return "Unknown"


class Handler(socketserver.StreamRequestHandler):
    """One connection."""

    disable_nagle_algorithm = True  # otherwise small answers wait for the client's delayed ACK

    def handle(self) -> None:
        server = t.cast("Server", self.server)
        server.connections.add(self.connection)
        try:
            while self._one(server.twin):
                pass
        except (ConnectionError, TimeoutError):
            return  # the client went away
        finally:
            server.connections.discard(self.connection)

    def _one(self, twin: Twin) -> bool:
        """Answer one request and say whether another may follow."""
        try:
            request = read_request(t.cast(t.BinaryIO, self.rfile), self.client_address[0], self._go_on)
        except Malformed as error:
            self.connection.sendall(encode(text_response(400, f"{error}\n"), head=False, close=True))
            return False
        if request is None:
            return False
        try:
            response = twin.answer(request)
        except Exception:
            if twin.stopping:
                return False
            crash = json_response(500, {"message": "500 Internal Server Error"})
            self.connection.sendall(encode(crash, head=False, close=True))
            raise
        if response is None:
            self._drop()
            return False
        close = request.header("connection").lower() == "close"
        self.connection.sendall(encode(response, head=request.method == "HEAD", close=close))
        return not close

    def _go_on(self) -> None:
        self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _drop(self) -> None:
        """Reset the connection, as a killed server would."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Server(socketserver.ThreadingTCPServer):
    """Listens for a twin."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, twin: Twin, bind: str, port: int) -> None:
        self.twin = twin
        self.connections: set[socket.socket] = set()
        super().__init__((bind, port), Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def stop(self) -> None:
        """End the listening and every open connection."""
        self.twin.stopping = True
        self.shutdown()
        self.server_close()
        with self.twin.store.changed:
            self.twin.store.changed.notify_all()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
