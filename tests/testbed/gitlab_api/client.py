# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client for steering a twin."""

from __future__ import annotations

import http.client
import json
import typing as t
import urllib.parse
from dataclasses import dataclass

Data = dict[str, t.Any]


class TwinError(Exception):
    """The twin refused a steering call."""


@dataclass(frozen=True)
class Answer:
    """What came back; header names are lower case."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> t.Any:
        return json.loads(self.text)


class Session:
    """One keep-alive connection for plain calls; `token` is sent as PRIVATE-TOKEN."""

    def __init__(self, url: str, token: str = "") -> None:
        parts = urllib.parse.urlsplit(url)
        self.token = token
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=30)

    def call(self, method: str, path: str, body: t.Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send bytes as they are and everything else as JSON; without a body send none."""
        sent = {"PRIVATE-TOKEN": self.token} if self.token else {}
        payload = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if payload is not None and not isinstance(body, bytes):
            sent["Content-Type"] = "application/json"
        try:
            self._connection.request(method, path, payload, {**sent, **(headers or {})})
            answer = self._connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        except BaseException:
            self._connection.close()
            raise
        return Answer(answer.status, text, {name.lower(): value for name, value in answer.getheaders()})

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TwinClient:
    """Speaks to `/-/twin/` of the twin at this URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def jobs(self, status: str = "") -> list[Data]:
        """Return every job (or those with this status) with its trace and how often it was handed out."""
        return t.cast("list[Data]", self._call("GET", f"jobs?status={status}" if status else "jobs"))

    def add_jobs(self, count: int = 1, **fields: t.Any) -> list[int]:
        """Queue jobs: script, tag_list, project_id, timeout, variables, after_script, ref, protected, name, stage."""
        return t.cast("list[int]", self._call("POST", "jobs", {"count": count, **fields})["ids"])

    def cancel_job(self, job_id: int) -> None:
        self._call("POST", f"jobs/{job_id}/cancel")

    def erase_job(self, job_id: int) -> None:
        self._call("POST", f"jobs/{job_id}/erase")

    def requests(self) -> Data:
        """Return total, by_route and by_status."""
        return t.cast(Data, self._call("GET", "requests"))

    def clear_requests(self) -> None:
        self._call("DELETE", "requests")

    def set_latency(self, seconds: float) -> None:
        self._call("PUT", "latency", {"seconds": seconds})

    def set_faults(self, rules: t.Sequence[Data]) -> None:
        self._call("PUT", "faults", list(rules))

    def faults(self) -> list[Data]:
        return t.cast("list[Data]", self._call("GET", "faults"))

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def settings(self) -> Data:
        return t.cast(Data, self._call("GET", "settings"))

    def set_settings(self, **values: t.Any) -> None:
        self._call("PUT", "settings", values)

    def runners(self) -> list[Data]:
        """Return every runner with its token."""
        return t.cast("list[Data]", self._call("GET", "runners"))

    def change_runner(self, runner_id: int, **values: t.Any) -> None:
        """Set what no API call can: contacted_at, created_at, token_expires_at (epoch), orphaned."""
        self._call("PUT", f"runners/{runner_id}", values)

    def registration_tokens(self) -> Data:
        """Return the registration tokens: instance, groups by id, projects by id."""
        return t.cast(Data, self._call("GET", "registration_tokens"))

    def token(
        self,
        scopes: t.Sequence[str] = ("api",),
        *,
        user: str = "root",
        expires_at: str | None = None,
        revoked: bool = False,
    ) -> str:
        """Make an access token and return its text."""
        body = {"user": user, "scopes": list(scopes), "expires_at": expires_at, "revoked": revoked}
        return str(self._call("POST", "tokens", body)["token"])

    def reset(self) -> None:
        """Go back to the seed."""
        self._call("POST", "reset")

    def _call(self, method: str, path: str, body: t.Any = None) -> t.Any:
        with Session(self.url) as session:
            answer = session.call(method, f"/-/twin/{path}", body)
        if answer.status >= 400:
            raise TwinError(f"{method} {path}: {answer.status} {answer.text}")
        return answer.json if answer.text else None
