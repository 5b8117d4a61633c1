# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a service is drained, decided from what was seen; and the look itself, run by a shell on this machine."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import threading
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _drain, _drain_read
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain import Journal, Standing, Way
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain_read import Look, Until

RUNNING = Look("loaded", "active", "running", "enabled", 812, kill_signal="3", kill_mode="mixed", stop_seconds=7200.0)
STOPPED = Look("loaded", "inactive", "dead", "enabled")
FAILED = Look("loaded", "failed", "failed", "enabled", result="timeout")
MASKED = Look("masked", "inactive", "dead", "masked")
MASKED_ALIVE = Look("masked", "active", "running", "masked", 812, kill_signal="15", kill_mode="control-group")
DRAINING = Look("loaded", "deactivating", "stop-sigterm", "enabled", 812)
WAITING = Look("loaded", "activating", "auto-restart", "enabled")
ONE, TWO = Standing("a", 1, known=True), Standing("b", 2, known=True)
PAUSED = Standing("c", 3, known=True, paused=True)
SHARED = Standing("d", 4, known=True, shared_with=("s_other",))
FOREIGN = Standing("e")


@pytest.mark.parametrize(
    ("look", "standings", "left", "way", "pause", "journal"),
    [
        pytest.param(Look(), [ONE], None, Way.NOTHING, (), Journal(), id="not-installed"),
        pytest.param(STOPPED, None, None, Way.NOTHING, (), Journal(), id="stopped"),
        pytest.param(FAILED, [ONE], None, Way.NOTHING, (), Journal(), id="failed"),
        pytest.param(MASKED, [ONE], None, Way.NOTHING, (), Journal(), id="masked"),
        pytest.param(MASKED_ALIVE, [ONE], None, Way.PAUSED, (1,), Journal((1,), True), id="masked-but-running"),
        pytest.param(DRAINING, [ONE], None, Way.WAIT, (), Journal(), id="someone-else-stops-it"),
        pytest.param(DRAINING, None, Journal((1,), True), Way.WAIT, (), Journal((1,), True), id="our-killed-drain"),
        pytest.param(WAITING, None, None, Way.DEAD, (), Journal((), True), id="dead-until-restart"),
        pytest.param(RUNNING, None, None, Way.SERVICE, (), Journal((), True), id="no-token"),
        pytest.param(RUNNING, [], None, Way.SERVICE, (), Journal((), True), id="no-entries"),
        pytest.param(RUNNING, [ONE, TWO], None, Way.PAUSED, (1, 2), Journal((1, 2), True), id="several"),
        pytest.param(RUNNING, [ONE, ONE], None, Way.PAUSED, (1,), Journal((1,), True), id="one-runner-twice"),
        pytest.param(RUNNING, [ONE, PAUSED], None, Way.PAUSED, (1,), Journal((1,), True), id="paused-before-stays-so"),
        pytest.param(
            RUNNING, [ONE, PAUSED], Journal((3,), True), Way.PAUSED, (1,), Journal((1, 3), True), id="paused-by-us"
        ),
        pytest.param(RUNNING, [ONE, SHARED], None, Way.SERVICE, (), Journal((), True), id="shared-is-not-paused"),
        pytest.param(RUNNING, [ONE, FOREIGN], None, Way.SERVICE, (), Journal((), True), id="of-another-gitlab"),
    ],
)
def test_plan(
    look: Look, standings: list[Standing] | None, left: Journal | None, way: Way, pause: tuple[int, ...],
    journal: Journal,
) -> None:  # fmt: skip
    plan = _drain.plan(look, standings, left)
    assert (plan.way, plan.pause, plan.journal) == (way, pause, journal)
    assert bool(plan.reasons) == (way is Way.SERVICE and bool(standings))


@pytest.mark.parametrize("look", [RUNNING, STOPPED, FAILED, MASKED, DRAINING, WAITING, Look()])
def test_what_can_be_started_again(look: Look) -> None:
    _drain.check_can_start(look, "gitlab-runner")


def test_masked_at_work_is_left_alone() -> None:
    with pytest.raises(_drain.DrainError, match=r"runs, but is masked: .* Nothing was changed"):
        _drain.check_can_start(MASKED_ALIVE, "gitlab-runner")


@pytest.mark.parametrize(
    ("signal", "mode", "drains"),
    [
        ("3", "mixed", True),
        ("3", "process", True),
        ("3", "control-group", False),
        ("15", "mixed", False),
        ("", "", False),
    ],
)
def test_what_a_stop_does(signal: str, mode: str, drains: bool) -> None:
    assert Look(kill_signal=signal, kill_mode=mode).stop_drains is drains


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ("2h", 7200.0), ("1min 30s", 90.0), ("1h 500ms", 3600.5), ("infinity", None), ("", None),
        ("1d 2h 3min", 93780.0),
    ],
)  # fmt: skip
def test_time_spans(span: str, expected: float | None) -> None:
    assert _drain_read.seconds(span) == expected


@pytest.mark.parametrize(("stop", "timeout", "short"), [(90.0, 3600, True), (7200.0, 7200, False), (None, 1e9, False)])
def test_too_short(stop: float | None, timeout: float, short: bool) -> None:
    assert _drain.too_short(Look(stop_seconds=stop), timeout) is short


