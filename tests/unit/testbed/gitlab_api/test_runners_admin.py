# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating, reading, changing and deleting runners as a user (API facts 2, 3.1, 3.2)."""

from __future__ import annotations

import email.utils
import json
import time
import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session

CREATE = "/api/v4/user/runners"
ONE = "/api/v4/runners/1"
LONG = "x" * 1025
MANY = [f"t{number}" for number in range(51)]
NO_TAGS = "Tags list can not be empty when runner is not allowed to pick untagged jobs"
MANY_TAGS = "Tags list Too many tags specified. Please limit the number of tags to 50"
SHORT = "Maximum timeout needs to be at least 10 minutes"
LONG_NOTE = "Maintenance note is too long (maximum is 1024 characters)"
LONG_DESCRIPTION = "Description is too long (maximum is 1024 characters)"
RUNNER_KEYS = [
    "id",
    "description",
    "ip_address",
    "active",
    "paused",
    "is_shared",
    "runner_type",
    "name",
    "online",
    "created_by",
    "created_at",
    "status",
    "job_execution_status",
]
DETAIL_KEYS = [
    *RUNNER_KEYS,
    "tag_list",
    "run_untagged",
    "locked",
    "maximum_timeout",
    "access_level",
    "version",
    "revision",
    "platform",
    "architecture",
    "contacted_at",
    "maintenance_note",
    "projects",
    "groups",
]
PROJECT_KEYS = [
    "id",
    "description",
    "name",
    "name_with_namespace",
    "path",
    "path_with_namespace",
    "created_at",
    "default_branch",
    "tag_list",
    "topics",
    "ssh_url_to_repo",
    "http_url_to_repo",
    "web_url",
    "readme_url",
    "forks_count",
    "avatar_url",
    "star_count",
    "last_activity_at",
    "namespace",
]


def error(text: str) -> dict[str, str]:
    return {"error": text}


def refused(text: str) -> dict[str, str]:
    return {"message": f"400 Bad request - {text}"}


def instance(**more: t.Any) -> dict[str, t.Any]:
    return {"runner_type": "instance_type", **more}


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        pytest.param({}, 400, error("runner_type is missing, runner_type does not have a valid value"), id="no-type"),
        pytest.param({"runner_type": "x"}, 400, error("runner_type does not have a valid value"), id="wrong-type"),
        pytest.param({"runner_type": "group_type"}, 400, error("group_id is missing"), id="no-group"),
        pytest.param(
            {"runner_type": "group_type", "group_id": "x"}, 400, error("group_id is invalid"), id="group-text"
        ),
        pytest.param({"runner_type": "project_type"}, 400, error("project_id is missing"), id="no-project"),
        pytest.param(
            {"runner_type": "project_type", "project_id": "x"}, 400, error("project_id is invalid"), id="project-text"
        ),
        pytest.param(
            instance(paused="maybe", maximum_timeout="x"),
            400,
            error("paused is invalid, maximum_timeout is invalid"),
            id="two-invalid",
        ),
        pytest.param(instance(access_level="x"), 400, error("access_level does not have a valid value"), id="level"),
        pytest.param(
            {"runner_type": "group_type", "group_id": 99}, 400, refused("Missing/invalid group"), id="group-gone"
        ),
        pytest.param(
            {"runner_type": "project_type", "project_id": 99},
            400,
            refused("Missing/invalid project"),
            id="project-gone",
        ),
        pytest.param(instance(run_untagged=False), 400, refused(NO_TAGS), id="no-tags"),
        pytest.param(instance(run_untagged=False, tag_list=""), 400, refused(NO_TAGS), id="empty-tags"),
        pytest.param(instance(tag_list=MANY), 400, refused(MANY_TAGS), id="many-tags"),
        pytest.param(instance(tag_list=MANY[:50]), 201, None, id="fifty-tags"),
        pytest.param(instance(maximum_timeout=599), 400, refused(SHORT), id="short-timeout"),
        pytest.param(instance(maximum_timeout=600), 201, None, id="ten-minutes"),
        pytest.param(instance(description=LONG), 400, refused(LONG_DESCRIPTION), id="long-description"),
        pytest.param(instance(maintenance_note=LONG), 400, refused(LONG_NOTE), id="long-note"),
        pytest.param(instance(description=LONG[:1024]), 201, None, id="just-fits"),
        pytest.param(instance(run_untagged=False, maximum_timeout=1), 400, refused(f"{NO_TAGS} and {SHORT}"), id="two"),
        pytest.param(
            instance(run_untagged=False, maximum_timeout=1, maintenance_note=LONG),
            400,
            refused(f"{NO_TAGS}, {SHORT}, and {LONG_NOTE}"),
            id="three",
        ),
        pytest.param(instance(description=None, tag_list=[], maximum_timeout=""), 201, None, id="nothing-given"),
        pytest.param({"runner_type": "group_type", "group_id": "11"}, 201, None, id="number-as-text"),
        pytest.param({"runner_type": "project_type", "project_id": 20, "locked": True}, 201, None, id="project"),
    ],
)
def test_create(root: Session, body: dict[str, t.Any], status: int, expected: t.Any) -> None:
    answer = root.call("POST", CREATE, body)
    assert answer.status == status
    if expected is not None:
        assert answer.json == expected
    else:
        assert list(answer.json) == ["id", "token", "token_expires_at"]
        assert len(answer.json["token"].removeprefix("glrt-")) >= 20


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (instance(), 403),
        ({"runner_type": "group_type", "group_id": 10}, 403),
        ({"runner_type": "group_type", "group_id": 11}, 201),
        ({"runner_type": "project_type", "project_id": 20}, 403),
        ({"runner_type": "project_type", "project_id": 21}, 201),
        ({"runner_type": "group_type", "group_id": 12}, 403),
    ],
    ids=["instance", "group", "own-group", "developer", "own-project", "hidden"],
)
def test_who_may_create(user: Session, body: dict[str, t.Any], status: int) -> None:
    answer = user.call("POST", CREATE, body)
    assert answer.status == status
    if status == 403:
        assert answer.json == {"message": "403 Forbidden - Insufficient permissions"}


