# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls about runners, and what is logged about each answer (observed facts 2 and 4)."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from . import tokens
from .api import CLIENT_ERROR, Client, Reply, Request, json_body
from .build import Build
from .config import Entry
from .golang import ZERO_TIME, normal_time
from .info import info
from .logs import Logger
from .traits import Trait, Traits

JSON = {"Content-Type": "application/json"}
ASKS_JSON = {"Accept": "application/json", **JSON}


@dataclass(frozen=True)
class Credentials:
    """What GitLab answers to verify, register and reset."""

    token: str
    runner_id: int
    expires_at: str

    @classmethod
    def read(cls, data: t.Mapping[str, t.Any]) -> Credentials:
        expires = data.get("token_expires_at")
        until = normal_time(expires) if expires else ZERO_TIME
        return cls(str(data.get("token") or ""), int(data.get("id") or 0), until)


class Network:
    """Calls for one program run."""

    def __init__(self, build: Build, traits: Traits, logger: Logger) -> None:
        self.build = build
        self.traits = traits
        self.logger = logger

    def client(self, entry: Entry) -> Client:
        return Client(self.build, self.traits, entry.get("url", ""), entry.get("tls-ca-file", ""))

    def runner_header(self, token: str) -> dict[str, str]:
        private = self.traits.has(Trait.PRIVATE_TOKEN_HEADER)
        return {"Private-Token" if private else "Runner-Token": token} if token else {}

    def short(self, token: str) -> str:
        return tokens.short(token, self.traits)

    def _say(self, level: str, message: str, token: str, reply: t.Optional[Reply] = None) -> None:
        fields: dict[str, object] = {"runner": self.short(token)}
        if reply is not None:
            fields["status"] = reply.text
        self.logger.log(level, message, fields)

    def verify(self, entry: Entry, system_id: str) -> tuple[str, Credentials]:
        """Return valid, invalid or failed, and what GitLab knows of the runner."""
        token = entry.get("token", "")
        created = tokens.is_created(token)
        data: dict[str, t.Any] = {"token": token, "system_id": system_id}
        if self.traits.has(Trait.VERIFY_INFO):
            data = {"info": info(self.build, self.traits, entry), **data}
        request = Request("POST", "runners/verify", json_body(data), {**ASKS_JSON, **self.runner_header(token)})
        client = self.client(entry)
        reply = client.call(request)
        credentials = Credentials.read(reply.json())
        if reply.status == 200 and not reply.json():
            # Servers of old answer without JSON: the same call again, and its status is enough.
            reply = client.call(Request("POST", "runners/verify", request.body, {**JSON, **self.runner_header(token)}))
        if reply.status == 200:
            self._say("info", f"Verifying runner... is {'valid' if created else 'alive'}", token)
            return "valid", credentials
        if reply.status == 403:
            word = "is not valid" if created else "is removed"
            self._say("info" if created else "error", f"Verifying runner... {word}", token)
            return "invalid", credentials
        word = "client error" if reply.status == CLIENT_ERROR else "failed"
        self._say("error", f"Verifying runner... {word}", token, reply)
        return "failed", credentials

    def register(self, entry: Entry, parameters: t.Mapping[str, t.Any]) -> t.Optional[Credentials]:
        """Create a runner with a registration token; None when GitLab does not."""
        token = entry["token"]
        data = {**parameters, "info": info(self.build, self.traits, entry), "token": token}
        headers = {**ASKS_JSON, **self.runner_header(token)}
        reply = self.client(entry).call(Request("POST", "runners", json_body(data), headers))
        if reply.status == 201 and reply.json():
            self._say("info", "Registering runner... succeeded", token)
            return Credentials.read(reply.json())
        if reply.status == 403:
            self._say("error", "Registering runner... forbidden (check registration token)", token)
        else:
            word = "client error" if reply.status == CLIENT_ERROR else "failed"
            self._say("error", f"Registering runner... {word}", token, reply)
        return None

    def unregister(self, entry: Entry, system_id: str) -> bool:
        token = entry.get("token", "")
        created = tokens.is_created(token)
        manager = created and self.traits.has(Trait.MANAGER_UNREGISTER_TEXT)
        what = f"Unregistering runner {'manager ' if manager else ''}from GitLab"
        data = {"token": token, "system_id": system_id} if created else {"token": token}
        path = "runners/managers" if created else "runners"
        headers = {**JSON, **self.runner_header(token)}
        reply = self.client(entry).call(Request("DELETE", path, json_body(data), headers))
        if reply.status == 204:
            self._say("info", f"{what} succeeded", token)
            return True
        words = {403: "forbidden", CLIENT_ERROR: "client error"}
        self._say("error", f"{what} {words.get(reply.status, 'failed')}", token, reply)
        return False

    def reset_token(self, entry: Entry, pat: str = "", client: t.Optional[Client] = None) -> t.Optional[Credentials]:
        """Ask for a new token; None when GitLab does not give one."""
        token = entry.get("token", "")
        path, body, headers = "runners/reset_authentication_token", json_body({"token": token}), dict(ASKS_JSON)
        if pat:
            path, body = f"runners/{entry.get('id', 0)}/reset_authentication_token", b"null"
            headers["Private-Token"] = pat
        reply = (client or self.client(entry)).call(Request("POST", path, body, headers))
        what = "Resetting runner authentication token..."
        if reply.status == 201 and reply.json():
            self._say("info", f"{what} succeeded", token)
            return Credentials.read(reply.json())
        words = {403: "failed (check used token)", CLIENT_ERROR: "client error"}
        self._say("error", f"{what} {words.get(reply.status, 'failed')}", token, reply)
        return None
