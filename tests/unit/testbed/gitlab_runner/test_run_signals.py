# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How `run` ends: drain, abort, forced exit, early death (observed facts 6)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest
from testbed import gitlab_runner

from .conftest import Call, GitLab, Reply, Start, entry, job, until

WAITING = "WARNING: Starting graceful shutdown, waiting for builds to finish  StopSignal=quit builds={n} max_builds=2"
READY = "Initializing executor providers"
JOB = "Added job to processing list"


def head(config: Path, gitlab: GitLab, more: str = "") -> Path:
    config.write_text(f"concurrent = 2\n{more}" + entry(gitlab.url))
    return config


def last(lines: list[str], timeout: str = "30s") -> list[str]:
    return [
        "All workers stopped.  builds=0 max_builds=2",
        f"Shutting down executor providers  builds=0 max_builds=2 shutdown-timeout={timeout}",
        "All executor providers shut down.  builds=0 max_builds=2",
        "Can exit now!  builds=0 max_builds=2",
    ]


def test_quit_idle(start: Start, config: Path, gitlab: GitLab) -> None:
    daemon = start(head(config, gitlab))
    until(lambda: gitlab.calls, "a poll")
    daemon.send(signal.SIGQUIT)
    assert daemon.end() == 0
    assert daemon.lines[-6:] == [
        "WARNING: [runWait] received stop signal  builds=0 max_builds=2 stop-signal=quit",
        WAITING.replace("{n}", "0"),
        *last(daemon.lines),
    ]


def test_quit_waits_for_the_job(start: Start, config: Path, gitlab: GitLab) -> None:
    gitlab.jobs = [job(1, f"while [ ! -e {config.parent}/go ]; do sleep 0.02; done")]
    daemon = start(head(config, gitlab, "check_interval = 1\n"))
    daemon.wait_for(JOB)
    daemon.send(signal.SIGQUIT)
    daemon.wait_for("Starting graceful shutdown")
    requests = len(gitlab.named("POST", "jobs/request"))
    daemon.send(signal.SIGQUIT)
    daemon.wait_for("Starting graceful shutdown", times=2)
    assert daemon.has("WARNING: [handleGracefulShutdown] received stop signal  builds=1 max_builds=2 stop-signal=quit")
    daemon.send(signal.SIGHUP)
    (config.parent / "go").touch()
    assert daemon.end() == 0
    assert len(gitlab.named("POST", "jobs/request")) == requests
    assert gitlab.named("PUT", "jobs/1")[-1].json()["state"] == "success"
    assert sum("Configuration loaded" in line for line in daemon.lines) == 1
    assert daemon.lines[-4:] == last(daemon.lines)


@pytest.mark.parametrize(
    ("number", "word", "version", "reason"),
    [
        (signal.SIGTERM, "terminated", "18.0.3", "runner_system_failure"),
        (signal.SIGINT, "interrupt", "18.0.3", "runner_system_failure"),
        (signal.SIGTERM, "terminated", "19.2.0", "runner_interrupted"),
    ],
)
def test_term_aborts(
    start: Start, config: Path, gitlab: GitLab, number: int, word: str, version: str, reason: str
) -> None:
    gitlab.jobs = [job(1, f"touch {config.parent}/on; sleep 30")]
    daemon = start(head(config, gitlab), version=version)
    until((config.parent / "on").exists, "the job")
    daemon.send(number)
    assert daemon.end() == 0
    body = gitlab.named("PUT", "jobs/1")[-1].json()
    assert (body["state"], body["failure_reason"], "exit_code" in body) == ("failed", reason, False)
    assert gitlab.named("PATCH", "trace")
    at = next(number for number, line in enumerate(daemon.lines) if "[runWait]" in line)
    assert daemon.lines[at : at + 5] == [
        f"WARNING: [runWait] received stop signal  builds=1 max_builds=2 stop-signal={word}",
        "WARNING: Graceful shutdown not finished properly. To gracefully clean up running plugins please use SIGQUIT "
        f"(ctrl-\\) instead of SIGINT (ctrl-c)  builds=1 error=received stop signal: {word} max_builds=2",
        f"WARNING: Starting forceful shutdown  StopSignal={word} builds=1 max_builds=2 shutdown-timeout=30s",
        "WARNING: after_script failed, but job will continue unaffected: context canceled  job=1 project=1 "
        "runner=ok0000000",
        "WARNING: Error while executing file based variables removal script  error=context canceled job=1 project=1 "
        "runner=ok0000000",
    ]
    assert daemon.has(f"WARNING: Job failed (system failure): aborted: {word}")
    assert daemon.lines[-4:] == last(daemon.lines)


