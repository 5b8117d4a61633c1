# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steering, under `/-/twin/`: never part of GitLab's own API, no token, not counted."""

from __future__ import annotations

import json
import time
import typing as t

from . import job_queue as queue
from .errors import bad_parameters, not_found
from .params import Param
from .router import Route
from .seed import PROJECT, add_token
from .settings import DEFAULTS
from .store import Row
from .views import stamp
from .web import Response, json_response, no_content

if t.TYPE_CHECKING:
    from .app import Call

_RUNNER_FIELDS = ("contacted_at", "created_at", "token_expires_at", "orphaned")
_ID = Param("id", "integer", required=True)


def _body(call: Call) -> t.Any:
    try:
        return json.loads(call.request.body or b"{}")
    except ValueError as exc:
        raise bad_parameters("body is not JSON") from exc


def _object(call: Call) -> dict[str, t.Any]:
    body = _body(call)
    if not isinstance(body, dict):
        raise bad_parameters("body must be an object")
    return body


def get_requests(call: Call) -> Response:
    return json_response(200, call.twin.counts.as_dict())


def delete_requests(call: Call) -> Response:
    call.twin.counts.clear()
    return no_content()


def get_faults(call: Call) -> Response:
    return json_response(200, call.twin.faults.listed())


def put_faults(call: Call) -> Response:
    call.twin.faults.replace(_body(call))
    return get_faults(call)


def delete_faults(call: Call) -> Response:
    call.twin.faults.replace([])
    return no_content()


def get_latency(call: Call) -> Response:
    return json_response(200, {"seconds": call.twin.latency})


def put_latency(call: Call) -> Response:
    call.twin.latency = float(_object(call).get("seconds", 0))
    return get_latency(call)


def _shown(call: Call, job: Row) -> dict[str, t.Any]:
    text = queue.trace(call.store, job["id"]).decode("utf-8", "replace")
    times = ("created_at", "handed_out_at", "started_at", "finished_at")
    plain = (
        "id",
        "name",
        "project_id",
        "status",
        "runner_id",
        "system_id",
        "handed_out",
        "failure_reason",
        "exit_code",
    )
    return {
        **{key: job[key] for key in plain},
        "tag_list": json.loads(job["tag_list"]),
        "trace": text,
        **{key: stamp(job[key]) for key in times},
    }


def list_jobs(call: Call) -> Response:
    wanted = call.params.get("status")
    rows = call.store.all("SELECT * FROM jobs WHERE ? IS NULL OR status = ? ORDER BY id", wanted, wanted)
    return json_response(200, [_shown(call, row) for row in rows])


def add_jobs(call: Call) -> Response:
    fields = _object(call)
    if call.store.get("projects", int(fields.get("project_id") or PROJECT)) is None:
        raise not_found("Project")
    return json_response(201, {"ids": queue.add(call.twin, fields)})


def _job(call: Call) -> Row:
    job = call.store.get("jobs", call.params["id"])
    if job is None:
        raise not_found("Job")
    return job


def cancel_job(call: Call) -> Response:
    queue.cancel(call.twin, _job(call))
    return json_response(201, _shown(call, _job(call)))


def erase_job(call: Call) -> Response:
    job = _job(call)
    call.store.run("DELETE FROM trace_chunks WHERE job_id = ?", job["id"])
    call.store.run("DELETE FROM artifacts WHERE job_id = ?", job["id"])
    call.store.update("jobs", job["id"], erased_at=time.time(), trace_size=0)
    return json_response(201, _shown(call, _job(call)))


def add_access_token(call: Call) -> Response:
    fields = _object(call)
    user = call.store.one("SELECT id FROM users WHERE username = ?", fields.get("user", "root"))
    if user is None:
        raise not_found("User")
    token_id, text = add_token(
        call.store,
        user["id"],
        list(fields.get("scopes") or ["api"]),
        expires_at=fields.get("expires_at"),
        revoked=bool(fields.get("revoked")),
    )
    return json_response(201, {"id": token_id, "token": text})


def list_runners(call: Call) -> Response:
    """Return every runner with its token, in the store's own fields."""
    flags = ("active", "locked", "run_untagged", "orphaned", "registered")
    rows = call.store.all("SELECT * FROM runners ORDER BY id")
    managers = call.store.all("SELECT * FROM managers ORDER BY id")
    return json_response(
        200,
        [
            {
                **row,
                **{name: bool(row[name]) for name in flags},
                "paused": not row["active"],
                "tag_list": json.loads(row["tag_list"]),
                "managers": [found for found in managers if found["runner_id"] == row["id"]],
            }
            for row in rows
        ],
    )


def change_runner(call: Call) -> Response:
    fields = _object(call)
    unknown = sorted(set(fields) - set(_RUNNER_FIELDS))
    if unknown or not fields:
        raise bad_parameters(f"only {', '.join(_RUNNER_FIELDS)} can be changed here")
    if call.store.get("runners", call.params["id"]) is None:
        raise not_found("Runner")
    call.store.update("runners", call.params["id"], **fields)
    return no_content()


def registration_tokens(call: Call) -> Response:
    tables = {
        name: {str(row["id"]): row["runners_token"] for row in call.store.all(f"SELECT * FROM {name}")}
        for name in ("groups", "projects")
    }
    return json_response(200, {"instance": call.store.settings()["registration_token"], **tables})


def get_settings(call: Call) -> Response:
    return json_response(200, call.twin.settings)


def put_settings(call: Call) -> Response:
    fields = _object(call)
    unknown = sorted(set(fields) - set(DEFAULTS))
    if unknown:
        raise bad_parameters(f"unknown settings: {', '.join(unknown)}; known are {', '.join(DEFAULTS)}")
    for name, value in fields.items():
        call.store.set(name, value)
    call.twin.load_settings()
    return get_settings(call)


def reset_twin(call: Call) -> Response:
    call.twin.reset()
    return no_content()


_T = "/-/twin"
ROUTES = tuple(
    Route(method, f"{_T}/{path}", handler, "open", params=params)
    for method, path, handler, params in (
        ("GET", "requests", get_requests, ()),
        ("DELETE", "requests", delete_requests, ()),
        ("GET", "faults", get_faults, ()),
        ("PUT", "faults", put_faults, ()),
        ("DELETE", "faults", delete_faults, ()),
        ("GET", "latency", get_latency, ()),
        ("PUT", "latency", put_latency, ()),
        ("GET", "jobs", list_jobs, (Param("status", values=queue.STATUSES),)),
        ("POST", "jobs", add_jobs, ()),
        ("POST", "jobs/:id/cancel", cancel_job, (_ID,)),
        ("POST", "jobs/:id/erase", erase_job, (_ID,)),
        ("POST", "tokens", add_access_token, ()),
        ("GET", "runners", list_runners, ()),
        ("PUT", "runners/:id", change_runner, (_ID,)),
        ("GET", "registration_tokens", registration_tokens, ()),
        ("GET", "settings", get_settings, ()),
        ("PUT", "settings", put_settings, ()),
        ("POST", "reset", reset_twin, ()),
    )
)
