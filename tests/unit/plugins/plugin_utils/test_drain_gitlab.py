# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab's part of a drain, against the twin: who shares a runner, pausing, and what GitLab sees of its jobs."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_runners import Runners
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain import Standing
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain_gitlab import Control
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._status import Entry
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session

MINE, OTHER = "s_000000000001", "s_000000000002"


class Scene:
    """A runner of the twin, and machines that ask it for jobs."""

    def __init__(self, twin: TwinServer) -> None:
        self.twin = twin
        self.gitlab = GitLab(Endpoint(twin.url, twin.admin_token), sleep=lambda _seconds: None)
        self.control = Control(self.gitlab, 4, MINE)
        made = Runners(self.gitlab).create("a", {"runner_type": "instance_type", "run_untagged": True})
        self.entry = Entry("a", int(made["id"]), twin.url, "shell", str(made["token"]))

    def asks(self, system_id: str) -> int:
        with Session(self.twin.url) as session:
            body = {"token": self.entry.token, "system_id": system_id, "info": {"version": "18.0.3"}}
            return session.call("POST", "/api/v4/jobs/request", body).status

    def standing(self, *, check_mode: bool = False) -> Standing:
        return self.control.standings([self.entry], check_mode=check_mode)[0]


@pytest.fixture
def scene(twin: TwinServer) -> t.Iterator[Scene]:
    found = Scene(twin)
    yield found
    found.gitlab.close()


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_runner_of_this_machine_alone(scene: Scene, check_mode: bool) -> None:
    scene.asks(MINE)
    assert scene.standing(check_mode=check_mode) == Standing("a", scene.entry.id, known=True)


def test_a_runner_that_another_machine_works_with(scene: Scene) -> None:
    scene.asks(MINE)
    scene.asks(OTHER)
    assert scene.standing().shared_with == (OTHER,)


def test_a_machine_that_never_asked_for_jobs_does_not_share(scene: Scene) -> None:
    Runners(scene.gitlab).verify("a", scene.entry.token, OTHER)
    managers = [one["system_id"] for runner in scene.twin.client.runners() for one in runner["managers"]]
    assert OTHER in managers
    assert scene.standing().shared_with == ()


def test_pause_and_back(scene: Scene) -> None:
    scene.control.set_paused([scene.entry.id], True)
    assert scene.standing().paused
    scene.twin.client.add_jobs(1)
    assert scene.asks(MINE) == 204
    scene.control.set_paused([scene.entry.id], False)
    assert not scene.standing().paused
    assert scene.asks(MINE) == 201
    assert scene.control.busy([scene.entry.id])


def test_an_entry_of_another_gitlab(scene: Scene) -> None:
    foreign = Entry("b", scene.entry.id, "https://elsewhere.example.com", "shell", "glrt-ofAnotherGitLab00")
    assert scene.control.standings([foreign], check_mode=False) == [Standing("b")]


def test_a_runner_that_is_gone_needs_no_unpausing(scene: Scene) -> None:
    Runners(scene.gitlab).delete(scene.entry.id, "a")
    scene.control.set_paused([scene.entry.id], False)


def test_all_are_tried_before_the_first_error_is_raised(scene: Scene) -> None:
    second = int(Runners(scene.gitlab).create("b", {"runner_type": "instance_type"})["id"])
    path = f"/runners/{scene.entry.id}"
    scene.twin.client.set_faults([{"method": "PUT", "path": path, "status": 500, "times": 9}])
    with pytest.raises(GitLabError, match="Could not change runner"):
        scene.control.set_paused([scene.entry.id, second], True)
    paused = {one["id"]: one["paused"] for one in scene.twin.client.runners()}
    assert (paused[scene.entry.id], paused[second]) == (False, True)
