# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs and pipelines as users see them (API facts 5)."""

from __future__ import annotations

import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session

JOB_KEYS = [
    "id",
    "status",
    "stage",
    "name",
    "ref",
    "tag",
    "coverage",
    "allow_failure",
    "created_at",
    "started_at",
    "finished_at",
    "erased_at",
    "duration",
    "queued_duration",
    "user",
    "commit",
    "pipeline",
    "web_url",
    "project",
    "artifacts",
    "runner",
    "runner_manager",
    "artifacts_expire_at",
    "archived",
    "tag_list",
]


@pytest.fixture
def worked(root: Session, twin: TwinServer) -> Session:
    """Job 1 failed on runner 1, job 2 runs there, job 3 waits; each pair is one pipeline."""
    token = root.call("POST", "/api/v4/user/runners", {"runner_type": "instance_type"}).json["token"]
    twin.client.add_jobs(2)
    twin.client.add_jobs(1, tag_list=["z", "a"])
    for system_id in ("s_1", "s_2"):
        root.call("POST", "/api/v4/jobs/request", {"token": token, "system_id": system_id})
    root.call("PUT", "/api/v4/jobs/1", {"token": _job_token(twin, 1), "state": "failed"})
    return root


def _job_token(twin: TwinServer, job_id: int) -> str:
    return str(twin.twin.store.must("jobs", job_id)["token"])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("projects/20/jobs", [3, 2, 1]),
        ("projects/20/jobs?scope[]=failed", [1]),
        ("projects/20/jobs?scope=running", [2]),
        ("projects/20/jobs?scope[]=failed&scope[]=pending", [3, 1]),
        ("projects/21/jobs", []),
        ("projects/20/pipelines/1/jobs", [2, 1]),
        ("projects/20/pipelines/1/jobs?scope[]=failed", [1]),
        ("runners/1/jobs", [1, 2]),
        ("runners/1/jobs?order_by=id", [2, 1]),
        ("runners/1/jobs?order_by=id&sort=asc", [1, 2]),
        ("runners/1/jobs?status=running", [2]),
        ("runners/1/jobs?system_id=s_1", [1]),
        ("projects/20/pipelines", [2, 1]),
        ("projects/20/pipelines?sort=asc", [1, 2]),
        ("projects/20/pipelines?status=pending", [2]),
        ("projects/20/pipelines?ref=topic", []),
        ("projects/20/pipelines?scope=finished", []),
        ("projects/20/pipelines?scope=running", [1]),
        ("projects/20/pipelines?scope=branches", [2, 1]),
        ("projects/20/pipelines?username=user", []),
        ("projects/20/pipelines?updated_after=2999-01-01", []),
        ("projects/20/pipelines?updated_before=2999-01-01", [2, 1]),
        ("projects/20/pipelines?order_by=status", [1, 2]),
        ("projects/20/pipelines?order_by=updated_at", [1, 2]),
    ],
)
def test_lists(worked: Session, path: str, expected: list[int]) -> None:
    answer = worked.call("GET", f"/api/v4/{path}")
    assert (answer.status, [found["id"] for found in answer.json]) == (200, expected)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("projects/20/jobs?scope[]=nope", 400, {"error": "scope does not have a valid value"}),
        ("projects/20/jobs/77", 404, {"message": "404 Not found"}),
        ("projects/21/jobs/1", 404, {"message": "404 Not found"}),
        ("projects/99/jobs", 404, {"message": "404 Project Not Found"}),
        ("projects/20/pipelines/77", 404, {"message": "404 Not found"}),
        ("runners/1/jobs?status=nope", 400, {"error": "status does not have a valid value"}),
    ],
)
def test_refusals(worked: Session, path: str, status: int, body: t.Any) -> None:
    answer = worked.call("GET", f"/api/v4/{path}")
    assert (answer.status, answer.json) == (status, body)


def test_job(worked: Session, twin: TwinServer) -> None:
    failed = worked.call("GET", "/api/v4/projects/20/jobs/1").json
    with_reason = list(JOB_KEYS)
    with_reason.insert(with_reason.index("web_url"), "failure_reason")
    assert list(failed) == with_reason
    assert failed["failure_reason"] == "script_failure"
    assert (failed["runner"]["id"], failed["runner_manager"]["system_id"]) == (1, "s_1")
    waiting = worked.call("GET", "/api/v4/projects/20/jobs/3").json
    assert list(waiting) == JOB_KEYS
    empty = ("started_at", "finished_at", "duration", "runner", "runner_manager")
    assert [waiting[key] for key in empty] == [None] * 5
    assert (waiting["tag_list"], waiting["web_url"]) == (["a", "z"], f"{twin.url}/fleet/app/-/jobs/3")


def test_duration_grows(worked: Session) -> None:
    first, second = (worked.call("GET", "/api/v4/projects/20/jobs/2").json["duration"] for _unused in range(2))
    assert 0 < first < second


def test_runner_job(worked: Session) -> None:
    shown = worked.call("GET", "/api/v4/runners/1/jobs?status=running").json[0]
    assert list(shown) == [*JOB_KEYS[: JOB_KEYS.index("project")], "project"]
    assert list(shown["project"]) == [
        "id",
        "description",
        "name",
        "name_with_namespace",
        "path",
        "path_with_namespace",
        "created_at",
    ]


def test_pipeline(worked: Session) -> None:
    one = worked.call("GET", "/api/v4/projects/20/pipelines/1").json
    assert list(one) == [
        "id",
        "iid",
        "project_id",
        "sha",
        "ref",
        "status",
        "source",
        "created_at",
        "updated_at",
        "web_url",
        "name",
        "before_sha",
        "tag",
        "yaml_errors",
        "user",
        "started_at",
        "finished_at",
        "committed_at",
        "duration",
        "queued_duration",
        "coverage",
        "detailed_status",
    ]
    assert (one["status"], one["queued_duration"], one["finished_at"]) == ("running", 0, None)


def test_project_jobs_come_without_totals(worked: Session, twin: TwinServer) -> None:
    answer = worked.call("GET", "/api/v4/projects/20/jobs?per_page=2")
    assert "x-total" not in answer.headers
    base = f"<{twin.url}/api/v4/projects/20/jobs?id=20&page="
    assert answer.headers["link"] == f'{base}2&per_page=2>; rel="next", {base}1&per_page=2>; rel="first"'
    assert "x-total" not in worked.call("GET", "/api/v4/runners/1/jobs?system_id=s_1").headers
    assert "x-total" in worked.call("GET", "/api/v4/runners/1/jobs").headers


def test_keyset(worked: Session, twin: TwinServer) -> None:
    path: str | None = "/api/v4/projects/20/jobs?pagination=keyset&order_by=id&sort=desc&per_page=2"
    pages = []
    while path:
        answer = worked.call("GET", path)
        pages.append([found["id"] for found in answer.json])
        assert not {"x-page", "x-per-page", "x-total"} & set(answer.headers)
        link = answer.headers.get("link")
        path = link.partition(">")[0].removeprefix(f"<{twin.url}") if link else None
    assert pages == [[3, 2], [1]]
    other = worked.call("GET", "/api/v4/projects/20/jobs?pagination=keyset&order_by=id&sort=asc")
    assert (other.status, other.json) == (
        405,
        {"error": "Keyset pagination is not yet available for this type of request"},
    )
