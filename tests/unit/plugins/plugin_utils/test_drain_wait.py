# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a paused runner is waited for, with a clock and a host that only pretend."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _drain_action
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain import Plan, Way
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain_read import Job, Look

JOBS = (Job("https://g/p/-/jobs/1"),)
PLAN = Plan(Way.PAUSED, (1,), (1,))
Moments = t.Callable[[float], t.Any]


class Clock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Control:
    """What GitLab counts at a moment after the pause."""

    def __init__(self, clock: Clock, counts: Moments) -> None:
        self.clock, self.counts = clock, counts

    def busy(self, _ids: t.Sequence[int]) -> bool:
        return bool(self.counts(self.clock.now - 1000))


class Waiting(_drain_action.DrainAction):
    """The action with a host whose jobs and processes depend on the moment; a look takes a tenth of a second."""

    def __init__(self, clock: Clock, jobs: Moments, processes: Moments = lambda _: 0) -> None:
        self.clock, self.jobs, self.processes = clock, jobs, processes

    def _look(self, *_: object, **__: object) -> Look:
        self.clock.now += 0.1
        now = self.clock.now - 1000
        look = Look("loaded", "active", "running", "enabled", 812, jobs=self.jobs(now))
        return dataclasses.replace(look, processes=self.processes(now))

    def _say(self, words: str) -> None:
        self.said = words


@pytest.mark.parametrize(
    ("jobs", "counts", "least", "most"),
    [
        pytest.param(lambda _: (), lambda _: False, 2.0, 3.0, id="idle-but-a-request-may-be-under-way"),
        pytest.param(lambda now: JOBS if now < 10 else (), lambda now: now < 10, 10.0, 11.0, id="a-job-ends"),
        pytest.param(lambda _: (), lambda now: now < 5, 5.0, 6.0, id="given-out-but-not-yet-there"),
        pytest.param(
            lambda now: JOBS if 4 < now < 9 else (), lambda now: now < 9, 9.0, 10.0, id="given-out-and-then-there"
        ),
        pytest.param(lambda _: (), lambda _: True, 30.0, 32.0, id="counted-for-ever-because-lost-long-ago"),
        pytest.param(lambda _: None, lambda now: now < 7, 7.0, 11.0, id="no-list-of-jobs"),
    ],
)
def test_wait(jobs: Moments, counts: Moments, least: float, most: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(_drain_action, "time", clock)
    ask = _drain_action.Ask("/c", "gitlab-runner", 3600, False, 7200, t.cast(t.Any, Control(clock, counts)))
    Waiting(clock, jobs)._wait_idle(ask, PLAN, clock.now)
    assert least <= clock.now - 1000 <= most


@pytest.mark.parametrize(
    ("processes", "counts", "least", "most"),
    [
        pytest.param(lambda now: 3 if now < 9 else 0, lambda _: False, 9.0, 13.0, id="shell-or-custom"),
        pytest.param(lambda _: 0, lambda now: now < 9, 9.0, 13.0, id="docker-as-gitlab-counts"),
        pytest.param(lambda _: 0, lambda _: False, 2.0, 3.0, id="docker-before-gitlab-18-then-the-stop-waits"),
    ],
)
def test_wait_without_metrics(
    processes: Moments, counts: Moments, least: float, most: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(_drain_action, "time", clock)
    ask = _drain_action.Ask("/c", "gitlab-runner", 3600, False, 7200, t.cast(t.Any, Control(clock, counts)))
    Waiting(clock, lambda _: None, processes)._wait_idle(ask, PLAN, clock.now)
    assert least <= clock.now - 1000 <= most


@pytest.mark.parametrize("abort", [False, True])
def test_time_is_up(abort: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(_drain_action, "time", clock)
    ask = _drain_action.Ask("/c", "gitlab-runner", 5, abort, 7200)
    waiting = Waiting(clock, lambda _: JOBS)
    if abort:
        assert waiting._wait_idle(ask, PLAN, clock.now).jobs == JOBS
        return
    with pytest.raises(AnsibleActionFail, match="still runs https://g/p/-/jobs/1"):
        waiting._wait_idle(ask, PLAN, clock.now)
