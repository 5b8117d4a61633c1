# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs from the runner's side (API facts 4)."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api import job_queue as queue
from testbed.gitlab_api.client import Answer, Session

REQUEST = "/api/v4/jobs/request"
LAST = "x-gitlab-last-update"
JOB_KEYS = [
    "id",
    "token",
    "allow_git_fetch",
    "job_info",
    "git_info",
    "runner_info",
    "variables",
    "steps",
    "hooks",
    "image",
    "services",
    "artifacts",
    "cache",
    "credentials",
    "features",
    "dependencies",
]


def runner_token(root: Session, **more: t.Any) -> str:
    body = {"runner_type": "instance_type", "tag_list": ["a"], **more}
    return str(root.call("POST", "/api/v4/user/runners", body).json["token"])


def ask(session: Session, token: str, **more: t.Any) -> Answer:
    return session.call("POST", REQUEST, {"token": token, "system_id": "s_1", **more}, {"Runner-Token": token})


@pytest.fixture
def job(root: Session, anyone: Session, twin: TwinServer) -> dict[str, t.Any]:
    """A job in a runner's hands."""
    token = runner_token(root)
    twin.client.add_jobs(script=["echo one"], timeout=1800, after_script=["echo two"], variables={"A": "b"})
    answer = ask(anyone, token, info={"features": {"cancel_gracefully": True}})
    assert answer.status == 201
    return dict(answer.json)


def patch(session: Session, job: dict[str, t.Any], start: int | None, data: bytes, token: str = "") -> Answer:
    headers = {"Job-Token": token or job["token"], "Content-Type": "text/plain"}
    if start is not None:
        headers["Content-Range"] = f"{start}-{start + len(data) - 1}"
    return session.call("PATCH", f"/api/v4/jobs/{job['id']}/trace?debug_trace=false", data, headers)


def put(session: Session, job: dict[str, t.Any], **fields: t.Any) -> Answer:
    return session.call("PUT", f"/api/v4/jobs/{job['id']}", {"token": job["token"], **fields})


def test_payload(job: dict[str, t.Any], twin: TwinServer) -> None:
    assert list(job) == JOB_KEYS
    assert list(job["job_info"]) == [
        "id",
        "name",
        "stage",
        "project_id",
        "project_name",
        "time_in_queue_seconds",
        "project_jobs_running_on_instance_runners_count",
    ]
    assert list(job["git_info"]) == [
        "repo_url",
        "ref",
        "sha",
        "before_sha",
        "ref_type",
        "refspecs",
        "depth",
        "repo_object_format",
        "protected",
    ]
    assert job["runner_info"] == {"timeout": 1800, "runner_session_url": None}
    assert job["steps"] == [
        {"name": "script", "script": ["echo one"], "timeout": 1800, "when": "on_success", "allow_failure": False},
        {"name": "after_script", "script": ["echo two"], "timeout": 1800, "when": "always", "allow_failure": True},
    ]
    variables = {found["key"]: found["value"] for found in job["variables"]}
    assert {"GIT_STRATEGY": "none", "A": "b", "CI_JOB_ID": "1"}.items() <= variables.items()
    assert job["git_info"]["repo_url"] == f"http://gitlab-ci-token:{job['token']}@{twin.url[7:]}/fleet/app.git"


@pytest.mark.parametrize(
    ("runner", "queued", "taken"),
    [
        pytest.param({}, {"tag_list": ["a"]}, True, id="tag"),
        pytest.param({}, {"tag_list": ["a", "b"]}, False, id="one-tag-missing"),
        pytest.param({}, {}, True, id="untagged"),
        pytest.param({"run_untagged": False}, {}, False, id="untagged-refused"),
        pytest.param({"paused": True}, {}, False, id="paused"),
        pytest.param({"access_level": "ref_protected"}, {"ref": "topic"}, False, id="unprotected-ref"),
        pytest.param({"access_level": "ref_protected"}, {"ref": "main"}, True, id="protected-ref"),
        pytest.param({"runner_type": "group_type", "group_id": 10}, {"project_id": 21}, True, id="group-above"),
        pytest.param({"runner_type": "group_type", "group_id": 11}, {"project_id": 20}, False, id="group-below"),
        pytest.param({"runner_type": "project_type", "project_id": 20}, {"project_id": 20}, True, id="project"),
        pytest.param({"runner_type": "project_type", "project_id": 20}, {"project_id": 21}, False, id="other-project"),
    ],
)
def test_who_gets_a_job(
    root: Session, anyone: Session, twin: TwinServer, runner: dict[str, t.Any], queued: dict[str, t.Any], taken: bool
) -> None:
    token = runner_token(root, **runner)
    twin.client.add_jobs(**queued)
    answer = ask(anyone, token)
    assert answer.status == (201 if taken else 204)
    assert (LAST in answer.headers) is not taken
    assert twin.client.jobs()[0]["handed_out"] == int(taken)


