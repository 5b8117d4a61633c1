# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GitLab's errors mean and what to do about them."""

from __future__ import annotations

import json
import typing as t

REMEDIES = {
    401: "Pass a current access token as api_token: this one is missing, unknown, expired or revoked.",
    403: "Give the token's user the role that this needs (group Owner, project Maintainer, or administrator; where "
    "GitLab has its Admin Mode on, an administrator's token needs the scope admin_mode too).",
    404: "Check the id, and that the token's user may see it.",
    422: "Correct the value that GitLab names.",
    400: "Correct the value that GitLab names.",
    407: "The proxy wants a login: put user and password into the proxy's URL (https_proxy of the controller).",
    429: "GitLab limits the rate of requests: lower connections, or raise its rate limit.",
}
SCOPE_REMEDY = "Give the access token the scopes create_runner and manage_runner (or api)."
UNREACHABLE_REMEDY = "Look at GitLab's own log: it failed to answer."


class GitLabError(Exception):
    """A call that failed: what was tried, what came back, what to do.

    status is the HTTP status, 0 where there was no answer.
    """

    def __init__(self, attempt: str, status: int, detail: str, remedy: str | None = None) -> None:
        self.status = status
        self.detail = detail
        came_back = f"HTTP {status}, {detail}" if status else detail
        super().__init__(f"Could not {attempt}: {came_back}. {remedy or remedy_for(status, detail)}")


def remedy_for(status: int, detail: str) -> str:
    """The next step for a status; a missing scope is told apart from a missing role."""
    if "insufficient_scope" in detail:
        return SCOPE_REMEDY
    return REMEDIES.get(status, UNREACHABLE_REMEDY)


def error_detail(text: str) -> str:
    """GitLab's own words: `message` (text, list or object), else `error` with its description, else the body."""
    try:
        data = json.loads(text)
    except ValueError:
        return " ".join(text.split())[:200] or "an empty answer"
    if not isinstance(data, dict):
        return str(data)[:200]
    if "message" in data:
        return _flat(data["message"])
    parts = [str(data[key]) for key in ("error", "error_description") if data.get(key)]
    return ": ".join(parts) or "an answer without a message"


def _flat(message: t.Any) -> str:
    if isinstance(message, dict):
        return "; ".join(f"{field} {_flat(texts)}" for field, texts in message.items())
    if isinstance(message, list):
        return ", ".join(_flat(part) for part in message)
    return str(message)