def test_form_body(root: Session) -> None:
    form = b"runner_type=instance_type&tag_list[]=b&tag_list[]=a&paused=true"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert root.call("POST", CREATE, form, headers).status == 201
    assert root.call("GET", ONE).json["tag_list"] == ["b", "a"]
    broken = root.call("POST", CREATE, b"{", {"Content-Type": "application/json"})
    assert (broken.status, list(broken.json)) == (400, ["error"])


SENT = {
    "runner_type": "project_type", "project_id": 20, "description": "d", "tag_list": "b, a", "paused": True,
    "maximum_timeout": 900,
}  # fmt: skip
SHOWN = {
    "description": "d", "active": False, "paused": True, "online": None, "status": "never_contacted",
    "tag_list": ["b", "a"], "maximum_timeout": 900, "contacted_at": None, "job_execution_status": "idle",
    "is_shared": False,
}  # fmt: skip
CREATOR_KEYS = ["id", "username", "public_email", "name", "state", "locked", "avatar_url", "web_url"]


def test_details(root: Session) -> None:
    root.call("POST", CREATE, SENT)
    details = root.call("GET", ONE).json
    assert list(details) == DETAIL_KEYS
    assert list(details["projects"][0]) == PROJECT_KEYS
    assert list(details["created_by"]) == CREATOR_KEYS
    assert {key: details[key] for key in SHOWN} == SHOWN
    assert "projects" not in root.call("GET", f"{ONE}?include_projects=false").json
    assert root.call("GET", f"{ONE}/projects").json[0]["path_with_namespace"] == "fleet/app"


def test_details_of_a_groups_runner(root: Session, twin: TwinServer) -> None:
    root.call("POST", CREATE, {"runner_type": "group_type", "group_id": 11})
    assert root.call("GET", ONE).json["groups"] == [
        {"id": 11, "web_url": f"{twin.url}/groups/fleet/tools", "name": "tools"}
    ]


