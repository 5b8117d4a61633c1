# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of runners, as one table."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.filter.gitlab_runner import FilterModule
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _status

ENTRY = _status.Entry("a", 8, "u", "shell", "glrt-t3_abcdefghijkl")
DETAILS = {"status": "online", "paused": False, "tag_list": ["x"], "description": "d"}


@pytest.mark.parametrize(
    ("token", "short"),
    [
        pytest.param("glrt-ok00000000000000AA", "ok0000000", id="all-versions"),
        pytest.param("glrt-t1_abcdefghijkl", "t1_abcdef", id="before-18.2"),
        pytest.param("glrt-t1_abcdefghijkl", "abcdefghi", id="since-18.2"),
        pytest.param("glrtr-abcdefghijkl", "abcdefghi", id="registered"),
        pytest.param("old8token12", "old8toke", id="legacy"),
    ],
)
def test_a_verdict_finds_its_entry_by_the_short_token(token: str, short: str) -> None:
    entry = _status.Entry("a", 8, "u", "shell", token)
    lines = [{"runner": "another00", "verified": "refused"}, {"runner": short, "verified": "valid"}]
    assert _status.runners([entry], lines, {})[0]["verified"] == "valid"


@pytest.mark.parametrize(
    ("known", "status"),
    [
        pytest.param({}, None, id="not-asked"),
        pytest.param({8: None}, "deleted", id="gone"),
        pytest.param({8: DETAILS}, "online", id="there"),
    ],
)
def test_the_side_of_gitlab(known: dict[int, t.Any], status: str | None) -> None:
    (shown,) = _status.runners([ENTRY], [], known)
    assert (shown["status"], shown["verified"], shown["name"]) == (status, None, "a")
    assert "glrt-" not in str(shown)


def test_entries_in_any_spelling() -> None:
    config = {"runners": [{"Name": "a", "ID": 8, "URL": "u", "executor": "shell", "token": ENTRY.token}, {}]}
    assert _status.entries(config) == [ENTRY, _status.Entry("", 0, "", "", "")]


def test_table() -> None:
    hosts = {
        "runner1": {
            "version": "18.0.3", "service": {"word": "running"}, "jobs": [{}, {}],
            "runners": [{"verified": "valid", "paused": False}, {"verified": "refused", "paused": True}],
        },
        "runner2": {"version": None, "service": {"word": "not installed"}, "jobs": None, "runners": []},
        "runner3": {"note": "not reached:\n timed out"},
    }  # fmt: skip
    lines = FilterModule().filters()["gitlab_runner_status_table"](hosts)
    assert [line.split() for line in lines if "--" not in line] == [
        ["HOST", "VERSION", "SERVICE", "RUNNERS", "VERIFIED", "PAUSED", "JOBS", "NOTE"],
        ["runner1", "18.0.3", "running", "2", "1/2", "1/2", "2"],
        ["runner2", "-", "not", "installed", "0", "-", "-", "?"],
        ["runner3", "?", "?", "?", "?", "?", "?", "not", "reached:", "timed", "out"],
    ]
    assert _status.table([]) == ["(no hosts)"]


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        pytest.param(
            {"gitlab_runner_status": {"service": {}, "runners": []}}, {"service": {}, "runners": []}, id="all"
        ),
        pytest.param({}, {"note": "not reached: no answer"}, id="left-out"),
        pytest.param(
            {"gitlab_runner_status": {"unreachable": True, "msg": "ssh"}},
            {"note": "not reached: ssh"},
            id="unreachable",
        ),
        pytest.param(
            {
                "gitlab_runner_status": {"failed": True, "msg": "HTTP 401"},
                "gitlab_runner_status_alone": {"service": {"word": "running"}, "runners": []},
            },
            {"service": {"word": "running"}, "runners": [], "note": "HTTP 401"},
            id="gitlab-failed",
        ),
        pytest.param(
            {
                "gitlab_runner_status": {"failed": True, "msg": "no TOML"},
                "gitlab_runner_status_alone": {"failed": True, "msg": "no TOML"},
            },
            {"note": "no TOML"},
            id="both-failed",
        ),
    ],
)
def test_what_is_left_of_a_look(variables: dict[str, t.Any], found: dict[str, t.Any]) -> None:
    assert _status.of_host(variables) == found
