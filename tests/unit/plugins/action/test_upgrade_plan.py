# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning an upgrade and waiting for migrations, as tasks: what is wrong is refused with its name and a remedy."""

from __future__ import annotations

import typing as t

import pytest
from unit.plugins.action.plays import Host, Task

PLAN, WAIT = "gitlab_upgrade_plan", "gitlab_background_migrations"
VERSIONS = ("18.5.7", "18.8.11", "18.11.7", "18.11.11", "19.2.4", "19.3.2", "19.5.1", "19.9.0")
Case = tuple[str, dict[str, t.Any], tuple[str, ...]]

WRONG: tuple[Case, ...] = (
    (PLAN, {"version": 18.1}, ("18.1 is a number", "quote it")),
    (PLAN, {"version": "newer"}, ("'newer' is no version", "18.11.9")),
    (PLAN, {"version": "v19.2.4"}, ("'v19.2.4' is no version",)),
    (PLAN, {"version": "18.5"}, ("18.5.7 is older", "gitlab_rollback")),
    (PLAN, {"version": "18.11.9"}, ("no gitlab-ce 18.11.9", "18.11.7, 18.11.11")),
    (PLAN, {"version": "20.1"}, ("no gitlab-ce 20.1", "gitlab_server_repo_baseurl")),
    (PLAN, {"version": "19.2.4-ee.0.el9"}, ("is of gitlab-ee", "edition: ee")),
    (PLAN, {"edition": "ee"}, ("no gitlab-ee at all",)),
    (PLAN, {"edition": "fips"}, ("edition", "ce, ee")),
    (PLAN, {"conditional_stops": [17.1, "16.1"]}, ("17.1 is a number", "quote it")),
    (PLAN, {"conditional_stops": ["18.2"]}, ("18.2: no conditional stop", "15.1, 16.0")),
    (PLAN, {"target": "19.2"}, ("target", "Supported parameters")),
    (PLAN, {"version": "19"}, ("no package of 19.8 (required stop)", "No stop may be left out")),
    (WAIT, {"resume": True, "finalize": True}, ("two ways; choose one",)),
    (WAIT, {"timeout": -1}, ("timeout is -1", "seconds")),
    (WAIT, {"timeout": "soon"}, ("timeout", "int")),
    (WAIT, {}, ("Could not look for background migrations", "gitlab-ctl status", "become: true")),
)


@pytest.fixture
def server(host: Host) -> Host:
    """A host whose rpm and dnf know GitLab; its other programs are this machine's."""
    offers = "\n".join(f"offer gitlab-ce {version}-ce.0.el9 1000 2000" for version in VERSIONS)
    host.program("rpm", "#!/bin/sh\necho 'package gitlab-ce 18.8.11-ce.0.el9'\n")
    host.program("dnf", f"#!/bin/sh\ncat <<'END'\n{offers}\nEND\n")
    host.program("id", "#!/bin/sh\necho 0\n")
    return host


def test_every_wrong_input_is_named_with_a_remedy(server: Host) -> None:
    tasks: list[Task] = [(name, options) for name, options, _words in WRONG]
    for (name, options, words), result in zip(WRONG, server.results(*tasks), strict=True):
        assert result["failed"], (name, options)
        for word in words:
            assert word in result["msg"], (name, options, result["msg"])


def test_the_way_is_a_result_and_a_table(server: Host) -> None:
    """The preflight's look is for real, on a machine without GitLab: much stands against it, each with a remedy."""
    way, looked = server.results((PLAN, {"version": "19.3", "preflight": False}), (PLAN, {"version": "18.11"}))
    assert [one["package"] for one in way["stops"]] == [
        "gitlab-ce-18.11.11-ce.0.el9",
        "gitlab-ce-19.2.4-ce.0.el9",
        "gitlab-ce-19.3.2-ce.0.el9",
    ]
    assert (way["from"], way["to"], way["ready"], way["unfinished"]) == ("18.8.11", "19.3.2", True, None)
    assert way["table"].startswith("GitLab 18.8.11 -> 19.3.2, 3 stops\n")
    assert not way["changed"]
    assert not looked["ready"]
    assert all(one["what"] and one["remedy"] for one in looked["findings"])
    for part in ("Services can't be asked", "not ready", "did not come to its end", "can't be counted"):
        assert part in looked["table"]