def test_request_refusals(root: Session, anyone: Session, twin: TwinServer) -> None:
    assert anyone.call("POST", REQUEST, {}).json == {"error": "token is missing"}
    assert ask(anyone, "glrt-x").json == {"message": "403 Forbidden"}
    token = runner_token(root)
    root.call("DELETE", "/api/v4/runners/1")
    assert ask(anyone, token).status == 403


def test_last_update(root: Session, anyone: Session, twin: TwinServer) -> None:
    """The same value means no search; a new job and every change of the runner give a new value."""
    token = runner_token(root)
    first = ask(anyone, token).headers[LAST]
    assert len(first) == 32
    int(first, 16)
    assert ask(anyone, token, last_update=first).headers[LAST] == first
    twin.client.add_jobs(tag_list=["other"])
    assert ask(anyone, token, last_update=first).headers[LAST] == first, "no job for this runner"
    root.call("PUT", "/api/v4/runners/1", {"description": "x"})
    second = ask(anyone, token, last_update=first).headers[LAST]
    assert second != first
    twin.client.add_jobs(2)
    assert [ask(anyone, token, last_update=second).status for _unused in range(3)] == [201, 201, 204]
    third = ask(anyone, token, last_update=second).headers[LAST]
    twin.client.change_runner(1, created_at=time.time())
    assert ask(anyone, token, last_update=third).headers[LAST] == third


def test_what_gives_a_new_value(root: Session, anyone: Session, twin: TwinServer) -> None:
    token = runner_token(root, runner_type="project_type", project_id=20)
    values = [ask(anyone, token).headers[LAST]]
    for method, path, body in [
        ("POST", "/api/v4/projects/21/runners", {"runner_id": 1}),
        ("DELETE", "/api/v4/projects/21/runners/1", None),
        ("PUT", "/api/v4/runners/1", {"paused": False}),
        ("POST", "/api/v4/runners/1/reset_authentication_token", None),
    ]:
        assert root.call(method, path, body).status < 300
        values.append(ask(anyone, twin.client.runners()[0]["token"]).headers[LAST])
    assert len(set(values)) == 5


def test_handing_out_is_counted(root: Session, anyone: Session, twin: TwinServer) -> None:
    """A job that went out twice would show: the count is no flag."""
    ask(anyone, runner_token(root))
    twin.client.add_jobs()
    store = twin.twin.store
    with store.transaction():
        for _unused in range(2):
            queue.hand_out(twin.twin, store.must("jobs", 1), store.must("runners", 1), store.must("managers", 1), {})
    assert twin.client.jobs()[0]["handed_out"] == 2


@pytest.mark.parametrize(
    ("of_runner", "of_job", "expected"), [(None, 1800, 1800), (900, 1800, 900), (2700, 1800, 1800)]
)
def test_timeout(
    root: Session, anyone: Session, twin: TwinServer, of_runner: int | None, of_job: int, expected: int
) -> None:
    token = runner_token(root, maximum_timeout=of_runner)
    twin.client.add_jobs(timeout=of_job)
    assert ask(anyone, token).json["runner_info"]["timeout"] == expected


def test_paused_runner_keeps_contact_and_running_job(
    root: Session, anyone: Session, twin: TwinServer, job: dict[str, t.Any]
) -> None:
    root.call("PUT", "/api/v4/runners/1", {"paused": True})
    twin.client.add_jobs()
    twin.client.change_runner(1, contacted_at=None)
    assert ask(anyone, twin.client.runners()[0]["token"]).status == 204
    runner = root.call("GET", "/api/v4/runners/1").json
    assert (runner["status"], runner["online"], runner["job_execution_status"]) == ("paused", True, "active")
    assert put(anyone, job, state="success").status == 200


