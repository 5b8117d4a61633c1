# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a service that can't be paused gets its SIGQUIT: the command, run by a shell against a process with metrics."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _drain_stop

# Serves the samples (under way, jobs got, empty answers), one a request and the last for ever; says what it had served
# when SIGQUIT came. Without samples it has no metrics.
DAEMON = r"""
import http.server, json, signal, sys
samples, served = json.loads(sys.argv[1]), 0
class Metrics(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global served
        under, got, none = samples[min(served, len(samples) - 1)]
        served += 1
        label = 'runner="a",runner_name="with space",system_id="s"'
        calls = 'gitlab_runner_api_request_statuses_total{endpoint="%s",runner="a",status="%s",system_id="s"} %s\n'
        text = f"gitlab_runner_request_concurrency{{{label}}} {under}\n"
        text += f"gitlab_runner_request_concurrency_adaptive_limit{{{label}}} 7\n"
        text += calls % ("request_job", 201, got) + calls % ("request_job", 204, none)
        text += calls % ("update_job", 200, served)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *_):
        pass
def told(*_):
    print(served, flush=True)
    sys.exit(0)
signal.signal(signal.SIGQUIT, told)
if samples:
    server = http.server.HTTPServer(("127.0.0.1", 0), Metrics)
print("up", flush=True)
server.serve_forever() if samples else signal.pause()
"""
Samples = list[tuple[int, int, int]]


@pytest.fixture
def told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[..., tuple[str, list[str]]]]:
    """Runs the command against a daemon; returns what the daemon had served, and what systemctl was asked for."""
    daemons: list[subprocess.Popen[str]] = []
    monkeypatch.setattr(_drain_stop._drain, "STATE", str(tmp_path))
    permit = pathlib.Path(_drain_stop.permit_path("gitlab-runner"))
    permit.parent.mkdir()

    def run(samples: Samples, *, seconds: float = 20, by_hand: bool = False, permitted: bool = True) -> t.Any:
        daemon = subprocess.Popen(
            [sys.executable, "-c", DAEMON, json.dumps(samples)], stdout=subprocess.PIPE, text=True
        )
        daemons.append(daemon)
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "up\n"
        program = tmp_path / "systemctl"
        program.write_text(f"#!/bin/sh\necho $* >> {tmp_path}/asked\necho MainPID={daemon.pid}\n")
        program.chmod(0o755)
        if permitted:
            permit.touch()
        env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        command = _drain_stop.command("gitlab-runner", seconds, by_hand=by_hand)
        done = subprocess.run(["sh", "-c", command], env=env, timeout=60, check=False)
        asked = (tmp_path / "asked").read_text().splitlines()[1:]
        if done.returncode:
            assert daemon.poll() is None
            return done.returncode, asked
        return daemon.communicate(timeout=10)[0].strip(), asked

    yield run
    for daemon in daemons:
        daemon.kill()
        daemon.wait()
        if daemon.stdout:
            daemon.stdout.close()


STOP = ["stop --no-block gitlab-runner.service"]


@pytest.mark.parametrize(
    ("samples", "served"),
    [
        pytest.param([(0, 3, 10), (0, 3, 10), (0, 3, 11)], "3", id="an-answer-without-a-job-has-just-come"),
        pytest.param([(1, 3, 10), (1, 3, 11), (0, 3, 11), (0, 3, 12)], "4", id="not-while-one-is-under-way"),
        pytest.param([(0, 3, 10), (0, 4, 11), (0, 4, 11), (0, 4, 12)], "4", id="after-a-job-the-next-follows-at-once"),
        pytest.param([(0, 3, 10), (1, 3, 11), (0, 3, 11)], "3", id="counted-before-it-is-over"),
    ],
)
def test_the_moment(told: t.Callable[..., t.Any], samples: Samples, served: str) -> None:
    assert told(samples) == (served, STOP)


def test_nobody_asks_for_jobs(told: t.Callable[..., t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_drain_stop, "CALM_SECONDS", 1)
    served, asked = told([(0, 3, 10)])
    assert int(served) > 2
    assert asked == STOP


def test_a_request_is_always_under_way(told: t.Callable[..., t.Any]) -> None:
    served, asked = told([(1, 3, 10)], seconds=1)
    assert int(served) > 2
    assert asked == STOP


def test_without_metrics_at_once(told: t.Callable[..., t.Any]) -> None:
    assert told([]) == ("0", STOP)


def test_by_hand_systemd_is_told_later(told: t.Callable[..., t.Any]) -> None:
    assert told([], by_hand=True) == ("0", [])


def test_taken_back_before_the_moment_came(told: t.Callable[..., t.Any]) -> None:
    assert told([(0, 3, 10), (0, 3, 11)], permitted=False) == (_drain_stop.TAKEN_BACK, [])


def test_abort_without_a_process_does_nothing(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "systemctl"
    program.write_text("#!/bin/sh\necho $4=\n")
    program.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", "-c", _drain_stop.abort("x")], env=env, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
