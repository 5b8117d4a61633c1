# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who calls, and what he may see and do (API facts 1.1)."""

from __future__ import annotations

import datetime
import json
import time
import typing as t
import urllib.parse
from dataclasses import dataclass

from .errors import ApiError, forbidden, insufficient_scope, invalid_token, message, not_found, unauthorized
from .seed import OWNER
from .store import Row, Store
from .web import Request

if t.TYPE_CHECKING:
    from .app import Call

_TOUCH_SECONDS = 60


@dataclass(frozen=True)
class Identity:
    """A user behind a token; `admin` is false for an administrator whose token lacks `admin_mode` where it is asked."""

    user: Row
    token: Row
    scopes: frozenset[str]
    admin: bool

    @property
    def user_id(self) -> int:
        return int(self.user["id"])


def _text(request: Request) -> str:
    bearer = request.header("authorization")
    bearer = bearer[7:].strip() if bearer.lower().startswith("bearer ") else ""
    return request.header("private-token") or bearer or str(request.query_params.get("private_token", ""))


def identify(store: Store, request: Request, scopes: t.Sequence[str] | None, admin_mode: bool) -> Identity:
    """Return the caller, or raise as GitLab does; `scopes` besides api and read_api, None = every scope will do."""
    token = store.one("SELECT * FROM tokens WHERE token = ?", _text(request))
    if token is None:
        raise unauthorized()
    if token["expires_at"] and token["expires_at"] <= datetime.date.today().isoformat():
        raise invalid_token("Token is expired. You can either do re-authorization or token refresh.")
    if token["revoked"]:
        raise invalid_token("Token was revoked. You have to re-authorize from the user.")
    held = frozenset(json.loads(token["scopes"]))
    reading = request.method in ("GET", "HEAD")
    known = [*(scopes or ()), "api", *(["read_api"] if reading else [])]
    if scopes is not None and not held.intersection(known):
        raise insufficient_scope(known)
    user = store.must("users", token["user_id"])
    if user["state"] != "active":
        raise forbidden("Your account has been blocked.")
    now = time.time()
    if now - (token["last_used_at"] or 0) > _TOUCH_SECONDS:
        store.update("tokens", token["id"], last_used_at=now)
    return Identity(user, token, held, bool(user["admin"]) and (not admin_mode or "admin_mode" in held))


def ancestors(store: Store, group_id: int | None) -> list[int]:
    """Return the group and everything above it, nearest first."""
    found: list[int] = []
    while group_id is not None:
        found.append(group_id)
        group_id = store.must("groups", group_id)["parent_id"]
    return found


def _access(store: Store, user_id: int, kind: str, ids: t.Sequence[int]) -> int:
    marks = ",".join("?" * len(ids))
    sql = f"SELECT max(access) AS top FROM members WHERE user_id = ? AND kind = ? AND object_id IN ({marks})"
    row = store.one(sql, user_id, kind, *ids)
    return int(row["top"] or 0) if row else 0


def group_access(store: Store, who: Identity, group_id: int) -> int:
    """Return the caller's access level in a group, inherited ones too."""
    return OWNER if who.admin else _access(store, who.user_id, "group", ancestors(store, group_id))


def project_access(store: Store, who: Identity, project: Row) -> int:
    """Return the caller's access level in a project, inherited ones too."""
    direct = _access(store, who.user_id, "project", [project["id"]])
    return max(direct, group_access(store, who, project["group_id"]))


def _sees_group(store: Store, who: Identity, group: Row) -> bool:
    """Say whether a private group is visible: to its members and to members of anything inside."""
    if group_access(store, who, group["id"]):
        return True
    inside = store.all("SELECT * FROM groups WHERE full_path LIKE ?", f"{group['full_path']}/%")
    projects = store.all("SELECT * FROM projects WHERE full_path LIKE ?", f"{group['full_path']}/%")
    return any(group_access(store, who, child["id"]) for child in inside) or any(
        project_access(store, who, project) for project in projects
    )


def visible_group(store: Store, who: Identity, name: str) -> Row:
    """Return the group with this number or full path; an invisible one does not exist."""
    column = "id" if name.isdigit() else "full_path"
    group = store.one(f"SELECT * FROM groups WHERE {column} = ?", name)
    if group is None or not _sees_group(store, who, group):
        raise not_found("Group")
    return group


def visible_project(call: Call) -> Row:
    """Return the project with this number or full path; a path without a slash never finds one (API facts 1.2)."""
    name = call.path["id"]
    column = "id" if name.isdigit() else "full_path"
    project = call.store.one(f"SELECT * FROM projects WHERE {column} = ?", name)
    if project is None and (moved := call.store.one("SELECT * FROM projects WHERE old_path = ?", name)):
        raise _moved(call, moved)
    if project is None or not project_access(call.store, call.who, project):
        raise not_found("Project")
    return project


def _moved(call: Call, project: Row) -> ApiError:
    """Send a reader of a renamed project to its number; everybody else gets 405 (API facts 1.2)."""
    if not project_access(call.store, call.who, project):
        return not_found("Project")
    if call.request.method not in ("GET", "HEAD"):
        return message(405, "405 Method Not Allowed")
    quoted = urllib.parse.quote(call.path["id"], safe="")
    path = call.request.path.replace(f"/projects/{quoted}", f"/projects/{project['id']}", 1)
    url = f"{call.twin.external_url}{path}" + (f"?{call.request.query}" if call.request.query else "")
    return message(301, f"This resource has been moved permanently to {url}.", (("Location", url),))
