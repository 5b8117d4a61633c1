# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small client for steering a twin."""

from __future__ import annotations

import http.client
import json
import typing as t
import urllib.parse

Data = dict[str, t.Any]


class TwinError(Exception):
    """The twin refused a steering call."""


class TwinClient:
    """Speaks to `/-/twin/` of the twin at this URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        parts = urllib.parse.urlsplit(self.url)
        self._host, self._port = parts.hostname or "", parts.port or 80

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

    def token(self, scopes: t.Sequence[str] = ("api",), *, user: str = "root", expires_at: str | None = None,
              revoked: bool = False) -> str:
        """Make an access token and return its text."""
        body = {"user": user, "scopes": list(scopes), "expires_at": expires_at, "revoked": revoked}
        return str(self._call("POST", "tokens", body)["token"])

    def reset(self) -> None:
        """Go back to the seed."""
        self._call("POST", "reset")

    def _call(self, method: str, path: str, body: t.Any = None) -> t.Any:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
        try:
            headers = {"Content-Type": "application/json"}
            payload = None if body is None else json.dumps(body)
            connection.request(method, f"/-/twin/{path}", payload, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:
            raise TwinError(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text) if text else None
