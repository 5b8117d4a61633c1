# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as the server and the log see them (observed facts 4)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import typing as t
import zlib
from pathlib import Path

import pytest
from testbed.gitlab_runner.api import Reply as Answer
from testbed.gitlab_runner.jobs import trace as traces
from testbed.gitlab_runner.jobs.calls import JobCalls
from testbed.gitlab_runner.jobs.outcome import Outcome

from .conftest import GitLab, Start, entry, job, until


def finish(start: Start, config: Path, gitlab: GitLab, jobs: int, *words: str, version: str = "18.0.3") -> list[str]:
    """Run until that many jobs are over, then drain; return the lines."""
    daemon = start(config, *words, version=version)
    daemon.wait_for("Removed job from processing list", times=jobs)
    daemon.send(signal.SIGQUIT)
    assert daemon.end() == 0
    return daemon.lines


def log_of(gitlab: GitLab, number: int) -> str:
    return b"".join(call.body for call in gitlab.named("PATCH", f"jobs/{number}/trace")).decode()


def test_success_and_failure(start: Start, config: Path, gitlab: GitLab) -> None:
    gitlab.jobs = [job(1, "echo $SECRET is here", "cat", after=["echo after $CI_JOB_STATUS"]), job(2, "exit 3")]
    config.write_text("concurrent = 2\n" + entry(gitlab.url))
    lines = finish(start, config, gitlab, 2)
    order = [call.method for call in gitlab.calls if "/jobs/1" in call.path]
    assert order == ["PATCH", "PUT"]  # no PUT at the start of a job
    log = log_of(gitlab, 1)
    patch, put = gitlab.named("PATCH", "jobs/1/")[0], gitlab.named("PUT", "jobs/1")[0]
    assert patch.path == "/api/v4/jobs/1/trace?debug_trace=false"
    assert (patch.named["Content-Range"], patch.named["Job-Token"]) == (f"0-{len(patch.body) - 1}", "job-1")
    checksum = f"crc32:{zlib.crc32(patch.body):08x}"
    assert list(put.json().items())[1:] == [
        ("token", "job-1"),
        ("state", "success"),
        ("checksum", checksum),
        ("output", {"checksum": checksum, "bytesize": len(patch.body)}),
    ]
    assert put.named["Job-Token"] == "job-1"
    assert log.splitlines()[:2] == [
        "\x1b[0KRunning with gitlab-runner 18.0.3 (abcdef01)\x1b[0;m",
        "\x1b[0K  on one ok0000000, system ID: s_1746f8786189\x1b[0;m",
    ]
    assert "\x1b[32;1m$ echo $SECRET is here\x1b[0;m\n[MASKED] is here\n" in log
    assert "after success" in log
    assert log.endswith("\x1b[32;1mJob succeeded\x1b[0;m\n")
    assert log_of(gitlab, 2).endswith("\x1b[31;1mERROR: Job failed: exit status 3\n\x1b[0;m\n")
    failed = gitlab.named("PUT", "jobs/2")[0].json()
    assert list(failed)[2:] == ["state", "failure_reason", "checksum", "output", "exit_code"]
    assert (failed["failure_reason"], failed["exit_code"]) == ("script_failure", 3)
    _check_lines(lines, len(patch.body), checksum)


def _check_lines(lines: list[str], size: int, checksum: str) -> None:
    text = "\n".join(lines)
    for line in (
        "Checking for jobs... received  job=1 repo_url=http://127.0.0.1/p.git runner=ok0000000",
        "Added job to processing list  builds=1 job=1 max_builds=2 project=1 repo_url=http://127.0.0.1/p.git "
        "time_in_queue_seconds=0",
        f"Appending trace to coordinator...ok  code=202 job=1 job-log=0-{size - 1} job-status= runner=ok0000000 "
        f"sent-log=0-{size - 1} status=202 Accepted update-interval=0s",
        f"Updating job...  bytesize={size} checksum={checksum} job=1 runner=ok0000000",
        f"Submitting job to coordinator...ok  bytesize={size} checksum={checksum} code=200 job=1 job-status= "
        "runner=ok0000000 update-interval=0s",
        "WARNING: Job failed: exit status 3",
    ):
        assert line in lines, text
    assert re.search(r"^Job succeeded  duration_s=\d+\.\d+ job=1 project=1 runner=ok0000000$", text, re.MULTILINE)


def test_next_request_follows_a_job_at_once(start: Start, config: Path, gitlab: GitLab) -> None:
    gitlab.jobs = [job(1, "true"), job(2, "true")]
    config.write_text("concurrent = 5\n" + entry(gitlab.url, more="  request_concurrency = 2\n"))
    finish(start, config, gitlab, 2)
    first, second = gitlab.named("POST", "jobs/request")[:2]
    assert second.at - first.at < 0.5


def test_limit(start: Start, config: Path, gitlab: GitLab) -> None:
    gitlab.jobs = [job(1, f"sleep 0.6; touch {config.parent}/done"), job(2, f"test -e {config.parent}/done")]
    config.write_text("concurrent = 5\ncheck_interval = 1\n" + entry(gitlab.url, more="  limit = 1\n"))
    finish(start, config, gitlab, 2)
    assert gitlab.named("PUT", "jobs/2")[-1].json()["state"] == "success"


def test_17_5_sends_private_token_with_put(start: Start, config: Path, gitlab: GitLab) -> None:
    gitlab.jobs = [job(1, "true")]
    config.write_text(entry(gitlab.url))
    finish(start, config, gitlab, 1, version="17.5.5")
    assert gitlab.named("PUT", "jobs/1")[0].named["Private-Token"] == "job-1"
    assert gitlab.named("PATCH", "jobs/1")[0].named["Job-Token"] == "job-1"
    assert "cleanup_file_variables" not in log_of(gitlab, 1)


