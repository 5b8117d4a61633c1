# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance, the caller, groups, projects and health (API facts 7, 8)."""

from __future__ import annotations

import ipaddress
import json
import typing as t

from . import views
from .auth import ancestors, project_access, visible_group, visible_project
from .pagination import paginated
from .params import Param
from .router import API, Route
from .traits import Trait
from .web import Response, json_response, text_response

if t.TYPE_CHECKING:
    from .app import Call

_CHECKS = ("db_check", "cache_check", "redis_check", "gitaly_check")


def metadata(call: Call) -> Response:
    kas: dict[str, t.Any] = {"enabled": False, "externalUrl": None}
    if call.has(Trait.EXTERNAL_K8S_URL):
        kas["externalK8sProxyUrl"] = None
    kas["version"] = None
    version = call.twin.traits.version
    return json_response(
        200, {"version": version, "revision": "0a1b2c3d4e5", "kas": kas, "enterprise": version.endswith("-ee")}
    )


def own_token(call: Call) -> Response:
    token = call.who.token
    parts: dict[str, t.Any] = {
        "id": token["id"],
        "name": token["name"],
        "active": True,
        "revoked": False,
        "expired": False,
        "granular": False,
        "created_at": views.stamp(token["created_at"]),
        "description": None,
        "scopes": json.loads(token["scopes"]),
        "user_id": token["user_id"],
        "last_used_at": views.stamp(token["last_used_at"]),
        "expires_at": token["expires_at"],
        "last_used_ips": [],
    }
    order: tuple[str, ...] = tuple(parts)
    if not call.has(Trait.PAT_NEWEST):
        order = (
            "id",
            "name",
            "revoked",
            "created_at",
            "description",
            "scopes",
            "user_id",
            "last_used_at",
            "active",
            "expires_at",
        )
    if not call.has(Trait.PAT_DESCRIPTION):
        order = tuple(key for key in order if key != "description")
    return json_response(200, {key: parts[key] for key in order})


def own_user(call: Call) -> Response:
    return json_response(200, views.current_user(call.twin, call.who.user))


def get_group(call: Call) -> Response:
    return json_response(200, views.group(call.twin, visible_group(call.store, call.who, call.path["id"])))


def get_project(call: Call) -> Response:
    project = visible_project(call)
    return json_response(200, views.project(call.twin, project, project_access(call.store, call.who, project)))


def group_projects(call: Call) -> Response:
    """List a group's projects that the caller can see (API facts 5)."""
    group = visible_group(call.store, call.who, call.path["id"])
    deep, archived = call.params.get("include_subgroups"), call.params.get("archived")
    rows = [
        row
        for row in call.store.all("SELECT * FROM projects ORDER BY id DESC")
        if (row["group_id"] == group["id"] or (deep and group["id"] in ancestors(call.store, row["group_id"])))
        and project_access(call.store, call.who, row)
        and archived in (None, bool(row["archived"]))
    ]
    if call.params.get("simple"):
        return paginated(call, rows, lambda row: views.basic_project(call.twin, row))
    return paginated(call, rows, lambda row: views.project(call.twin, row, project_access(call.store, call.who, row)))


def _monitored(call: Call) -> bool:
    peer = ipaddress.ip_address(call.request.peer)
    return any(peer in ipaddress.ip_network(network) for network in call.twin.settings["monitoring_whitelist"])


def _health(body: t.Callable[[Call], Response], empty: bool = False) -> t.Callable[[Call], Response]:
    """Answer only whitelisted clients; others see an ordinary 404 page."""

    def handler(call: Call) -> Response:
        if _monitored(call):
            return body(call)
        return text_response(
            404,
            "" if empty else "<!DOCTYPE html>\n<title>404 Not Found</title>\n",
            kind="text/plain" if empty else "text/html; charset=utf-8",
        )

    return handler


def _plain_health(_call: Call) -> Response:
    return text_response(200, "GitLab OK")


def _liveness(_call: Call) -> Response:
    return json_response(200, {"status": "ok"})


def _readiness(call: Call) -> Response:
    failed = call.twin.settings["failed_checks"]
    data: dict[str, t.Any] = {"status": "failed" if failed else "ok", "master_check": [{"status": "ok"}]}
    for name in _CHECKS if call.request.query_params.get("all") else ():
        labels = {"labels": {"shard": "default"}} if name == "gitaly_check" else {}
        data[name] = [{"status": "ok", **labels}]
    data.update({name: [{"status": "failed", "message": f"unexpected {name} result"}] for name in failed})
    return json_response(503 if failed else 200, data)


_READ_USER = ("read_user",)
_FLAGS = (Param("include_subgroups", "boolean"), Param("simple", "boolean"), Param("archived", "boolean"))
ROUTES = (
    Route("GET", "/-/health", _health(_plain_health, empty=True), "open"),
    Route("GET", "/-/liveness", _health(_liveness), "open"),
    Route("GET", "/-/readiness", _health(_readiness), "open"),
    Route("GET", f"{API}/metadata", metadata, scopes=_READ_USER),
    Route("GET", f"{API}/version", metadata, scopes=_READ_USER),
    Route("GET", f"{API}/personal_access_tokens/self", own_token, scopes=None),
    Route("GET", f"{API}/user", own_user, scopes=_READ_USER),
    Route("GET", f"{API}/groups/:id", get_group),
    Route("GET", f"{API}/groups/:id/projects", group_projects, params=_FLAGS),
    Route("GET", f"{API}/projects/:id", get_project),
)
