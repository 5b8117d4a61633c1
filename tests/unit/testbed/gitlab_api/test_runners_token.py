# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls with a runner's token or a registration token (API facts 3.4)."""

from __future__ import annotations

import time
import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session

VERIFY, MANAGERS, RUNNERS = "/api/v4/runners/verify", "/api/v4/runners/managers", "/api/v4/runners"
RESET = "/api/v4/runners/reset_authentication_token"
FORBIDDEN = {"message": "403 Forbidden"}
MISSING = {"error": "token is missing"}


@pytest.fixture
def token(root: Session) -> str:
    return str(root.call("POST", "/api/v4/user/runners", {"runner_type": "instance_type"}).json["token"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "expected"),
    [
        ("POST", VERIFY, {}, 400, MISSING),
        ("POST", VERIFY, {"token": "glrt-x"}, 403, FORBIDDEN),
        ("POST", VERIFY, {"token": ""}, 403, FORBIDDEN),
        ("DELETE", MANAGERS, {"system_id": "s"}, 400, MISSING),
        ("DELETE", MANAGERS, {"token": "TOKEN"}, 400, {"error": "system_id is missing"}),
        ("DELETE", MANAGERS, {}, 400, {"error": "token is missing, system_id is missing"}),
        ("DELETE", MANAGERS, {"token": "glrt-x", "system_id": "s"}, 403, FORBIDDEN),
        (
            "DELETE",
            MANAGERS,
            {"token": "TOKEN", "system_id": "s"},
            404,
            {"message": "404 Runner manager not found Not Found"},
        ),
        ("DELETE", RUNNERS, {}, 400, MISSING),
        ("DELETE", RUNNERS, {"token": "glrt-x"}, 403, FORBIDDEN),
        ("POST", RESET, {}, 400, MISSING),
        ("POST", RESET, {"token": "glrt-x"}, 403, FORBIDDEN),
        ("POST", RUNNERS, {}, 400, MISSING),
        ("POST", RUNNERS, {"token": "nope"}, 403, {"message": "403 Forbidden - invalid token supplied"}),
        ("GET", "/api/v4/runners/router/discovery", None, 404, {"error": "404 Not Found"}),
    ],
)
def test_refusals(
    anyone: Session, token: str, method: str, path: str, body: dict[str, str] | None, status: int, expected: t.Any
) -> None:
    if body and body.get("token") == "TOKEN":
        body = {**body, "token": token}
    answer = anyone.call(method, path, body)
    assert (answer.status, answer.json) == (status, expected)


def test_verify_makes_the_manager(anyone: Session, root: Session, token: str) -> None:
    """A new runner stays never_contacted until its first jobs/request (before the newest versions)."""
    answer = anyone.call("POST", VERIFY, {"token": token, "system_id": "s_1"}, {"Runner-Token": token})
    assert (answer.status, answer.json) == (200, {"id": 1, "token": token, "token_expires_at": None})
    assert answer.headers["content-type"] == "application/json"
    anyone.call("POST", VERIFY, {"token": token})
    managers = root.call("GET", "/api/v4/runners/1/managers").json
    assert [found["system_id"] for found in managers] == ["s_1", "<legacy>"]
    assert list(managers[0]) == [
        "id",
        "system_id",
        "version",
        "revision",
        "platform",
        "architecture",
        "created_at",
        "contacted_at",
        "ip_address",
        "status",
        "job_execution_status",
    ]
    assert root.call("GET", "/api/v4/runners/1").json["status"] == "never_contacted"
    anyone.call("POST", "/api/v4/jobs/request", {"token": token, "system_id": "s_1", "info": {"version": "18.0.3"}})
    runner = root.call("GET", "/api/v4/runners/1").json
    assert (runner["status"], runner["version"]) == ("online", "18.0.3")


def test_delete_manager_and_runner(anyone: Session, root: Session, token: str) -> None:
    anyone.call("POST", VERIFY, {"token": token, "system_id": "s_1"})
    assert anyone.call("DELETE", MANAGERS, {"token": token, "system_id": "s_1"}).status == 204
    assert root.call("GET", "/api/v4/runners/1").status == 200, "the runner stays"
    assert anyone.call("DELETE", RUNNERS, {"token": token}).status == 204
    assert root.call("GET", "/api/v4/runners/1").status == 404


def test_rotation(anyone: Session, twin: TwinServer) -> None:
    """With a lifetime, a runner's token expires; resetting in time gives the next one, and kills the old at once."""
    twin.client.set_settings(runner_token_lifetime=0.25)
    root = Session(twin.url, twin.admin_token)
    first = root.call("POST", "/api/v4/user/runners", {"runner_type": "instance_type"}).json
    assert first["token_expires_at"].endswith("Z")
    time.sleep(0.005)
    second = anyone.call("POST", RESET, {"token": first["token"]}).json
    assert second["token_expires_at"] > first["token_expires_at"]
    assert anyone.call("POST", VERIFY, {"token": first["token"]}).status == 403
    assert anyone.call("POST", VERIFY, {"token": second["token"]}).status == 200
    time.sleep(0.26)
    for path in (VERIFY, RESET, "/api/v4/jobs/request"):
        answer = anyone.call("POST", path, {"token": second["token"]})
        assert (answer.status, answer.json) == (403, FORBIDDEN)


@pytest.mark.parametrize(
    ("owner", "kind"), [("instance", "instance_type"), ("10", "group_type"), ("20", "project_type")]
)
def test_registration_token(anyone: Session, root: Session, twin: TwinServer, owner: str, kind: str) -> None:
    known = twin.client.registration_tokens()
    token = {"instance": known["instance"], **known["groups"], **known["projects"]}[owner]
    body = {
        "token": token,
        "description": "legacy",
        "tag_list": "a,b",
        "run_untagged": False,
        "locked": True,
        "paused": False,
        "info": {"name": "gitlab-runner"},
    }
    closed = anyone.call("POST", RUNNERS, body)
    assert (closed.status, closed.json) == (410, {"message": "410 Gone - runner registration disallowed"})
    twin.client.set_settings(registration_tokens=True)
    answer = anyone.call("POST", RUNNERS, body)
    assert (answer.status, list(answer.json)) == (201, ["id", "token", "token_expires_at"])
    runner = root.call("GET", "/api/v4/runners/1").json
    assert (runner["runner_type"], runner["tag_list"], runner["run_untagged"]) == (kind, ["a", "b"], False)
    assert "created_by" not in runner


def test_migrations_close_every_runner_call(anyone: Session, twin: TwinServer, token: str) -> None:
    twin.client.set_settings(migrating=True)
    answer = anyone.call("POST", VERIFY, {"token": token})
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert answer.json == {"message": "Executing database migrations. Please retry later."}
