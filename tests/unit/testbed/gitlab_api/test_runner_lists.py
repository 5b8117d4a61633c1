# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of runners, their filters and their pages (API facts 1.3, 3.3)."""

from __future__ import annotations

import time
import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Answer, Session

CREATE = "/api/v4/user/runners"
FLEET = [
    {"runner_type": "instance_type", "tag_list": "a"},
    {"runner_type": "group_type", "group_id": 10, "tag_list": "a,b"},
    {"runner_type": "group_type", "group_id": 11, "paused": True},
    {"runner_type": "project_type", "project_id": 20},
    {"runner_type": "project_type", "project_id": 21},
    {"runner_type": "group_type", "group_id": 12},
]


@pytest.fixture
def fleet(root: Session) -> Session:
    for body in FLEET:
        assert root.call("POST", CREATE, body).status == 201
    return root


def ids(answer: Answer) -> list[int]:
    assert answer.status == 200, answer.text
    return [runner["id"] for runner in answer.json]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("runners", [2, 3, 4, 5]),
        ("runners/all", [1, 2, 3, 4, 5, 6]),
        ("groups/10/runners", [1, 2]),
        ("groups/11/runners", [1, 2, 3]),
        ("projects/20/runners", [1, 2, 4]),
        ("projects/fleet%2Ftools%2Fbuilder/runners", [1, 2, 3, 5]),
    ],
)
def test_content(fleet: Session, path: str, expected: list[int]) -> None:
    """A group's list has its ancestors' runners and not its subgroups'."""
    assert ids(fleet.call("GET", f"/api/v4/{path}")) == expected


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("runners", 200, [3, 5]),
        ("runners/all", 403, {"message": "403 Forbidden"}),
        ("groups/10/runners", 403, {"message": "403 Forbidden"}),
        ("groups/11/runners", 200, [1, 2, 3]),
        ("groups/12/runners", 404, {"message": "404 Group Not Found"}),
        ("projects/20/runners", 403, {"message": "403 Forbidden"}),
        ("projects/21/runners", 200, [1, 2, 3, 5]),
        ("projects/22/runners", 404, {"message": "404 Project Not Found"}),
    ],
)
def test_rights(fleet: Session, user: Session, path: str, status: int, expected: t.Any) -> None:
    assert fleet.call("GET", "/api/v4/runners/all").status == 200
    answer = user.call("GET", f"/api/v4/{path}")
    assert answer.status == status
    assert (ids(answer) if status == 200 else answer.json) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type=group_type", [2, 3, 6]),
        ("paused=true", [3]),
        ("paused=false", [1, 2, 4, 5, 6]),
        ("status=online", [1]),
        ("status=offline", [2]),
        ("status=stale", [4]),
        ("status=never_contacted", [3, 5, 6]),
        ("status=paused", [3]),
        ("status=active", [1, 2, 4, 5, 6]),
        ("tag_list=a", [1, 2]),
        ("tag_list=a,b", [2]),
        ("tag_list[]=b", [2]),
        ("version_prefix=17.", [1]),
        ("scope=shared", [1]),
        ("scope=specific", [2, 3, 4, 5, 6]),
        ("scope=project_type&paused=false", [4, 5]),
    ],
)
def test_filters(fleet: Session, twin: TwinServer, query: str, expected: list[int]) -> None:
    now, hour, day = time.time(), 3600, 86400
    token = twin.client.runners()[0]["token"]
    fleet.call("POST", "/api/v4/jobs/request", {"token": token, "info": {"version": "17.5.5"}})
    twin.client.change_runner(2, contacted_at=now - 3 * hour)
    twin.client.change_runner(4, contacted_at=now - 8 * day, created_at=now - 8 * day)
    assert ids(fleet.call("GET", f"/api/v4/runners/all?{query}")) == expected


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("all?status=nope", {"error": "status does not have a valid value"}),
        ("all?type=nope", {"error": "type does not have a valid value"}),
        ("all?version_prefix=x", {"error": "version_prefix is invalid"}),
        ("all?scope=nope", {"error": "scope does not have a valid value"}),
        ("?scope=shared", {"message": "Scope contains invalid value"}),
        ("all?page=x", {"error": "page is invalid"}),
        ("all?per_page=0", {"error": "per_page does not have a valid value"}),
    ],
)
def test_refused_filters(root: Session, query: str, body: t.Any) -> None:
    answer = root.call("GET", f"/api/v4/runners/{query}".replace("/?", "?"))
    assert (answer.status, answer.json) == (400, body)


def test_lists_lack_what_needs_one_call_each(fleet: Session) -> None:
    runner = fleet.call("GET", "/api/v4/runners").json[0]
    assert not {"tag_list", "locked", "maximum_timeout"} & set(runner)


def page_headers(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("x-") and name != "x-request-id"}


def test_offset_pages(fleet: Session, twin: TwinServer) -> None:
    base = f"{twin.url}/api/v4/groups/fleet%2Ftools/runners"

    def link(page: int, rel: str) -> str:
        return f'<{base}?id=fleet%2Ftools&page={page}&per_page=1&type=group_type>; rel="{rel}"'

    middle = fleet.call("GET", "/api/v4/groups/fleet%2Ftools/runners?type=group_type&per_page=1&page=1")
    assert middle.headers["link"] == ", ".join([link(2, "next"), link(1, "first"), link(2, "last")])
    assert page_headers(middle) == {
        "x-per-page": "1",
        "x-page": "1",
        "x-next-page": "2",
        "x-prev-page": "",
        "x-total": "2",
        "x-total-pages": "2",
    }
    last = fleet.call("GET", "/api/v4/groups/fleet%2Ftools/runners?type=group_type&per_page=1&page=2")
    assert last.headers["link"] == ", ".join([link(1, "prev"), link(1, "first"), link(2, "last")])
    beyond = fleet.call("GET", "/api/v4/runners/all?page=9")
    assert (beyond.json, beyond.headers["x-total"], beyond.headers["x-next-page"]) == ([], "6", "")
    assert fleet.call("GET", "/api/v4/runners/all?per_page=500").headers["x-per-page"] == "100"


def test_no_totals_beyond_the_counting_limit(fleet: Session, twin: TwinServer) -> None:
    twin.client.set_settings(count_limit=3)
    answer = fleet.call("GET", "/api/v4/runners/all?per_page=2")
    assert "x-total" not in answer.headers
    assert "x-total-pages" not in answer.headers
    assert 'rel="last"' not in answer.headers["link"]


def test_empty_list_has_one_page(root: Session) -> None:
    answer = root.call("GET", "/api/v4/runners/all")
    assert (answer.json, answer.headers["x-total"], answer.headers["x-total-pages"]) == ([], "0", "1")
