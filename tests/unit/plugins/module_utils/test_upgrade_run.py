# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drive from step to step: a stop a run, the way back where it loses nothing, and a kill at every boundary."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_result,
    _host_command,
    _upgrade_back,
    _upgrade_next,
    _upgrade_run,
    _upgrade_steps,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import Host
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_file import Journal
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import (
    BACK_STEPS,
    STEPS,
    Back,
    Release,
    Step,
    Stop,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_work import Request, StepFailed, Work

ORIGIN = Release("18.5.7", "18.5.7-ce.0.el9", 16)
STOPS = (Stop("18.8.11", "18.8.11-ce.0.el9"), Stop("18.11.9", "18.11.9-ce.0.el9", None, 17))


class Killed(BaseException):
    """As SIGKILL: nobody clears up."""


@dataclasses.dataclass
class Scene:
    """A host whose steps only say that they were done; one may fail, or be killed before or after its work."""

    path: pathlib.Path
    fails: tuple[int, str] | None = None
    killed: tuple[str, int] = ("", 0)
    done: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    begun: int = 0

    def work(self, **asked: t.Any) -> Work:
        host = Host(_host_command.run, _host_command.stream, _backup_result.Silent())
        journal = Journal(str(self.path))
        begun = journal.last is not None and bool(journal.last.marks)
        # As it is planned: what was begun counts as installed.
        rest = STOPS[_upgrade_next.at(journal.last) + 1 :] if begun and journal.last else STOPS
        return Work(Request(stops=rest, **asked), host, journal)

    def step(self, name: str) -> t.Callable[[Work, int, bool], dict[str, t.Any]]:
        def do(_work: Work, stop: int, _again: bool) -> dict[str, t.Any]:
            self.begun += 1
            if self.killed == ("before", self.begun):
                raise Killed
            if self.fails == (stop, name):
                raise StepFailed(f"{name} failed")
            self.done.append((stop, name))
            if self.killed == ("after", self.begun):
                raise Killed
            return {"set": f"set-{stop}"} if name == Step.KEEP else {}

        return do

    def upgrade(self, **asked: t.Any) -> dict[str, t.Any]:
        """Run the program until it has nothing more to do, as the controller does."""
        while True:
            work = self.work(**asked)
            if work.journal.last is not None and not work.journal.last.unfinished:
                return {"state": "closed", "outcome": work.journal.last.outcome}
            _upgrade_run.begin(work, ORIGIN)
            answer = _upgrade_run.go(work)
            if answer["state"] != "stop done":
                return answer


@pytest.fixture
def scene(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    found = Scene(tmp_path)
    monkeypatch.setattr(_upgrade_steps, "STEPS", {name: found.step(name) for name in STEPS})
    monkeypatch.setattr(_upgrade_back, "STEPS", {name: found.step(name) for name in BACK_STEPS})
    monkeypatch.setattr(_upgrade_run, "_refuse_loss", lambda *_args: None)
    return found


def test_every_step_of_every_stop_in_order(scene: Scene) -> None:
    assert scene.upgrade()["outcome"] == "upgraded"
    assert scene.done == [(stop, step) for stop in (0, 1) for step in STEPS]


def test_one_run_is_one_stop(scene: Scene) -> None:
    work = scene.work()
    _upgrade_run.begin(work, ORIGIN)
    assert _upgrade_run.go(work)["state"] == "stop done"
    assert {stop for stop, _step in scene.done} == {0}


@pytest.mark.parametrize(
    "step", [one for one in STEPS if one not in (Step.CLOSE, Step.KEEP, Step.OPEN, Step.MIGRATIONS)]
)
def test_a_failure_turns_back_by_itself(scene: Scene, step: str) -> None:
    scene.fails = (1, step)
    answer = scene.upgrade()
    assert (answer["state"], answer["outcome"], answer["version"]) == ("closed", "rolled back", "18.8.11")
    assert answer["reason"] == f"{step} failed"
    assert scene.done[-1] == (1, Back.OPEN)


@pytest.mark.parametrize("step", [Step.OPEN, Step.MIGRATIONS])
def test_once_the_door_is_open_people_are_asked(scene: Scene, step: str) -> None:
    scene.fails = (0, step)
    answer = scene.upgrade()
    assert answer["failed"] is True
    assert "users could write" in answer["msg"]
    assert not [name for _stop, name in scene.done if name in BACK_STEPS]


def test_who_keeps_serving_is_asked(scene: Scene) -> None:
    scene.fails = (0, Step.RECONFIGURE)
    assert "users could write" in scene.upgrade(keep_serving=True)["msg"]


def test_without_rollback_it_stands_and_goes_on(scene: Scene) -> None:
    scene.fails = (0, Step.RECONFIGURE)
    assert "Run the upgrade again" in scene.upgrade(rollback=False)["msg"]
    scene.fails = None
    assert scene.upgrade()["outcome"] == "upgraded"


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 2 * len(STEPS) + 1))
def test_killed_anywhere_it_is_finished_by_the_next_run(scene: Scene, when: str, number: int) -> None:
    scene.killed = (when, number)
    with pytest.raises(Killed):
        scene.upgrade()
    assert scene.upgrade()["outcome"] == "upgraded"
    assert list(dict.fromkeys(scene.done)) == [(stop, step) for stop in (0, 1) for step in STEPS]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, len(BACK_STEPS) + 1))
def test_killed_on_the_way_back_the_next_run_ends_there(scene: Scene, when: str, number: int) -> None:
    scene.fails = (0, Step.RECONFIGURE)
    scene.killed = (when, STEPS.index(Step.RECONFIGURE) + 1 + number)
    with pytest.raises(Killed):
        scene.upgrade()
    scene.fails = None
    answer = scene.upgrade()
    assert answer["outcome"] == "rolled back"
    back = [name for _stop, name in scene.done if name in BACK_STEPS]
    assert list(dict.fromkeys(back)) == list(BACK_STEPS)
