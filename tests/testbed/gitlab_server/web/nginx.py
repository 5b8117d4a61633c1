# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The front: hands requests to puma and answers itself where nginx (or the program behind it) would."""

from __future__ import annotations

import http.client
import json
import re
import signal
import ssl
import sys
import threading
import time
import typing as t

from ...gitlab_api.http_server import Server
from ...gitlab_api.web import Request, Response, text_response
from ..places import SETTINGS, Places, here
from ..releases import release
from .stop import on_term

PUMA_PORT = 8080
_PAGE = "<html>\n<head><title>{0}</title></head>\n<body><center><h1>{0}</h1></center></body>\n</html>\n"
BOOTING = _PAGE.format("502 Whoops, GitLab is taking too much time to respond.")
NOT_FOUND = _PAGE.format("404 Not Found")
# These two answered probes only under their own name (server facts 5.3).
NAMED_PROBES = ("18.5.0", "18.5.1")
PROBES = ("/-/health", "/-/liveness", "/-/readiness")
HOP = frozenset(("connection", "keep-alive", "transfer-encoding", "content-length", "expect", "server", "date"))
HTML = "text/html; charset=utf-8"

_LOCATION = re.compile(r"location\s+(?:(=|~|\^~)\s+)?(\S+)\s*\{([^}]*)\}")
_RETURN = re.compile(r"\breturn\s+(\d+)")


# A whole server that answers some clients by itself.
_SERVER_IF = re.compile(r"^\s*if \(\$remote_addr !~ \"(.+?)\"\) \{ return (\d+); \}", re.MULTILINE)


class Locations:
    """What nginx['custom_gitlab_server_config'] answers by itself: locations that return a status."""

    def __init__(self, text: str) -> None:
        self.rules = []
        for kind, path, body in _LOCATION.findall(text):
            status = _RETURN.search(body)
            if status or "deny all" in body:
                self.rules.append((kind, path, int(status[1]) if status else 403))

    def status(self, path: str) -> t.Optional[int]:
        """Return the status that a path gets here, None when it goes on."""
        for kind, pattern, status in self.rules:
            exact, matches = kind == "=" and path == pattern, kind == "~" and re.search(pattern, path)
            if exact or matches or (kind in ("", "^~") and path.startswith(pattern)):
                return int(status)
        return None


class Nginx:
    """Answers for the site; read again on HUP."""

    def __init__(self, places: Places, port: int = PUMA_PORT) -> None:
        self.places = places
        self.port = port
        self.stopping = False
        self.version = (places.rails / "VERSION").read_text(encoding="utf-8").strip()
        self.named_probes = release(self.version).version in NAMED_PROBES
        self.load()

    def load(self) -> None:
        """Read the configuration that reconfigure has rendered."""
        file = self.places.var / "nginx/conf/gitlab-http.conf"
        text = file.read_text(encoding="utf-8")
        self.settings: dict[str, t.Any] = json.loads(text.partition("\n")[0][len(SETTINGS) :])
        self.locations = Locations(self.settings["custom"])
        self.turned_away = [(re.compile(match[1]), int(match[2])) for match in _SERVER_IF.finditer(text)]

    def answer(self, request: Request) -> t.Optional[Response]:
        """Return an answer of its own, or puma's."""
        own = self._turned_away(request.peer) or self.locations.status(request.path)
        if own is not None:
            return text_response(own, f"<html><h1>{own}</h1></html>\n", kind=HTML)
        host = request.header("host").partition(":")[0]
        if self.named_probes and request.path in PROBES and host != self.settings["host"]:
            return text_response(404, NOT_FOUND, kind=HTML)
        page = self.places.rails / "public/index.html"
        if page.exists() and not request.path.startswith("/api/"):
            return text_response(200, page.read_text(encoding="utf-8"), kind=HTML)
        return self._from_puma(request)

    def _turned_away(self, peer: str) -> t.Optional[int]:
        return next((status for pattern, status in self.turned_away if not pattern.search(peer)), None)

    def _from_puma(self, request: Request) -> t.Optional[Response]:
        target = request.path + (f"?{request.query}" if request.query else "")
        headers = {name: value for name, value in request.headers.items() if name not in HOP}
        headers.update({"x-forwarded-for": request.peer, "connection": "close"})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(request.method, target, body=request.body or None, headers=headers)
            answer = connection.getresponse()
            kept = tuple((name, value) for name, value in answer.getheaders() if name.lower() not in HOP)
            return Response(answer.status, answer.read(), kept)
        except ConnectionRefusedError:
            return text_response(502, BOOTING, kind=HTML)
        except (OSError, http.client.HTTPException):
            return None  # puma dropped the connection: so does the front
        finally:
            connection.close()


def _listen(nginx: Nginx) -> Server:
    server = Server(t.cast(t.Any, nginx), "0.0.0.0", nginx.settings["port"])
    if nginx.settings["https"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(nginx.settings["certificate"], nginx.settings["key"])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


def main() -> int:
    """Serve until told to stop."""
    places = here()
    try:
        nginx = Nginx(places)
        server = _listen(nginx)
    except (OSError, ssl.SSLError) as exc:
        print(f"nginx: [emerg] {exc}", flush=True)
        time.sleep(1)
        return 1
    signal.signal(signal.SIGHUP, lambda *_: nginx.load())
    on_term(threading.Thread(target=server.shutdown).start)
    server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
