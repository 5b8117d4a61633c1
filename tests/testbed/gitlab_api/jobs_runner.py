# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs from the runner's side: request, update, trace, artifacts (API facts 4)."""

from __future__ import annotations

import re
import time
import typing as t

from . import job_queue as queue
from . import runner_records as records
from .artifacts import download, upload
from .errors import ApiError, Headers, forbidden, message
from .job_payload import job_payload
from .params import Param
from .router import API, Route
from .store import Row
from .traits import Trait
from .web import Response, json_response, no_content, text_response

if t.TYPE_CHECKING:
    from .app import Call

_ON_RUNNER = ("running", "canceling")


def request_job(call: Call) -> Response:
    runner = records.authenticate(call.store, call.params["token"])
    if runner["orphaned"] and call.has(Trait.ORPHANED_FORBIDDEN):
        raise forbidden("Runner is orphaned")
    if runner["orphaned"] and call.has(Trait.ORPHANED_UNPROCESSABLE):
        raise message(422, "Runner is orphaned")
    info = call.request.params.get("info")
    info = info if isinstance(info, dict) else {}
    peer = call.request.peer
    manager = records.ensure_manager(
        call.store, runner["id"], call.params.get("system_id"), info, peer=peer, contacted=True
    )
    records.contact(call.store, runner, peer)
    value = records.current_value(call.store, runner)
    if call.params.get("last_update") == value:
        value = _hold(call, runner["id"], value)
        return no_content((("X-GitLab-Last-Update", value),))
    job = queue.next_job(call.store, runner) if runner["active"] else None
    if job is None:
        return no_content((("X-GitLab-Last-Update", value),))
    features = info.get("features")
    taken = queue.hand_out(call.twin, job, runner, manager, features if isinstance(features, dict) else {})
    return json_response(201, job_payload(call.twin, taken, runner))


def _hold(call: Call, runner_id: int, value: str) -> str:
    """Keep a request with a current value until the value changes or the time is over (long polling)."""
    end = time.monotonic() + call.twin.settings["long_polling"]
    while not call.twin.stopping:
        left = end - time.monotonic()
        runner = call.store.get("runners", runner_id)
        if runner is None:
            raise forbidden()
        if left <= 0 or runner["queue_value"] != value:
            return records.current_value(call.store, runner)
        call.store.wait(left)
    raise message(502, "502 Bad Gateway")


def _authenticated(call: Call) -> Row:
    """Return the job of this token; unknown jobs and wrong tokens get the same 403 (API facts 4.2)."""
    token = call.params.get("token") or call.request.header("job-token")
    job = call.store.get("jobs", call.params["id"])
    if job is None or not token or token != job["token"]:
        raise forbidden()
    if job["erased_at"] is not None:
        raise forbidden("Job has been erased!")
    return job


def _in_hands(call: Call) -> Row:
    """Return the job while a runner has it: running, or pending in the first of two phases."""
    job = _authenticated(call)
    if job["status"] in _ON_RUNNER or (job["status"] == "pending" and job["runner_id"] is not None):
        return job
    text = "Job is not processing on runner" if call.has(Trait.NOT_PROCESSING_TEXT) else "Job is not running"
    raise forbidden(text, (("Job-Status", job["status"]),))


def _number(status: int, job_status: str, headers: Headers = ()) -> Response:
    """Answer with the number as body, which is JSON too."""
    return json_response(status, status, (("Job-Status", job_status), *headers))


def _interval(call: Call) -> tuple[str, str]:
    return "X-GitLab-Trace-Update-Interval", "3" if call.twin.settings["trace_watched"] else "60"


def update_job(call: Call) -> Response:
    job = _in_hands(call)
    state = call.params.get("state")
    if state == "running" or (state == "pending" and job["status"] == "pending"):
        return _still_running(call, job, str(state))
    if state not in ("success", "failed"):
        return _number(400, job["status"])
    output = call.params.get("output")
    checksum = call.params.get("checksum") or (isinstance(output, dict) and output.get("checksum"))
    if call.twin.settings["incremental_logging"] and checksum and not job["flushed"]:
        call.store.update("jobs", job["id"], flushed=1)
        return _number(202, job["status"], (_interval(call),))
    reason = None
    if state == "failed":
        reason = call.params.get("failure_reason") or "script_failure"
        reason = reason if reason in queue.FAILURE_REASONS else "unknown_failure"
    queue.finish(call.store, job, state, reason, call.params.get("exit_code"))
    return _number(200, call.store.must("jobs", job["id"])["status"])


def _still_running(call: Call, job: Row, state: str) -> Response:
    if job["status"] == "pending" and state == "running":
        call.store.update("jobs", job["id"], status="running", started_at=time.time())
    return _number(200, call.store.must("jobs", job["id"])["status"])


def append_trace(call: Call) -> Response:
    job = _in_hands(call)
    found = re.match(r"\s*(\d+)", call.request.header("content-range"))
    if found is None:
        raise ApiError(400, {"error": "400 Missing header Content-Range"})
    size = job["trace_size"]
    if int(found[1]) != size:
        raise ApiError(416, {"error": "416 Range Not Satisfiable"}, (("Range", f"0-{size}"),))
    if size + len(call.request.body) > call.twin.settings["trace_limit"]:
        queue.finish(call.store, job, "failed", "trace_size_exceeded")
        raise ApiError(403, {"error": "403 Forbidden"})
    size = queue.append_trace(call.store, job, call.request.body)
    headers: Headers = (("Job-Status", job["status"]), ("Range", f"0-{size}"), _interval(call))
    return text_response(202, f"0-{size}", headers)


def upload_artifacts(call: Call) -> Response:
    job = _in_hands(call)
    upload(call, job)
    return json_response(201, 201)


def download_artifacts(call: Call) -> Response:
    return download(call, _authenticated(call))


_ID = Param("id", "integer", required=True)
_TOKEN = Param("token", required=True)
_ANY_TOKEN = Param("token")
_JOB = f"{API}/jobs/:id"
ROUTES = (
    Route(
        "POST",
        f"{API}/jobs/request",
        request_job,
        "runner",
        limit="jobs_request",
        params=(_TOKEN, Param("system_id"), Param("last_update")),
    ),
    Route(
        "PUT",
        _JOB,
        update_job,
        "runner",
        limit="job",
        params=(
            _ID,
            _TOKEN,
            Param("state"),
            Param("failure_reason"),
            Param("exit_code", "integer"),
            Param("checksum"),
            Param("output", "any"),
        ),
    ),
    Route("PATCH", f"{_JOB}/trace", append_trace, "runner", limit="trace", params=(_ID, _ANY_TOKEN)),
    Route("POST", f"{_JOB}/artifacts", upload_artifacts, "runner", limit="job", params=(_ID, _ANY_TOKEN)),
    Route("GET", f"{_JOB}/artifacts", download_artifacts, "runner", limit="job", params=(_ID, _ANY_TOKEN)),
)