@pytest.mark.parametrize(
    ("executor", "more", "reason", "text"),
    [
        pytest.param(
            "docker",
            '  [runners.docker]\n    image = "x"\n',
            "runner_system_failure",
            "Cannot connect to the Docker daemon",
            id="docker",
        ),
        pytest.param(
            "custom",
            '  [runners.custom]\n    run_exec = "{dir}/run"\n    run_args = ["131"]\n',
            "runner_system_failure",
            "Job failed (system failure): unknown Custom executor executable exit code "
            "131; executable execution terminated with: exit status 131",
            id="custom-unknown",
        ),
        pytest.param(
            "custom",
            '  [runners.custom]\n    run_exec = "{dir}/run"\n    run_args = ["1"]\n',
            "script_failure",
            "Job failed: exit status 1",
            id="custom-build-failure",
        ),
        pytest.param(
            "custom",
            '  [runners.custom]\n    run_exec = "{dir}/run"\n    run_args = ["0"]\n',
            "",
            "custom step_script hush",
            id="custom-success",
        ),
    ],
)
def test_executors(
    start: Start, config: Path, gitlab: GitLab, executor: str, more: str, reason: str, text: str
) -> None:
    program = config.parent / "run"
    program.write_text(
        '#!/bin/sh\n[ "$3" = step_script ] || exit 0\necho "custom $3 hush $CUSTOM_ENV_GIT_STRATEGY"\nexit $1\n'
    )
    program.chmod(0o755)
    gitlab.jobs = [job(1, "true")]
    config.write_text(entry(gitlab.url, executor=executor, more=more.replace("{dir}", str(config.parent))))
    finish(start, config, gitlab, 1)
    assert gitlab.named("PUT", "jobs/1")[-1].json().get("failure_reason", "") == reason
    assert text in log_of(gitlab, 1)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize(("user", "name"), [("nobody", "nobody"), ("no-such-user", "root")])
def test_user(start: Start, config: Path, gitlab: GitLab, user: str, name: str) -> None:
    builds = Path(tempfile.mkdtemp())
    try:
        builds.chmod(0o777)
        gitlab.jobs = [job(1, "echo I am $(id -un) in $PWD")]
        config.write_text(entry(gitlab.url, more=f'  builds_dir = "{builds}"\n'))
        finish(start, config, gitlab, 1, "--user", user)
    finally:
        shutil.rmtree(builds)
    assert f"I am {name} in {builds}/ok0000000/0/project-1\n" in log_of(gitlab, 1)


class Server:
    """Answers of a server, in turn; what was sent is kept."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.sent: list[tuple[str, str, int]] = []

    def _next(self, status: int) -> Answer:
        return self._answers.pop(0) if self._answers else Answer(status, "")

    def patch(self, start: int, data: bytes) -> Answer:
        self.sent.append(("PATCH", str(start), len(data)))
        return self._next(202)

    def put(self, outcome: Outcome, log: bytes) -> Answer:
        self.sent.append(("PUT", outcome.state, len(log)))
        return self._next(200)


@pytest.mark.parametrize(
    ("answers", "sent"),
    [
        pytest.param([], [("PATCH", "0", 10), ("PUT", "success", 10)], id="well"),
        pytest.param(
            [Answer(416, "", headers={"range": "0-4"})],
            [("PATCH", "0", 10), ("PATCH", "4", 6), ("PUT", "success", 10)],
            id="416-resumes",
        ),
        pytest.param(
            [Answer(202, ""), Answer(412, "")],
            [("PATCH", "0", 10), ("PUT", "success", 10), ("PATCH", "0", 10), ("PUT", "success", 10)],
            id="412-sends-all-again",
        ),
        pytest.param(
            [Answer(202, ""), Answer(202, "")],
            [("PATCH", "0", 10), ("PUT", "success", 10), ("PUT", "success", 10)],
            id="202-asks-again",
        ),
        pytest.param([Answer(500, "")], [("PATCH", "0", 10), ("PATCH", "0", 10), ("PUT", "success", 10)], id="500"),
        pytest.param([Answer(403, "")], [("PATCH", "0", 10)], id="403-gives-up"),
    ],
)
def test_trace_end(monkeypatch: pytest.MonkeyPatch, answers: list[Answer], sent: list[tuple[str, str, int]]) -> None:
    monkeypatch.setattr(traces, "FINAL_PAUSE", 0.01)
    server = Server(*answers)
    trace = traces.Trace(t.cast(JobCalls, server), [], 1000, lambda status: None)
    trace.start()
    trace.write("0123456789")
    trace.finish(Outcome())
    assert server.sent == sent


def test_trace_keep_alive_and_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "INTERVAL", 0.02)
    monkeypatch.setattr(traces, "KEEP_ALIVE", 0.05)
    server = Server(Answer(202, ""), Answer(200, "", headers={"job-status": "canceling"}))
    heard: list[str] = []
    trace = traces.Trace(t.cast(JobCalls, server), [], 1000, heard.append)
    trace.write("abc")
    trace.start()
    until(lambda: heard, "the job's status")
    assert server.sent[:2] == [("PATCH", "0", 3), ("PUT", "running", 3)]
    assert heard[0] == "canceling"
    trace.finish(Outcome(), silent=True)


def test_trace_masks_and_ends_at_its_limit() -> None:
    server = Server()
    trace = traces.Trace(t.cast(JobCalls, server), ["secret"], 20, lambda status: None)
    trace.start()
    trace.write("a secret")
    trace.write("x" * 100)
    trace.write("y")
    trace.finish(Outcome())
    assert server.sent[0][2] == 20 + len(traces.LIMIT_TEXT % 20)
