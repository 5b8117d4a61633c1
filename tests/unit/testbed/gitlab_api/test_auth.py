# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens, scopes and their answers (API facts 1.1)."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session

UNAUTHORIZED = {"message": "401 Unauthorized"}
EXPIRED = {
    "error": "invalid_token",
    "error_description": "Token is expired. You can either do re-authorization or token refresh.",
}
REVOKED = {"error": "invalid_token", "error_description": "Token was revoked. You have to re-authorize from the user."}


@pytest.mark.parametrize(
    ("make", "status", "body"),
    [
        pytest.param(None, 401, UNAUTHORIZED, id="no-token"),
        pytest.param({"token": "glpat-unknown"}, 401, UNAUTHORIZED, id="unknown"),
        pytest.param({"expires_at": "2020-01-01"}, 401, EXPIRED, id="expired"),
        pytest.param({"expires_at": datetime.date.today().isoformat()}, 401, EXPIRED, id="expires-today"),
        pytest.param({"expires_at": "2999-01-01"}, 200, None, id="expires-later"),
        pytest.param({"revoked": True}, 401, REVOKED, id="revoked"),
        pytest.param(
            {"user": "blocked"}, 403, {"message": "403 Forbidden - Your account has been blocked."}, id="blocked"
        ),
    ],
)
def test_token(twin: TwinServer, make: dict[str, t.Any] | None, status: int, body: t.Any) -> None:
    token = "" if make is None else make.get("token") or twin.token(**make)
    answer = Session(twin.url, token).call("GET", "/api/v4/user")
    assert answer.status == status
    if body:
        assert answer.json == body


@pytest.mark.parametrize("how", ["private-token", "PRIVATE-TOKEN", "bearer", "query"])
def test_where_the_token_stands(twin: TwinServer, how: str) -> None:
    token = twin.token(user="user")
    headers = {"bearer": {"authorization": f"Bearer {token}"}, "query": {}}.get(how, {how: token})
    path = f"/api/v4/user?private_token={token}" if how == "query" else "/api/v4/user"
    assert Session(twin.url).call("GET", path, headers=headers).json["username"] == "user"


CALLS = {
    "create": ("POST", "/api/v4/user/runners", {"runner_type": "instance_type"}),
    "list": ("GET", "/api/v4/runners", None),
    "list-all": ("GET", "/api/v4/runners/all", None),
    "list-group": ("GET", "/api/v4/groups/10/runners", None),
    "list-project": ("GET", "/api/v4/projects/20/runners", None),
    "get": ("GET", "/api/v4/runners/1", None),
    "put": ("PUT", "/api/v4/runners/1", {"paused": True}),
    "managers": ("GET", "/api/v4/runners/1/managers", None),
    "jobs": ("GET", "/api/v4/runners/1/jobs", None),
    "reset": ("POST", "/api/v4/runners/1/reset_authentication_token", None),
    "metadata": ("GET", "/api/v4/metadata", None),
    "user": ("GET", "/api/v4/user", None),
    "self": ("GET", "/api/v4/personal_access_tokens/self", None),
    "group": ("GET", "/api/v4/groups/10", None),
    "delete": ("DELETE", "/api/v4/runners/1", None),
}
LISTS = {"list", "list-all", "list-group", "list-project"}
READS = {name for name, (method, *unused) in CALLS.items() if method == "GET"}


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["api"], set(CALLS)),
        (["read_api"], READS),
        (["create_runner"], {"create", "self"}),
        (["manage_runner"], {"get", "put", "managers", "jobs", "reset", "delete", "self"}),
        (["create_runner", "manage_runner"], {"create", "get", "put", "managers", "jobs", "reset", "delete", "self"}),
        (["read_user"], {"metadata", "user", "self"}),
        (["read_repository"], {"self"}),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else "",
)
def test_scopes(twin: TwinServer, root: Session, scopes: list[str], allowed: set[str]) -> None:
    """Two narrow scopes alone can't list runners: a client has to remember their ids."""
    root.call("POST", "/api/v4/user/runners", {"runner_type": "instance_type"})
    session = Session(twin.url, twin.token(scopes))
    answers = {name: session.call(*call) for name, call in CALLS.items()}
    assert {name for name, answer in answers.items() if answer.status < 300} == allowed
    refused = [answer for name, answer in answers.items() if name not in allowed]
    assert {answer.status for answer in refused} <= {403}
    assert {answer.json["error"] for answer in refused} <= {"insufficient_scope"}