NINE = "description, active, paused, tag_list, run_untagged, locked, access_level, maximum_timeout, maintenance_note"


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        pytest.param({}, 400, error(f"{NINE} are missing, at least one parameter must be provided"), id="nothing"),
        pytest.param(
            {"x": 1}, 400, error(f"{NINE} are missing, at least one parameter must be provided"), id="unknown"
        ),
        pytest.param({"active": True, "paused": True}, 400, error("active, paused are mutually exclusive"), id="both"),
        pytest.param(
            {"run_untagged": False, "tag_list": []},
            400,
            {"message": {"tags_list": ["can not be empty when runner is not allowed to pick untagged jobs"]}},
            id="no-tags",
        ),
        pytest.param(
            {"tag_list": MANY},
            400,
            {"message": {"tags_list": ["Too many tags specified. Please limit the number of tags to 50"]}},
            id="many-tags",
        ),
        pytest.param(
            {"maximum_timeout": 5},
            400,
            {"message": {"maximum_timeout": ["needs to be at least 10 minutes"]}},
            id="short",
        ),
        pytest.param(
            {"description": LONG, "maintenance_note": LONG},
            400,
            {
                "message": {
                    "description": ["is too long (maximum is 1024 characters)"],
                    "maintenance_note": ["is too long (maximum is 1024 characters)"],
                }
            },
            id="long",
        ),
        pytest.param({"tag_list": "c,d"}, 200, {"tag_list": ["c", "d"]}, id="tags-are-replaced"),
        pytest.param({"tag_list": ""}, 200, {"tag_list": []}, id="text-clears-tags"),
        pytest.param({"tag_list": []}, 200, {"tag_list": []}, id="list-clears-tags"),
        pytest.param({"maximum_timeout": None}, 200, {"maximum_timeout": None}, id="null-clears-timeout"),
        pytest.param({"paused": True}, 200, {"paused": True, "active": False, "tag_list": ["a"]}, id="pause"),
        pytest.param({"active": False}, 200, {"paused": True, "active": False}, id="not-active"),
        pytest.param(
            {"locked": True, "access_level": "ref_protected", "description": "e", "maintenance_note": "n"},
            200,
            {"locked": True, "access_level": "ref_protected", "description": "e", "maintenance_note": "n"},
            id="the-rest",
        ),
    ],
)
def test_update(root: Session, body: dict[str, t.Any], status: int, expected: dict[str, t.Any]) -> None:
    root.call("POST", CREATE, instance(tag_list=["a"], maximum_timeout=900))
    answer = root.call("PUT", ONE, body)
    assert answer.status == status
    if status == 400:
        assert answer.json == expected
    else:
        assert expected.items() <= answer.json.items()
        assert {**root.call("GET", ONE).json, "projects": []} == {**answer.json, "projects": []}


NOT_GRANTED = {"message": "403 Forbidden - No access granted"}


@pytest.mark.parametrize(
    "call",
    [
        ("GET", ONE, None),
        ("PUT", ONE, {"paused": True}),
        ("DELETE", ONE, None),
        ("GET", f"{ONE}/managers", None),
        ("GET", f"{ONE}/jobs", None),
        ("POST", f"{ONE}/reset_authentication_token", None),
    ],
    ids=lambda call: f"{call[0]}-{call[1].rsplit('/', 1)[-1]}",
)
def test_other_peoples_runner(root: Session, user: Session, call: tuple[str, str, t.Any]) -> None:
    root.call("POST", CREATE, {"runner_type": "group_type", "group_id": 10})
    assert (user.call(*call).status, user.call(*call).json) == (403, NOT_GRANTED)


def test_instance_runner_is_open_to_read_only(root: Session, user: Session) -> None:
    root.call("POST", CREATE, instance())
    assert user.call("GET", ONE).status == 200
    assert user.call("PUT", ONE, {"paused": True}).json == NOT_GRANTED
    assert user.call("GET", f"{ONE}/jobs").json == NOT_GRANTED


@pytest.mark.parametrize(
    "call",
    [
        ("GET", "", None),
        ("PUT", "", {"paused": True}),
        ("DELETE", "", None),
        ("GET", "/managers", None),
        ("GET", "/jobs", None),
        ("GET", "/projects", None),
        ("POST", "/reset_authentication_token", None),
    ],
    ids=lambda call: f"{call[0]}{call[1]}",
)
def test_unknown_id(root: Session, call: tuple[str, str, t.Any]) -> None:
    method, path, body = call
    answer = root.call(method, f"/api/v4/runners/77{path}", body)
    assert (answer.status, answer.json) == (404, {"message": "404 Not found"})
    assert root.call(method, f"/api/v4/runners/abc{path}", body).json == error("id is invalid")
    assert root.call(method, f"/api/v4/runners/{10**30}{path}", body).json == error("id is invalid")