def test_journal_there_and_back() -> None:
    journal = Journal((3, 1), True)
    assert _drain.loaded(journal.dumped(), "x") == journal
    assert _drain.loaded(None, "x") is None
    with pytest.raises(_drain.DrainError, match=r"/x/drain\.json on the host can't be read"):
        _drain.loaded("{}", "/x/drain.json")


JOB = _drain_read.Job("https://g/p/-/jobs/1", "step_script", "1m12.5s")


@pytest.mark.parametrize(
    ("look", "words"),
    [
        pytest.param(
            Look(jobs=(JOB,)), "waiting for 1 job, 30 of 60 s: https://g/p/-/jobs/1 (step_script, 1m12s)", id="one"
        ),
        pytest.param(Look(jobs=()), "waiting, 30 of 60 s: no job left", id="none"),
        pytest.param(Look(processes=3), "waiting for running jobs, 30 of 60 s: 3 processes of jobs", id="processes"),
        pytest.param(Look(), "waiting for running jobs, 30 of 60 s: jobs unknown (no listen_address)", id="unknown"),
    ],
)
def test_progress(look: Look, words: str) -> None:
    assert _drain.progress(look, 30.2, 60) == words


class Jobs(BaseHTTPRequestHandler):
    """The daemon's list of jobs."""

    body: t.ClassVar[str] = ""

    def do_GET(self) -> None:
        known = self.path == "/debug/jobs/list"
        self.send_response(200 if known else 404)
        if known:
            self.send_header("X-List-Version", "2")
        self.end_headers()
        self.wfile.write(self.body.encode())

    def log_message(self, *_: object) -> None:
        return


class Machine:
    """A systemctl that says what the test wants, and a listening process: this one."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.say(ActiveState="active", MainPID=os.getpid())

    def say(self, **properties: object) -> None:
        lines = {"LoadState": "loaded", "SubState": "running", "KillSignal": 3, "TimeoutStopUSec": "2h", **properties}
        program = self.folder / "systemctl"
        text = "\n".join(f"{name}={value}" for name, value in lines.items())
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)

    def look(self, until: Until = Until.NOW, seconds: float = 0.0) -> Look:
        env = {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}
        words = ["sh", "-c", _drain_read.command("gitlab-runner", until, seconds)]
        done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=30, check=True)
        return _drain_read.parse(done.stdout)


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])
def jobs(request: pytest.FixtureRequest) -> t.Iterator[type[Jobs]]:
    server = ThreadingHTTPServer((request.param, 0), Jobs)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Jobs
    server.shutdown()
    server.server_close()


def test_the_jobs_are_asked_of_the_port_that_the_process_listens_on(machine: Machine, jobs: type[Jobs]) -> None:
    jobs.body = "url=http://g/p/-/jobs/7 state=running stage=step_script executor_stage=run duration=1.5s\n"
    look = machine.look()
    assert look.jobs == (_drain_read.Job("http://g/p/-/jobs/7", "step_script", "1.5s"),)
    assert (look.running, look.stop_seconds, look.main_pid) == (True, 7200.0, os.getpid())
    assert look.age > 0
    jobs.body = ""
    assert machine.look().jobs == ()


def test_without_a_list_of_jobs_nothing_is_claimed(machine: Machine) -> None:
    assert machine.look().jobs is None


@pytest.mark.parametrize(
    ("until", "state", "body", "waits"),
    [
        pytest.param(Until.IDLE, "active", "url=a state=running\n", True, id="a-job-runs"),
        pytest.param(Until.IDLE, "active", "", False, id="idle"),
        pytest.param(Until.IDLE, "inactive", "url=a state=running\n", False, id="gone-meanwhile"),
        pytest.param(Until.STOPPED, "deactivating", "", True, id="drains"),
        pytest.param(Until.STOPPED, "inactive", "", False, id="stopped"),
        pytest.param(Until.STOPPED, "activating", "", False, id="about-to-be-restarted"),
    ],
)
def test_a_look_waits_on_the_host(
    machine: Machine, jobs: type[Jobs], until: Until, state: str, body: str, waits: bool
) -> None:
    jobs.body = body
    machine.say(ActiveState=state, MainPID=os.getpid())
    ticks = os.times().elapsed
    machine.look(until, 1.0)
    assert (os.times().elapsed - ticks > 0.7) is waits


@pytest.mark.parametrize(
    ("names", "processes"),
    [
        pytest.param(["su", "bash", "bash", "sleep"], 4, id="shell"),
        pytest.param(["bash", "ssh"], 2, id="custom"),
        pytest.param([], 0, id="docker-has-them-elsewhere"),
        pytest.param(["fleeting-plugin"], 0, id="autoscaler-whose-plugin-lives-as-long-as-the-daemon"),
        pytest.param(["fleeting-plugin", "su", "bash"], 2, id="autoscaler-beside-shell"),
    ],
)
def test_what_an_executor_runs_in_the_service(names: list[str], processes: int) -> None:
    lines = [f"process {number} {name}" for number, name in enumerate(names, start=900)]
    look = _drain_read.parse("\n".join(["unit.ActiveState active", "unit.MainPID 812", *lines, "end"]))
    assert (look.processes, look.jobs) == (processes, None)


def test_an_answer_that_ends_early() -> None:
    with pytest.raises(_drain_read.LookError, match="ends early"):
        _drain_read.parse("unit.ActiveState active\n")


def test_no_service() -> None:
    look = _drain_read.parse("unit.LoadState not-found\nunit.ActiveState inactive\nunit.MainPID 0\nend\n")
    assert (look.installed, look.running) == (False, False)