def test_long_polling(root: Session, anyone: Session, twin: TwinServer) -> None:
    """A held request returns when a fitting job comes, and when its time is over."""
    twin.client.set_settings(long_polling=0.2)
    token = runner_token(root)
    value = ask(anyone, token).headers[LAST]
    start = time.monotonic()
    assert ask(anyone, token, last_update=value).headers[LAST] == value
    assert time.monotonic() - start >= 0.2
    twin.client.set_settings(long_polling=20)
    timer = threading.Timer(0.1, twin.client.add_jobs)
    timer.start()
    changed = ask(anyone, token, last_update=value)
    timer.join()
    assert changed.status == 204
    assert changed.headers[LAST] != value
    assert ask(anyone, token, last_update=value).status == 201
    assert time.monotonic() - start < 5


def test_trace_and_end(anyone: Session, twin: TwinServer, job: dict[str, t.Any]) -> None:
    """What a genuine runner does: PATCH, PUT running, PATCH, PUT with the end (runner facts 5)."""
    first = patch(anyone, job, 0, b"hello ")
    shown = {name: first.headers[name] for name in ("job-status", "range", "x-gitlab-trace-update-interval")}
    assert (first.status, shown) == (
        202,
        {"job-status": "running", "range": "0-6", "x-gitlab-trace-update-interval": "60"},
    )
    alive = put(anyone, job, state="running", checksum="crc32:1", output={"checksum": "crc32:1", "bytesize": 6})
    assert (alive.status, alive.text, alive.headers["job-status"]) == (200, "200", "running")
    assert alive.headers["content-type"] == "application/json"
    assert patch(anyone, job, 6, b"world\n").headers["range"] == "0-12"
    assert patch(anyone, job, 12, b"").status == 202
    end = put(anyone, job, state="failed", failure_reason="script_failure", exit_code=3)
    assert (end.status, end.text, end.headers["job-status"]) == (200, "200", "failed")
    kept = twin.client.jobs(status="failed")[0]
    assert {
        key: kept[key] for key in ("trace", "failure_reason", "exit_code", "runner_id", "system_id", "handed_out")
    } == {
        "trace": "hello world\n",
        "failure_reason": "script_failure",
        "exit_code": 3,
        "runner_id": 1,
        "system_id": "s_1",
        "handed_out": 1,
    }
    assert kept["created_at"] <= kept["started_at"] <= kept["finished_at"]


@pytest.mark.parametrize(
    ("start", "status", "body", "size"),
    [
        pytest.param(9, 416, {"error": "416 Range Not Satisfiable"}, "0-3", id="too-big"),
        pytest.param(0, 416, {"error": "416 Range Not Satisfiable"}, "0-3", id="too-small"),
        pytest.param(None, 400, {"error": "400 Missing header Content-Range"}, None, id="no-header"),
    ],
)
def test_trace_refusals(
    anyone: Session, job: dict[str, t.Any], start: int | None, status: int, body: t.Any, size: str | None
) -> None:
    assert patch(anyone, job, 1, b"x").headers["range"] == "0-0", "nothing is there yet"
    patch(anyone, job, 0, b"abc")
    answer = patch(anyone, job, start, b"x")
    assert (answer.status, answer.json, answer.headers.get("range")) == (status, body, size)


def test_trace_limit(anyone: Session, twin: TwinServer, job: dict[str, t.Any]) -> None:
    twin.client.set_settings(trace_limit=4, trace_watched=True)
    assert patch(anyone, job, 0, b"abcd").headers["x-gitlab-trace-update-interval"] == "3"
    over = patch(anyone, job, 4, b"e")
    assert (over.status, over.json) == (403, {"error": "403 Forbidden"})
    assert twin.client.jobs()[0]["failure_reason"] == "trace_size_exceeded"


