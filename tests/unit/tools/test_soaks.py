# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stream of jobs and its judgement, the matrix, its progress, and whom a kill takes."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest
from bench import upgrade
from soaks import feed, fleet, kills, runner_upgrade, situations
from soaks.progress import Progress
from testbed import paths as testbed_paths
from testbed.gitlab_api import TwinServer
from testbed.hosts import inventory


def job(number: int, status: str, handed_out: int = 1) -> dict[str, t.Any]:
    return {"id": number, "status": status, "handed_out": handed_out}


@pytest.mark.parametrize(
    ("jobs", "lost"),
    [
        pytest.param([job(1, "success"), job(2, "success")], 0, id="all-well"),
        pytest.param([job(1, "failed"), job(2, "success")], 1, id="one-failed"),
        pytest.param([job(1, "canceled"), job(2, "running")], 2, id="canceled-and-unfinished"),
        pytest.param([job(1, "success", 2), job(2, "pending", 0)], 2, id="twice-and-never"),
        pytest.param([job(1, "failed", 2), job(2, "success")], 1, id="counted-once"),
        pytest.param([job(1, "success"), job(2, "success"), job(9, "failed")], 0, id="not-of-the-stream"),
    ],
)
def test_tally(jobs: list[dict[str, t.Any]], lost: int) -> None:
    found = feed.tally(jobs, {1, 2})
    assert (found.jobs, found.lost) == (2, lost)


def test_feed_until_told_to_stop(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PAUSE", 0.01)
    out = tmp_path / "jobs.json"
    with TwinServer() as twin:
        feed.feed(feed.Stream(twin.client), out, 0.3)
        ids = json.loads(out.read_text())["ids"]
        assert ids == [one["id"] for one in twin.client.jobs()]
        assert len(feed.settled(twin.client, ids, patience=0.0).unfinished) == len(ids) > 1


def test_the_matrix_has_every_case_once() -> None:
    keys = [case.key for case in runner_upgrade.cases(1)]
    assert len(set(keys)) == len(keys) == 3 * len(kills.STEPS) * 2 * 2 + 4
    assert sorted(keys) == sorted(case.key for case in runner_upgrade.cases(2))
    assert [case.key.split("-")[1] for case in runner_upgrade.quick()] == list(kills.STEPS)
    assert sum(case.kinds[1] for case in runner_upgrade.cases(1)) == len(situations.SITUATIONS)


def test_the_versions_are_those_of_the_testbed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testbed_paths, "STATE", tmp_path / "state.json")
    offers = {"gitlab-runner": inventory.Offer("http://p", (), ("17.5.5", "18.0.3", "19.3.0"))}
    state = inventory.State(
        "al2023", "i", "10.9.8.0/24", "10.9.8.1", "http://a", "t", offers, {}, {"runner1": "10.9.8.11"}
    )
    testbed_paths.STATE.write_text(state.as_json())
    assert fleet.Versions.offered() == fleet.Versions("17.5.5", "19.3.0")


def test_progress_goes_on_where_it_was(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "soak" / "a.json"
    first = Progress.resumed("runner_upgrade", path)
    first.done["a"], first.jobs, first.lost = ["b is wrong"], 7, [3]
    first.keep()
    again = Progress.resumed("runner_upgrade", path)
    assert again == first
    assert again.record(5) == {
        "scenario": "runner_upgrade", "seed": 5, "kills": 1, "faults": 0, "records_lost": 0, "jobs": 7, "jobs_lost": 1,
        "unexplained": 1, "seconds": 0,
    }  # fmt: skip


def test_a_kill_takes_workers_with_sessions_of_their_own() -> None:
    words = "import subprocess,time; subprocess.Popen(['sleep', '30'], start_new_session=True); time.sleep(30)"
    parent = subprocess.Popen([sys.executable, "-c", words])
    try:
        until = time.monotonic() + 10
        while len(kills.family(parent.pid)) < 2 and time.monotonic() < until:
            time.sleep(0.05)
        found = kills.family(parent.pid)
        assert found[0] == parent.pid
        assert len(found) == 2
    finally:
        for pid in kills.family(parent.pid):
            os.kill(pid, 9)
        parent.wait()


def test_idle_seconds_of_every_host() -> None:
    hosts = {"a": {"idle_seconds": 1.5}, "b": {"changed": False}}
    said = json.dumps({"plays": [{"tasks": [{"hosts": hosts}, {"hosts": {"c": {"idle_seconds": 2}}}]}]})
    assert upgrade.idle_seconds(f"[a] draining\n{said}") == [1.5, 2.0]
