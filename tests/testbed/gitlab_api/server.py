# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start and stop a twin, in a test or from the command line."""

from __future__ import annotations

import threading
import typing as t

from .app import Twin
from .client import TwinClient
from .http_server import Server

DEFAULT_VERSION = "18.6.2"


class TwinServer:
    """A twin that listens while the `with` block runs."""

    def __init__(
        self,
        version: str = DEFAULT_VERSION,
        *,
        bind: str = "127.0.0.1",
        port: int = 0,
        db: str = ":memory:",
        admin_token: str = "",
        external_url: str = "",
    ) -> None:
        self.twin = Twin(db, version, admin_token, external_url)
        self._server = Server(self.twin, bind, port)
        self.url = self._server.url
        self.twin.external_url = self.twin.external_url or self.url
        self.client = TwinClient(self.url)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def admin_token(self) -> str:
        return self.twin.admin_token

    def token(
        self,
        scopes: t.Sequence[str] = ("api",),
        user: str = "root",
        expires_at: str | None = None,
        revoked: bool = False,
    ) -> str:
        """Make an access token."""
        return self.client.token(scopes, user=user, expires_at=expires_at, revoked=revoked)

    def start(self) -> TwinServer:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.stop()
        self._thread.join()
        self.twin.store.close()

    def __enter__(self) -> TwinServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
