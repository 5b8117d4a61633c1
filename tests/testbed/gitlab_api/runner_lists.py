# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of runners (API facts 3.3)."""

from __future__ import annotations

import json
import typing as t

from .auth import ancestors, group_access, project_access, visible_group, visible_project
from .errors import forbidden, message
from .pagination import paginated
from .params import Param
from .router import API, Route
from .runner_views import busy_runners, contact_status, runner
from .seed import MAINTAINER, OWNER
from .store import Row
from .web import Response

if t.TYPE_CHECKING:
    from .app import Call

_TYPES = ("instance_type", "group_type", "project_type")
_STATUSES = ("active", "paused", "online", "offline", "never_contacted", "stale")
_SCOPES = ("specific", "shared", *_TYPES, *_STATUSES)
_FILTERS = (
    Param("type", values=_TYPES),
    Param("paused", "boolean"),
    Param("status", values=_STATUSES),
    Param("tag_list", "list"),
    Param("version_prefix", pattern=r"[\d.]+"),
)
_SCOPE = Param("scope", values=_SCOPES)
_BY_STATE: dict[str, t.Callable[[Row], bool]] = {
    "active": lambda row: bool(row["active"]),
    "paused": lambda row: not row["active"],
    "specific": lambda row: row["runner_type"] != "instance_type",
    "shared": lambda row: row["runner_type"] == "instance_type",
}


def _fits(row: Row, name: str) -> bool:
    """Say whether a runner has a status, type or legacy scope."""
    if name in _BY_STATE:
        return _BY_STATE[name](row)
    return name == row["runner_type"] if name in _TYPES else name == contact_status(row)


def _answer(call: Call, rows: list[Row], scopes: tuple[str, ...] = _SCOPES) -> Response:
    """Filter and page; a known scope that the list does not allow is refused in other words (API facts 3.3)."""
    params = call.params
    if params.get("scope") and params["scope"] not in scopes:
        raise message(400, "Scope contains invalid value")
    wanted = [params[name] for name in ("scope", "type", "status") if params.get(name)]
    if params.get("paused") is not None:
        wanted.append("paused" if params["paused"] else "active")
    rows = [row for row in rows if all(_fits(row, name) for name in wanted)]
    if params.get("tag_list"):
        tags = set(params["tag_list"])
        rows = [row for row in rows if tags <= set(json.loads(row["tag_list"]))]
    if params.get("version_prefix"):
        rows = _of_version(call, rows, params["version_prefix"])
    busy = busy_runners(call.store)
    return paginated(call, rows, lambda row: runner(call.twin, row, busy))


def _of_version(call: Call, rows: list[Row], prefix: str) -> list[Row]:
    found = call.store.all("SELECT DISTINCT runner_id FROM managers WHERE version LIKE ?", f"{prefix}%")
    ids = {row["runner_id"] for row in found}
    return [row for row in rows if row["id"] in ids]


def _everything(call: Call) -> list[Row]:
    return call.store.all("SELECT * FROM runners ORDER BY id")


def _of_project(call: Call, project_ids: t.Collection[int]) -> set[int]:
    links = call.store.all("SELECT * FROM runner_projects")
    return {link["runner_id"] for link in links if link["project_id"] in project_ids}


def list_own(call: Call) -> Response:
    """Runners of groups owned and projects maintained, by membership even for an administrator."""
    who, store = call.who, call.store
    plain = type(who)(who.user, who.token, who.scopes, admin=False)
    groups = {row["id"] for row in store.all("SELECT id FROM groups") if group_access(store, plain, row["id"]) >= OWNER}
    projects = {
        row["id"] for row in store.all("SELECT * FROM projects") if project_access(store, plain, row) >= MAINTAINER
    }
    assigned = _of_project(call, projects)
    rows = [row for row in _everything(call) if row["group_id"] in groups or row["id"] in assigned]
    return _answer(call, rows, _STATUSES)


def list_all(call: Call) -> Response:
    if not call.who.admin:
        raise forbidden()
    return _answer(call, _everything(call))


def list_group(call: Call) -> Response:
    group = visible_group(call.store, call.who, call.path["id"])
    if group_access(call.store, call.who, group["id"]) < MAINTAINER:
        raise forbidden()
    above = ancestors(call.store, group["id"])
    return _answer(
        call, [row for row in _everything(call) if row["group_id"] in above or row["runner_type"] == "instance_type"]
    )


def list_project(call: Call) -> Response:
    project = visible_project(call)
    if project_access(call.store, call.who, project) < MAINTAINER:
        raise forbidden()
    above = ancestors(call.store, project["group_id"])
    assigned = _of_project(call, {project["id"]})
    shared = bool(project["shared_runners_enabled"])
    return _answer(
        call,
        [
            row
            for row in _everything(call)
            if row["id"] in assigned or row["group_id"] in above or (shared and row["runner_type"] == "instance_type")
        ],
    )


ROUTES = (
    Route("GET", f"{API}/runners", list_own, params=(_SCOPE, *_FILTERS)),
    Route("GET", f"{API}/runners/all", list_all, params=(_SCOPE, *_FILTERS)),
    Route("GET", f"{API}/groups/:id/runners", list_group, params=_FILTERS),
    Route("GET", f"{API}/projects/:id/runners", list_project, params=(_SCOPE, *_FILTERS)),
)
