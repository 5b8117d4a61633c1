# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs and pipelines as users see them (API facts 5)."""

from __future__ import annotations

import typing as t

from . import job_views as views
from .auth import project_access, visible_project
from .errors import bad_parameters, forbidden, not_found
from .job_queue import STATUSES
from .pagination import keyset, paginated, wants_keyset
from .params import Param
from .router import API, Route
from .runners_admin import find_runner, may_update
from .seed import DEVELOPER
from .store import Row
from .views import stamp
from .web import Response, json_response

if t.TYPE_CHECKING:
    from .app import Call


def _scopes(call: Call) -> list[str]:
    given = call.params.get("scope") or []
    names = given if isinstance(given, list) else [given]
    if any(name not in STATUSES for name in names):
        raise bad_parameters("scope does not have a valid value")
    return [str(name) for name in names]


def list_project_jobs(call: Call) -> Response:
    wanted = _scopes(call)
    project = visible_project(call)
    rows = call.store.all("SELECT * FROM jobs WHERE project_id = ? ORDER BY id DESC", project["id"])
    rows = [row for row in rows if not wanted or row["status"] in wanted]
    if wants_keyset(call):
        return keyset(call, rows, lambda row: views.job(call.twin, row))
    return paginated(call, rows, lambda row: views.job(call.twin, row), counted=False)


def get_project_job(call: Call) -> Response:
    project = visible_project(call)
    row = call.store.get("jobs", call.params["job_id"])
    if row is None or row["project_id"] != project["id"]:
        raise not_found()
    return json_response(200, views.job(call.twin, row))


def list_pipeline_jobs(call: Call) -> Response:
    wanted = _scopes(call)
    pipeline = _pipeline(call)
    rows = call.store.all("SELECT * FROM jobs WHERE pipeline_id = ? ORDER BY id DESC", pipeline["id"])
    rows = [row for row in rows if not wanted or row["status"] in wanted]
    return paginated(call, rows, lambda row: views.job(call.twin, row))


def list_runner_jobs(call: Call) -> Response:
    """List what a runner did; without `order_by` oldest first, with it newest first (API facts 5)."""
    runner = find_runner(call, call.params["id"])
    if not call.who.admin and (runner["runner_type"] == "instance_type" or not may_update(call, runner)):
        raise forbidden("No access granted")
    default = "desc" if call.params.get("order_by") else "asc"
    order = "DESC" if (call.params.get("sort") or default) == "desc" else "ASC"
    rows = call.store.all(f"SELECT * FROM jobs WHERE runner_id = ? ORDER BY id {order}", runner["id"])
    status, system_id = call.params.get("status"), call.params.get("system_id")
    rows = [
        row
        for row in rows
        if status in (None, row["status"]) and system_id in (None, row["system_id"]) and _reads(call, row)
    ]
    return paginated(call, rows, lambda row: views.runner_job(call.twin, row), counted=system_id is None)


def _reads(call: Call, job: Row) -> bool:
    return project_access(call.store, call.who, call.store.must("projects", job["project_id"])) >= DEVELOPER


def _pipeline(call: Call) -> Row:
    project = visible_project(call)
    row = call.store.get("pipelines", call.params["pipeline_id"])
    if row is None or row["project_id"] != project["id"]:
        raise not_found()
    return row


def list_pipelines(call: Call) -> Response:
    project, given = visible_project(call), call.params
    order = "ASC" if given.get("sort") == "asc" else "DESC"
    by = given["order_by"] if given.get("order_by") in ("updated_at", "ref", "user_id") else "pipelines.id"
    sql = (
        "SELECT pipelines.*, username FROM pipelines JOIN users ON users.id = user_id WHERE project_id = ? "
        f"ORDER BY {by} {order}, pipelines.id {order}"
    )
    rows = [
        row
        for row in call.store.all(sql, project["id"])
        if all(given.get(name) in (None, row[name]) for name in ("source", "ref", "sha", "username"))
        and (given.get("updated_after") or "") < (stamp(row["updated_at"]) or "")
        and (stamp(row["updated_at"]) or "") < (given.get("updated_before") or "9")
        and _in_state(given, views.pipeline_status(call.twin, row))
    ]
    if given.get("order_by") == "status":
        rows.sort(key=lambda row: views.pipeline_status(call.twin, row), reverse=order == "DESC")
    return paginated(call, rows, lambda row: views.listed_pipeline(call.twin, row))


def _in_state(given: t.Mapping[str, t.Any], status: str) -> bool:
    """Say whether a pipeline's status fits both filters; there are branches here and no tags."""
    if given.get("status") not in (None, status):
        return False
    scope = given.get("scope")
    finished = status in ("success", "failed", "canceled", "skipped")
    return {"finished": finished, "tags": False, "running": status == "running", "pending": status == "pending"}.get(
        str(scope), True
    )


def get_pipeline(call: Call) -> Response:
    return json_response(200, views.pipeline(call.twin, _pipeline(call)))


_SORT = Param("sort", values=("asc", "desc"))
_SCOPE = Param("scope", "any")
_PIPELINE = Param("pipeline_id", "integer", required=True)
_PROJECT = f"{API}/projects/:id"
ROUTES = (
    Route("GET", f"{_PROJECT}/jobs", list_project_jobs, params=(_SCOPE,), limit="project_jobs"),
    Route("GET", f"{_PROJECT}/jobs/:job_id", get_project_job, params=(Param("job_id", "integer", required=True),)),
    Route(
        "GET",
        f"{_PROJECT}/pipelines",
        list_pipelines,
        params=(
            _SORT,
            Param("source"),
            Param("ref"),
            Param("sha"),
            Param("status", values=STATUSES),
            Param("username"),
            Param("updated_after"),
            Param("updated_before"),
            Param("scope", values=("running", "pending", "finished", "branches", "tags")),
            Param("order_by", values=("id", "status", "ref", "updated_at", "user_id")),
        ),
    ),
    Route("GET", f"{_PROJECT}/pipelines/:pipeline_id", get_pipeline, params=(_PIPELINE,)),
    Route("GET", f"{_PROJECT}/pipelines/:pipeline_id/jobs", list_pipeline_jobs, params=(_SCOPE, _PIPELINE)),
    Route(
        "GET",
        f"{API}/runners/:id/jobs",
        list_runner_jobs,
        scopes=("manage_runner",),
        params=(
            Param("id", "integer", required=True),
            Param("status", values=STATUSES),
            Param("system_id"),
            Param("order_by", values=("id",)),
            _SORT,
        ),
    ),
)
