# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance, caller, groups, projects, health (API facts 7, 8)."""

from __future__ import annotations

import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session


@pytest.mark.parametrize("path", ["metadata", "version"])
def test_metadata(root: Session, anyone: Session, path: str) -> None:
    data = root.call("GET", f"/api/v4/{path}").json
    assert list(data) == ["version", "revision", "kas", "enterprise"]
    assert (data["version"], data["enterprise"]) == ("18.6.2", False)
    assert list(data["kas"]) == ["enabled", "externalUrl", "externalK8sProxyUrl", "version"]
    assert anyone.call("GET", f"/api/v4/{path}").status == 401


def test_own_token(twin: TwinServer) -> None:
    token = twin.token(["read_api"], user="user", expires_at="2999-01-01")
    data = Session(twin.url, token).call("GET", "/api/v4/personal_access_tokens/self").json
    assert list(data) == [
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
    ]
    assert (data["scopes"], data["user_id"], data["expires_at"]) == (["read_api"], 2, "2999-01-01")


def test_is_admin_is_absent_for_others(root: Session, user: Session) -> None:
    assert root.call("GET", "/api/v4/user").json["is_admin"] is True
    assert "is_admin" not in user.call("GET", "/api/v4/user").json


def test_group_and_project(root: Session, user: Session) -> None:
    group = root.call("GET", "/api/v4/groups/fleet%2Ftools").json
    assert list(group) == [
        "id",
        "web_url",
        "name",
        "path",
        "description",
        "visibility",
        "full_name",
        "full_path",
        "created_at",
        "parent_id",
        "shared_runners_setting",
    ]
    assert (group["id"], group["full_name"], group["parent_id"]) == (11, "fleet / tools", 10)
    project = user.call("GET", "/api/v4/projects/20").json
    assert list(project)[-5:] == ["archived", "visibility", "ci_config_path", "shared_runners_enabled", "permissions"]
    assert project["permissions"]["project_access"]["access_level"] == 30


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [20]),
        ("?include_subgroups=true", [21, 20]),
        ("?include_subgroups=true&simple=true", [21, 20]),
        ("?archived=true", []),
        ("?archived=false", [20]),
    ],
)
def test_group_projects(root: Session, query: str, expected: list[int]) -> None:
    answer = root.call("GET", f"/api/v4/groups/10/projects{query}")
    assert [project["id"] for project in answer.json] == expected
    assert answer.headers["x-total"] == str(len(expected))


@pytest.mark.parametrize(
    ("settings", "path", "status", "body"),
    [
        ({}, "health", 200, "GitLab OK"),
        ({}, "liveness", 200, '{"status":"ok"}'),
        ({}, "readiness", 200, '{"status":"ok","master_check":[{"status":"ok"}]}'),
        ({"monitoring_whitelist": ["10.0.0.0/8"]}, "health", 404, ""),
        (
            {"failed_checks": ["db_check"]},
            "readiness",
            503,
            '{"status":"failed","master_check":[{"status":"ok"}],'
            '"db_check":[{"status":"failed","message":"unexpected db_check result"}]}',
        ),
    ],
)
def test_health(
    twin: TwinServer, anyone: Session, settings: dict[str, t.Any], path: str, status: int, body: str
) -> None:
    twin.client.set_settings(**settings)
    answer = anyone.call("GET", f"/-/{path}")
    assert (answer.status, answer.text) == (status, body)


def test_health_of_all_parts_and_for_strangers(twin: TwinServer, anyone: Session) -> None:
    parts = anyone.call("GET", "/-/readiness?all=1").json
    assert parts["gitaly_check"] == [{"status": "ok", "labels": {"shard": "default"}}]
    twin.client.set_settings(monitoring_whitelist=[])
    stranger = anyone.call("GET", "/-/readiness")
    assert (stranger.status, stranger.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_head_has_the_headers_alone(root: Session) -> None:
    got, head = root.call("GET", "/api/v4/groups/10"), root.call("HEAD", "/api/v4/groups/10")
    assert (head.status, head.text, head.headers["content-length"]) == (200, "", str(len(got.text)))