def test_job_that_arrives_during_an_abort_is_aborted_too(start: Start, config: Path, gitlab: GitLab) -> None:
    stopping = threading.Event()

    def late(call: Call) -> t.Optional[Reply]:
        if not call.path.endswith("/jobs/request"):
            return None
        stopping.wait(10)
        return Reply(201, job(1, "sleep 30"))

    gitlab.routes.append(late)
    daemon = start(head(config, gitlab))
    until(lambda: gitlab.calls, "a poll")
    daemon.send(signal.SIGTERM)
    daemon.wait_for("Starting forceful shutdown")
    stopping.set()
    assert daemon.end() == 0
    reported = gitlab.named("PUT", "jobs/1")
    assert [call.json()["failure_reason"] for call in reported] in ([], ["runner_system_failure"])
    assert daemon.has(JOB) == bool(reported)


def test_term_during_quit(start: Start, config: Path, gitlab: GitLab) -> None:
    gitlab.jobs = [job(1, "sleep 30")]
    daemon = start(head(config, gitlab))
    daemon.wait_for(JOB)
    daemon.send(signal.SIGQUIT)
    daemon.wait_for("Starting graceful shutdown")
    daemon.send(signal.SIGTERM)
    assert daemon.end() == 0
    assert daemon.has("[handleGracefulShutdown] received stop signal  builds=1 max_builds=2 stop-signal=terminated")
    assert daemon.has("Starting forceful shutdown  StopSignal=terminated")


STUBBORN = "echo $$ >{pid}; trap '' TERM; for i in $(seq 60); do sleep 0.5 & wait $!; done"


@pytest.mark.parametrize(
    ("second", "more", "error"),
    [
        pytest.param(True, "", "forced exit with stop signal: terminated", id="second-signal"),
        pytest.param(False, "shutdown_timeout = 1\n", "shutdown timed out", id="timeout"),
    ],
)
def test_stubborn_job(start: Start, config: Path, gitlab: GitLab, second: bool, more: str, error: str) -> None:
    pid = config.parent / "pid"
    gitlab.jobs = [job(1, STUBBORN.replace("{pid}", str(pid)))]
    daemon = start(head(config, gitlab, more))
    until(lambda: pid.exists() and pid.read_text().strip(), "the job")
    group = os.getpgid(int(pid.read_text()))
    try:
        daemon.send(signal.SIGTERM)
        daemon.wait_for("Starting forceful shutdown")
        if second:
            daemon.send(signal.SIGTERM)
        assert daemon.end() == 1
        os.killpg(group, 0)  # its processes live on
    finally:
        os.killpg(group, signal.SIGKILL)
    assert daemon.has("[handleForcefulShutdown] received stop signal") == second
    assert daemon.lines[-2:] == [
        f"WARNING: Forceful shutdown not finished properly  builds=1 error={error} max_builds=2",
        f"FATAL: Service run failed  error={error}",
    ]
    assert gitlab.named("PUT", "jobs/1") == []


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGHUP, -1), (signal.SIGTERM, -15), (signal.SIGINT, -2), (signal.SIGQUIT, 2)]
)
def test_early(number: int, status: int) -> None:
    code = (
        f"import os, sys; sys.path.insert(0, {str(Path(gitlab_runner.__file__).parents[1])!r})\n"
        f"from gitlab_runner import early; early.go_defaults(); os.kill(os.getpid(), {int(number)})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == status
    if number == signal.SIGQUIT:
        assert done.stderr.startswith("SIGQUIT: quit\n")
        assert 200 < len(done.stderr.splitlines()) < 300