def test_insufficient_scope_names_what_the_call_knows(twin: TwinServer) -> None:
    answer = Session(twin.url, twin.token(["read_user"])).call(*CALLS["get"])
    assert answer.json == {
        "error": "insufficient_scope",
        "error_description": "The request requires higher privileges than provided by the access token.",
        "scope": "manage_runner api read_api",
    }


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/api/v4/groups/12", 404, {"message": "404 Group Not Found"}),
        ("/api/v4/groups/99", 404, {"message": "404 Group Not Found"}),
        ("/api/v4/projects/22", 404, {"message": "404 Project Not Found"}),
        ("/api/v4/projects/builder", 404, {"message": "404 Project Not Found"}),
        ("/api/v4/projects/fleet%2Fapp", 200, None),
        ("/api/v4/groups/fleet%2Ftools", 200, None),
        ("/api/v4/groups/10", 200, None),
        ("/api/v4/nonsense", 404, {"error": "404 Not Found"}),
    ],
)
def test_what_the_ordinary_user_sees(user: Session, path: str, status: int, body: t.Any) -> None:
    answer = user.call("GET", path)
    assert answer.status == status
    if body:
        assert answer.json == body


def test_order_of_checks(twin: TwinServer) -> None:
    """Token and scope, then parameters, then the object, then the right, then the model."""
    user = Session(twin.url, twin.token(user="user"))
    bad = {"runner_type": "group_type", "group_id": "x"}
    assert Session(twin.url).call("POST", "/api/v4/user/runners", bad).status == 401
    assert Session(twin.url, twin.token(["read_api"])).call("POST", "/api/v4/user/runners", bad).status == 403
    assert user.call("POST", "/api/v4/user/runners", bad).status == 400
    gone = user.call("POST", "/api/v4/user/runners", {"runner_type": "group_type", "group_id": 99})
    assert gone.json == {"message": "400 Bad request - Missing/invalid group"}
    denied = user.call(
        "POST", "/api/v4/user/runners", {"runner_type": "group_type", "group_id": 10, "maximum_timeout": 1}
    )
    assert denied.status == 403


@pytest.mark.parametrize(("scopes", "status"), [(["api"], 403), (["api", "admin_mode"], 200)])
def test_admin_mode(twin: TwinServer, scopes: list[str], status: int) -> None:
    twin.client.set_settings(admin_mode=True)
    session = Session(twin.url, twin.token(scopes))
    answer = session.call("GET", "/api/v4/runners/all")
    assert answer.status == status
    if status == 403:
        assert answer.json == {"message": "403 Forbidden"}
        assert session.call(*CALLS["create"]).json == {"message": "403 Forbidden - Insufficient permissions"}


def test_wrong_verb_and_renamed_project(root: Session, twin: TwinServer) -> None:
    assert root.call("PATCH", "/api/v4/runners/1").json == {"error": "405 Not Allowed"}
    moved = root.call("GET", "/api/v4/projects/fleet%2Ftools%2Fmaker/jobs?page=1")
    assert (moved.status, moved.headers["location"]) == (301, f"{twin.url}/api/v4/projects/21/jobs?page=1")
    assert root.call("POST", "/api/v4/projects/fleet%2Ftools%2Fmaker/runners", {"runner_id": 1}).status == 405