@pytest.mark.parametrize(
    ("fields", "status", "end"),
    [
        ({"state": "success"}, 200, ("success", None)),
        ({"state": "failed"}, 200, ("failed", "script_failure")),
        ({"state": "failed", "failure_reason": "runner_system_failure"}, 200, ("failed", "runner_system_failure")),
        ({"state": "failed", "failure_reason": "invented"}, 200, ("failed", "unknown_failure")),
        ({"state": "success", "unknown": 1}, 200, ("success", None)),
        ({"state": "nonsense"}, 400, ("running", None)),
        ({}, 400, ("running", None)),
    ],
)
def test_update(
    anyone: Session,
    twin: TwinServer,
    job: dict[str, t.Any],
    fields: dict[str, t.Any],
    status: int,
    end: tuple[str, str | None],
) -> None:
    answer = put(anyone, job, **fields)
    assert (answer.status, answer.text) == (status, str(status))
    kept = twin.client.jobs()[0]
    assert (kept["status"], kept["failure_reason"]) == end


def test_job_refusals(anyone: Session, twin: TwinServer, job: dict[str, t.Any]) -> None:
    forbidden = {"message": "403 Forbidden"}
    assert put(anyone, {"id": 1, "token": "x"}).json == forbidden
    assert put(anyone, {"id": 77, "token": job["token"]}).json == forbidden
    assert patch(anyone, job, 0, b"x", token="wrong").json == forbidden
    assert anyone.call("PUT", "/api/v4/jobs/1", {"state": "success"}).json == {"error": "token is missing"}
    put(anyone, job, state="success")
    for answer in (put(anyone, job, state="success"), patch(anyone, job, 0, b"x")):
        assert (answer.status, answer.headers["job-status"]) == (403, "success")
        assert answer.json == {"message": "403 Forbidden - Job is not processing on runner"}
    twin.client.erase_job(1)
    assert put(anyone, job).json == {"message": "403 Forbidden - Job has been erased!"}


def test_incremental_logging_asks_again(anyone: Session, twin: TwinServer, job: dict[str, t.Any]) -> None:
    twin.client.set_settings(incremental_logging=True)
    first = put(anyone, job, state="success", output={"checksum": "crc32:1", "bytesize": 0})
    assert (first.status, first.headers["x-gitlab-trace-update-interval"]) == (202, "60")
    assert put(anyone, job, state="success", output={"checksum": "crc32:1", "bytesize": 0}).status == 200


def test_graceful_cancel(anyone: Session, twin: TwinServer, job: dict[str, t.Any]) -> None:
    twin.client.cancel_job(1)
    answer = patch(anyone, job, 0, b"x")
    assert (answer.status, answer.headers["job-status"]) == (202, "canceling")
    assert put(anyone, job, state="running").headers["job-status"] == "canceling"
    assert put(anyone, job, state="failed").headers["job-status"] == "canceled"


def test_hard_cancel(root: Session, anyone: Session, twin: TwinServer) -> None:
    token = runner_token(root)
    twin.client.add_jobs(2)
    job = ask(anyone, token, info={"features": {}}).json
    twin.client.cancel_job(1)
    twin.client.cancel_job(2)
    answer = patch(anyone, job, 0, b"x")
    assert (answer.status, answer.headers["job-status"]) == (403, "canceled")
    assert ask(anyone, token).status == 204, "a canceled job is handed out to nobody"


def test_artifacts(anyone: Session, root: Session, job: dict[str, t.Any]) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n\r\nzip\r\nbytes\r\n--B\r\n'
        b'Content-Disposition: form-data; name="artifact_type"\r\n\r\narchive\r\n--B--\r\n'
    )
    headers = {"Job-Token": job["token"], "Content-Type": "multipart/form-data; boundary=B"}
    path = f"/api/v4/jobs/{job['id']}/artifacts"
    assert anyone.call("GET", path, headers=headers).status == 404
    assert anyone.call("POST", path, b"", headers).json == {"error": "file is missing"}
    assert anyone.call("POST", path, body).status == 403
    sent = anyone.call("POST", path, body, headers)
    assert (sent.status, sent.text) == (201, "201")
    got = anyone.call("GET", path, headers=headers)
    assert (got.text, got.headers["content-disposition"]) == ("zip\r\nbytes", 'attachment; filename="a.zip"')
    shown = root.call("GET", "/api/v4/projects/20/jobs/1").json
    assert shown["artifacts_file"] == {"filename": "a.zip", "size": 10}
