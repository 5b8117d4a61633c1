# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rails' web server: the API twin over the node's own state."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import threading
import time
import typing as t

from ...gitlab_api.app import Twin
from ...gitlab_api.http_server import Server
from ...gitlab_api.router import Match
from ...gitlab_api.web import Request, Response
from .. import faults
from ..places import Places, here
from .nginx import PUMA_PORT
from .stop import on_term

BOOT_SECONDS = 0.5
# A check fails when what it asks is not there; the files stand where the sockets would be.
SIGNS = {
    "db_check": "postgresql/.s.PGSQL.5432",
    "cache_check": "redis/redis.socket",
    "redis_check": "redis/redis.socket",
    "gitaly_check": "gitaly/gitaly.socket",
}


def failed_checks(places: Places, *, every: bool) -> list[str]:
    """Return the readiness checks that fail; without all=1 only the web server's own is made (server facts 6)."""
    asked = faults.fault("never-ready", places)
    found = [asked or "master_check"] if asked is not None else []
    if every:
        found += [name for name, sign in SIGNS.items() if not (places.var / sign).exists()]
    return found


class Web(Twin):
    """The API twin that knows the node it runs on."""

    def __init__(self, places: Places, db: str, version: str, settings: t.Mapping[str, t.Any]) -> None:
        host = settings["gitlab"]
        scheme, port = ("https", 443) if host["https"] else ("http", 80)
        suffix = "" if host["port"] == port else f":{host['port']}"
        super().__init__(db, version, external_url=f"{scheme}://{host['host']}{suffix}")
        self.places = places
        self.allowed = settings["monitoring"]["ip_whitelist"]

    def _work(self, match: Match, request: Request) -> Response:
        peer = request.header("x-forwarded-for") or request.peer
        self.settings["monitoring_whitelist"] = self.allowed
        if request.path == "/-/readiness":
            every = bool(request.query_params.get("all"))
            self.settings["failed_checks"] = failed_checks(self.places, every=every)
        return super()._work(match, dataclasses.replace(request, peer=peer))


def _boot(places: Places) -> Web:
    version = (places.rails / "VERSION").read_text(encoding="utf-8").strip()
    rendered = json.loads((places.var / "gitlab-rails/etc/gitlab.yml").read_text(encoding="utf-8"))
    database = places.postgresql / "data/gitlab_api.sqlite"
    return Web(places, str(database), version, rendered["production"])


def main() -> int:
    """Boot, serve until told to stop. Without a database Rails does not boot."""
    places = here()
    os.umask(0o007)
    time.sleep(faults.seconds("puma-boot", BOOT_SECONDS))
    if not (places.postgresql / ".s.PGSQL.5432").exists():
        print("ActiveRecord::ConnectionNotEstablished: could not connect to server", flush=True)
        time.sleep(1)
        return 1
    web = _boot(places)
    server = Server(web, "127.0.0.1", PUMA_PORT)
    on_term(threading.Thread(target=server.stop).start)
    server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
