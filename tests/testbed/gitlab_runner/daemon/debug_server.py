# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server on listen_address (observed facts 7)."""

from __future__ import annotations

import http.server
import socket
import socketserver
import threading
import typing as t

from ..config import go_error
from ..traits import Trait
from .manager import Manager
from .metrics import Duplicate, Metrics

DEFAULT_PORT = 9252
TEXT = "text/plain; charset=utf-8"


class Answer(t.NamedTuple):
    """One answer."""

    status: int
    body: str
    kind: str = TEXT
    headers: t.Mapping[str, str] = {}


NOT_FOUND = Answer(404, "404 page not found\n", TEXT, {"X-Content-Type-Options": "nosniff"})


class Pages:
    """Answers by path."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._metrics = Metrics(manager)
        plain = manager.app.traits.has(Trait.PLAIN_METRICS_TYPE)
        self._metrics_type = "text/plain; version=0.0.4; charset=utf-8" + ("" if plain else "; escaping=underscores")

    def answer(self, path: str) -> Answer:
        path = path.partition("?")[0]
        if path == "/metrics":
            return self._exposed()
        if path == "/debug/jobs/list":
            return Answer(200, self._metrics.jobs_list(), "text/plain", {"X-List-Version": "2"})
        if path.startswith("/debug/pprof/"):
            return Answer(200, "<html><head><title>/debug/pprof/</title></head></html>\n", "text/html; charset=utf-8")
        if self._manager.app.traits.has(Trait.STATE_ENDPOINTS):
            states = {"/debug/process/state": self._manager.state, "/health/ready": "ready"}
            if path in states:
                return Answer(200, states[path])
        return NOT_FOUND

    def _exposed(self) -> Answer:
        try:
            return Answer(200, self._metrics.text(), self._metrics_type)
        except Duplicate as exc:
            return Answer(500, f"An error has occurred while serving metrics:\n\n{exc}\n")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Binds without asking the name service who it is."""

    daemon_threads = True
    pages: Pages

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class Server6(Server):
    """The same on IPv6, and on IPv4 as well where no address is given."""

    address_family = socket.AF_INET6


class Handler(http.server.BaseHTTPRequestHandler):
    """GET and HEAD."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        answer = self.server.pages.answer(self.path)
        body = answer.body.encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": answer.kind, **answer.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""


def split_address(address: str) -> tuple[str, int]:
    """Return host and port; raises ValueError for what is no address."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, port = address, str(DEFAULT_PORT)
    if not port.isdigit() or int(port) > 65535 or "/" in host or " " in host:
        raise ValueError(f"address {address}: invalid")
    return host.strip("[]"), int(port)


def listen(manager: Manager) -> bool:
    """Open the server if there is an address; False when its port is taken."""
    address = manager.options.listen_address or manager.config.data.get("listen_address", "")
    if not address:
        manager.logger.info("listen_address not defined, metrics & debug endpoints disabled", manager.fields())
        return True
    try:
        host, port = split_address(address)
    except ValueError as exc:
        manager.logger.error("invalid listen address", manager.fields(error=exc))
        return True
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        server = (Server6 if ":" in host or not host else Server)((host, port), Handler)
    except OSError as exc:
        manager.logger.log(
            "fatal",
            "Failed to create listener for metrics server",
            manager.fields(error=f"listen tcp {shown}: bind: {go_error(exc)}"),
        )
        return False
    server.pages = Pages(manager)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    manager.logger.info("Metrics server listening", manager.fields(address=shown))
    return True
