# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits (API facts 1.4)."""

from __future__ import annotations

import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session
from testbed.gitlab_api.limits import application_limit
from testbed.gitlab_api.traits import Traits

TOO_MANY = {"message": {"error": "This endpoint has been requested too many times. Try again later."}}


def test_throttle(twin: TwinServer, root: Session) -> None:
    twin.client.set_settings(throttle={"requests": 2, "period": 3600})
    answers = [root.call("GET", "/api/v4/version") for _unused in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    refused = answers[2]
    assert (refused.text, refused.headers["content-type"]) == ("Retry later\n", "text/plain")
    names = {
        "ratelimit-name": "throttle_authenticated_api",
        "ratelimit-limit": "1",
        "ratelimit-observed": "3",
        "ratelimit-remaining": "0",
    }
    assert names.items() <= refused.headers.items()
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["ratelimit-resettime"].endswith("GMT")
    assert "ratelimit-limit" not in answers[0].headers
    other = Session(twin.url, twin.token(user="user"))
    assert other.call("GET", "/api/v4/version").status == 200, "each token has its own count"


@pytest.mark.parametrize(
    ("limit", "method", "path"),
    [
        ("project_jobs", "GET", "/api/v4/projects/20/jobs"),
        ("jobs_request", "POST", "/api/v4/jobs/request"),
        ("job", "PUT", "/api/v4/jobs/1"),
        ("trace", "PATCH", "/api/v4/jobs/1/trace"),
    ],
)
def test_application_limits(twin: TwinServer, root: Session, limit: str, method: str, path: str) -> None:
    twin.client.set_settings(limits={limit: 2})
    answers = [root.call(method, path, None if method == "GET" else {"token": "x"}) for _unused in range(3)]
    assert [answer.status == 429 for answer in answers] == [False, False, True]
    assert answers[2].json == TOO_MANY
    assert "retry-after" not in answers[2].headers
    twin.client.set_settings(limits={limit: 0})
    assert root.call(method, path, None if method == "GET" else {"token": "x"}).status != 429


@pytest.mark.parametrize(
    ("version", "kind", "overrides", "expected"),
    [
        ("18.4.0", "jobs_request", {}, 0),
        ("18.5.0", "jobs_request", {}, 2000),
        ("18.5.0", "trace", {}, 200),
        ("18.5.0", "job", {}, 200),
        ("18.4.0", "project_jobs", {}, 600),
        ("18.4.0", "trace", {"trace": 5}, 5),
        ("18.5.0", "trace", {"trace": 0}, 0),
    ],
)
def test_defaults_by_version(version: str, kind: str, overrides: dict[str, int], expected: int) -> None:
    assert application_limit(kind, Traits(version), overrides) == expected


def test_newest_says_when_to_retry(versions: t.Callable[[str], TwinServer]) -> None:
    newest = versions("19.3.0")
    newest.client.set_settings(limits={"project_jobs": 1}, throttle={"requests": 9, "period": 60})
    session = Session(newest.url, newest.admin_token)
    first, second = (session.call("GET", "/api/v4/projects/20/jobs") for _unused in range(2))
    assert first.headers["ratelimit-remaining"] == "8"
    assert (second.status, second.headers["retry-after"]) == (429, "60")