def test_delete(root: Session) -> None:
    root.call("POST", CREATE, instance())
    old = email.utils.formatdate(time.time() - 60, usegmt=True)
    conditional = root.call("DELETE", ONE, headers={"If-Unmodified-Since": old})
    assert (conditional.status, conditional.json) == (412, {"message": "412 Precondition Failed"})
    gone = root.call("DELETE", ONE)
    assert (gone.status, gone.text) == (204, "")
    assert root.call("GET", ONE).status == 404
    assert root.call("POST", CREATE, instance()).json["id"] == 2, "a number is never used twice"


def test_reset_kills_the_old_token(root: Session, anyone: Session) -> None:
    old = root.call("POST", CREATE, instance()).json["token"]
    answer = root.call("POST", f"{ONE}/reset_authentication_token", b"null", {"Content-Type": "application/json"})
    assert (answer.status, list(answer.json)) == (201, ["token", "token_expires_at"])
    assert anyone.call("POST", "/api/v4/runners/verify", {"token": old}).status == 403
    assert anyone.call("POST", "/api/v4/runners/verify", {"token": answer.json["token"]}).status == 200


def test_status_by_time(root: Session, twin: TwinServer) -> None:
    """Paused shows only for a runner that was heard of; stale comes first."""
    root.call("POST", CREATE, instance())
    now, hour, day = time.time(), 3600, 86400
    steps: list[tuple[dict[str, float | None], bool]] = [
        ({"contacted_at": now}, False),
        ({"contacted_at": now}, True),
        ({"contacted_at": now - 3 * hour}, False),
        ({"contacted_at": now - 8 * day, "created_at": now - 9 * day}, True),
        ({"contacted_at": None, "created_at": now - 8 * day}, False),
    ]
    seen = []
    for changes, paused in steps:
        twin.client.change_runner(1, **changes)
        root.call("PUT", ONE, {"paused": paused})
        runner = root.call("GET", ONE).json
        seen.append((runner["status"], runner["online"]))
    assert seen == [("online", True), ("paused", True), ("offline", False), ("stale", False), ("stale", None)]


def test_assign_and_unassign(root: Session, user: Session) -> None:
    root.call("POST", CREATE, {"runner_type": "project_type", "project_id": 20})
    root.call("POST", CREATE, {"runner_type": "group_type", "group_id": 11})
    user.call("POST", CREATE, {"runner_type": "project_type", "project_id": 21, "locked": True})
    path = "/api/v4/projects/21/runners"
    rows = [
        (user, "POST", path, {"runner_id": 2}, 403, "403 Forbidden - Runner is a group runner"),
        (user, "POST", path, {"runner_id": 3}, 403, "403 Forbidden - Runner is locked"),
        (user, "POST", path, {"runner_id": 1}, 403, "403 Forbidden - No access granted"),
        (user, "POST", path, {"runner_id": 77}, 404, "404 Not found"),
        (
            user,
            "DELETE",
            f"{path}/3",
            None,
            403,
            "403 Forbidden - Only one project associated with the runner. Please remove the runner instead",
        ),
        (user, "DELETE", f"{path}/1", None, 404, "404 Runner Not Found"),
    ]
    for who, method, url, body, status, text in rows:
        answer = who.call(method, url, body)
        assert (answer.status, answer.json) == (status, {"message": text})
    added = root.call("POST", path, {"runner_id": 1})
    assert (added.status, list(added.json)) == (201, RUNNER_KEYS)
    several = user.call("DELETE", ONE)
    assert several.json == {"message": "403 Forbidden - Runner associated with more than one project"}
    assert root.call("DELETE", f"{path}/1").status == 204
    assert json.dumps([found["id"] for found in root.call("GET", f"{ONE}/projects").json]) == "[20]"
