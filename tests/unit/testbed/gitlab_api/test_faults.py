# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, latency and counts on a switch."""

from __future__ import annotations

import time
import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session, TwinError

VERSION, CREATE = "/api/v4/version", "/api/v4/user/runners"
INSTANCE = {"runner_type": "instance_type"}


@pytest.mark.parametrize(
    ("rule", "statuses"),
    [
        pytest.param({"status": 500}, [500, 500, 500], id="always"),
        pytest.param({"status": 500, "times": 1}, [500, 200, 200], id="once"),
        pytest.param({"status": 500, "skip": 1, "times": 1}, [200, 500, 200], id="the-second"),
        pytest.param({"status": 500, "path": "/version$"}, [500, 500, 500], id="path"),
        pytest.param({"status": 500, "path": "/runners"}, [200, 200, 200], id="other-path"),
        pytest.param({"status": 500, "method": "POST"}, [200, 200, 200], id="other-method"),
    ],
)
def test_status(twin: TwinServer, root: Session, rule: dict[str, t.Any], statuses: list[int]) -> None:
    twin.client.set_faults([rule])
    assert [root.call("GET", VERSION).status for _unused in range(3)] == statuses
    assert twin.client.faults()[0]["hits"] == statuses.count(500)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"message": "no"}, "application/json"),
        ('{"message":"no"}', "application/json"),
        ("Retry later\n", "text/plain"),
        ("<html>", "text/html"),
    ],
)
def test_body_and_headers(twin: TwinServer, root: Session, body: t.Any, kind: str) -> None:
    twin.client.set_faults([{"status": 503, "body": body, "headers": {"Retry-After": 3}}])
    answer = root.call("GET", VERSION)
    assert (answer.status, answer.headers["content-type"], answer.headers["retry-after"]) == (503, kind, "3")
    assert (answer.text if isinstance(body, str) else answer.json) == body


def test_first_rule_that_still_works_wins(twin: TwinServer, root: Session) -> None:
    twin.client.set_faults([{"status": 502, "times": 1}, {"status": 503, "times": 1}])
    assert [root.call("GET", VERSION).status for _unused in range(3)] == [502, 503, 200]
    twin.client.set_faults([{"status": 500}])
    twin.client.clear_faults()
    assert root.call("GET", VERSION).status == 200


@pytest.mark.parametrize(
    ("rule", "runners"),
    [
        pytest.param({"reset": True}, 0, id="dropped-before"),
        pytest.param({"after": True}, 1, id="dropped-after"),
    ],
)
def test_dropped_connection(twin: TwinServer, root: Session, rule: dict[str, t.Any], runners: int) -> None:
    """Dropped after the work, a client can't know that its runner exists."""
    twin.client.set_faults([{**rule, "times": 1, "path": "user/runners"}])
    with pytest.raises(ConnectionError):
        root.call("POST", CREATE, INSTANCE)
    assert len(twin.client.runners()) == runners
    assert twin.client.requests()["by_status"] == {"dropped": 1}
    assert root.call("POST", CREATE, INSTANCE).status == 201


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([{"stat": 1}], "unknown keys: stat"),
        ([{"path": "("}], "not a regular expression"),
        ({"a": 1}, "list of rules"),
    ],
)
def test_bad_rules_are_refused(twin: TwinServer, rules: t.Any, text: str) -> None:
    answer = Session(twin.url).call("PUT", "/-/twin/faults", rules)
    assert answer.status == 400
    assert text in answer.json["error"]


def test_delay_and_latency(twin: TwinServer, root: Session) -> None:
    twin.client.set_faults([{"delay": 0.1, "times": 1}])
    twin.client.set_latency(0.05)

    def seconds(path: str) -> float:
        start = time.monotonic()
        assert root.call("GET", path).status == 200
        return time.monotonic() - start

    assert seconds(VERSION) >= 0.15
    assert 0.05 <= min(seconds(VERSION) for _unused in range(3)) < 0.15
    assert min(seconds("/-/twin/requests") for _unused in range(3)) < 0.05, "steering is not slowed down"


def test_counts(twin: TwinServer, root: Session) -> None:
    root.call("POST", CREATE, INSTANCE)
    root.call("GET", "/api/v4/runners/1")
    root.call("GET", "/api/v4/runners/2")
    root.call("GET", "/nowhere")
    twin.client.jobs()
    assert twin.client.requests() == {
        "total": 4,
        "by_route": {"POST /api/v4/user/runners": 1, "GET /api/v4/runners/:id": 2, "GET (unknown)": 1},
        "by_status": {"201": 1, "200": 1, "404": 2},
    }
    twin.client.clear_requests()
    assert twin.client.requests() == {"total": 0, "by_route": {}, "by_status": {}}


def test_settings_and_reset(twin: TwinServer, root: Session) -> None:
    with pytest.raises(TwinError, match="unknown settings: nope"):
        twin.client.set_settings(nope=1)
    twin.client.set_settings(admin_mode=True)
    root.call("POST", CREATE, INSTANCE)
    twin.client.add_jobs(3)
    other = twin.token()
    twin.client.reset()
    assert (twin.client.settings()["admin_mode"], twin.client.runners(), twin.client.jobs()) == (False, [], [])
    assert root.call("GET", VERSION).status == 200, "the administrator's token stays"
    assert Session(twin.url, other).call("GET", VERSION).status == 401
    assert root.call("POST", CREATE, INSTANCE).json["id"] == 1


def test_steering_refusals(twin: TwinServer) -> None:
    with pytest.raises(TwinError, match="Project"):
        twin.client.add_jobs(project_id=99)
    with pytest.raises(TwinError, match="Job"):
        twin.client.cancel_job(9)
    with pytest.raises(TwinError, match="User"):
        twin.token(user="nobody")
    with pytest.raises(TwinError, match="can be changed"):
        twin.client.change_runner(1, token="x")
