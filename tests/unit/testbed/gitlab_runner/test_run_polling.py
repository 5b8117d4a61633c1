# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, polling, parking, token rotation, metrics (observed facts 4, 5, 7)."""

from __future__ import annotations

import signal
import socket
import threading
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from testbed.gitlab_runner.daemon.workers import Workers
from testbed.gitlab_runner.golang import rfc3339

from .conftest import TOKEN, Call, GitLab, Reply, Start, entry, job, until

TOKENS = [f"glrt-{letter * 9}rest" for letter in "abc"]
COUNTS = "builds=0 max_builds=2"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str) -> tuple[int, str, dict[str, str]]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.read().decode(), dict(exc.headers)


@pytest.mark.parametrize(("version", "usage"), [("18.0.3", [f"Usage logger disabled  {COUNTS}"]), ("17.5.5", [])])
def test_start_and_round_robin(start: Start, config: Path, gitlab: GitLab, version: str, usage: list[str]) -> None:
    config.write_text("concurrent = 2\ncheck_interval = 1\n" + "".join(entry(gitlab.url, token) for token in TOKENS))
    daemon = start(config, version=version)
    until(lambda: len(gitlab.calls) >= 4, "four polls")
    daemon.send(signal.SIGTERM)
    assert daemon.end() == 0
    assert daemon.lines[1 : 8 + len(usage)] == [
        f"Starting multi-runner from {config}...  builds=0 max_builds=0",
        "Running in system-mode.",
        "",
        *usage,
        f"Configuration loaded  {COUNTS}",
        f"listen_address not defined, metrics & debug endpoints disabled  {COUNTS}",
        f"[session_server].listen_address not defined, session endpoints disabled  {COUNTS}",
        f"Initializing executor providers  {COUNTS}",
    ]
    polls = gitlab.calls[:4]
    assert [call.json()["token"] for call in polls] == [*TOKENS, TOKENS[0]]
    assert 0.25 < polls[1].at - polls[0].at < 0.6
    assert 0.9 < polls[3].at - polls[0].at < 1.6
    assert "last_update" not in polls[0].json()
    assert polls[3].json()["last_update"] == "7b"
    assert list(polls[3].json()) == ["info", "token", "system_id", "last_update"]
    assert [name for name, _unused in polls[0].headers] == [
        "Host",
        "User-Agent",
        "Content-Length",
        "Accept",
        "Content-Type",
        "Private-Token" if version == "17.5.5" else "Runner-Token",
        "Accept-Encoding",
    ]


@pytest.mark.parametrize(
    ("version", "edit_stays", "user"), [("17.5.5", False, False), ("18.0.3", False, True), ("19.4.0", True, False)]
)
def test_rotation(start: Start, config: Path, gitlab: GitLab, version: str, edit_stays: bool, user: bool) -> None:
    now = time.time_ns()
    dates = f"  token_obtained_at = {rfc3339(now - 51 * 10**8)}\n  token_expires_at = {rfc3339(now + 29 * 10**8)}\n"
    text = "# mine\nconcurrent = 2\ncheck_interval = 1\n" + entry(gitlab.url, more=dates)
    config.write_text(text)
    daemon = start(config, "--user", "gitlab-runner", version=version)
    daemon.wait_for("Initializing executor providers")
    config.write_text(text.replace("concurrent = 2", "concurrent = 7"))
    daemon.wait_for("Resetting runner authentication token... succeeded  runner=ok0000000")
    until(lambda: "glrt-NEW" in config.read_text(), "the new token")
    until(lambda: config.read_text().endswith('executor = "shell"\n'), "the whole file")
    saved = config.read_text()
    assert ("concurrent = 7" in saved, 'user = "gitlab-runner"' in saved, "# mine" in saved) == (
        edit_stays,
        user,
        False,
    )
    assert "token_expires_at = 0001-01-01T00:00:00Z" in saved
    until(
        lambda: any(
            call.json().get("token") == "glrt-NEW0000000000000000" for call in gitlab.calls if "request" in call.path
        ),
        "a poll with the new token",
    )
    assert sum("Configuration loaded" in line for line in daemon.lines) == 1


def test_refused_rotation_pauses_and_holds_back_polls(start: Start, config: Path, gitlab: GitLab) -> None:
    def refuse(call: Call) -> t.Optional[Reply]:
        return Reply(403, {"message": "403 Forbidden"}) if "reset" in call.path else None

    gitlab.routes.append(refuse)
    config.write_text(
        "check_interval = 1\n"
        + entry(
            gitlab.url, more="  token_obtained_at = 2020-01-01T00:00:00Z\n  token_expires_at = 2020-01-02T00:00:00Z\n"
        )
    )
    daemon = start(config)
    until(lambda: len(gitlab.named("POST", "reset")) == 4, "four calls")
    time.sleep(0.9)  # a poll is due every second: those that are held back would have come by now
    daemon.send(signal.SIGTERM)
    assert daemon.end() == 0
    at = [call.at for call in gitlab.named("POST", "reset")]
    assert len(at) == 4
    assert [later - sooner >= pause for sooner, later, pause in zip(at, at[1:], (0.1, 0.1, 0.3))] == [True] * 3
    assert time.monotonic() - at[-1] >= 1.5  # the stop waited for the pause that was under way
    assert [call for call in gitlab.named("POST", "jobs/request") if call.at > at[1]] == []


def test_reload_sends_a_hanging_rotation_again(start: Start, config: Path, gitlab: GitLab) -> None:
    answer = threading.Event()

    def hang(call: Call) -> t.Optional[Reply]:
        if "reset" in call.path:
            answer.wait(10)
        return None

    gitlab.routes.append(hang)
    config.write_text(
        entry(
            gitlab.url, more="  token_obtained_at = 2020-01-01T00:00:00Z\n  token_expires_at = 2020-01-02T00:00:00Z\n"
        )
    )
    daemon = start(config)
    until(lambda: gitlab.named("POST", "reset") and len(gitlab.named("POST", "jobs/request")), "the call and a poll")
    daemon.send(signal.SIGHUP)
    until(lambda: len(gitlab.named("POST", "reset")) == 2, "the second call")
    answer.set()
    assert [call.json()["token"] for call in gitlab.named("POST", "reset")] == [TOKEN, TOKEN]


class TestServer:
    """listen_address."""

    def test_pages(self, start: Start, config: Path, gitlab: GitLab) -> None:
        port = free_port()
        gitlab.jobs = [
            job(1, f"touch {config.parent}/on; while [ ! -e {config.parent}/go ]; do sleep 0.05; done; exit 1")
        ]
        config.write_text(
            f'concurrent = 2\nlisten_address = "127.0.0.1:{port}"\n' + entry(gitlab.url, more="  limit = 3\n")
        )
        daemon = start(config)
        until((config.parent / "on").exists, "the job")
        url = f"http://127.0.0.1:{port}"
        assert daemon.has(f"Metrics server listening  address=127.0.0.1:{port} {COUNTS}")
        status, body, headers = get(f"{url}/debug/jobs/list")
        assert (status, headers["Content-Type"], headers["X-List-Version"]) == (200, "text/plain", "2")
        assert body.startswith(
            "url=http://127.0.0.1/p/-/jobs/1 state=running stage=step_script executor_stage=prepare duration="
        )
        running = get(f"{url}/metrics")[1].splitlines()
        (config.parent / "go").touch()
        daemon.wait_for("Removed job from processing list")
        assert get(f"{url}/debug/jobs/list")[1] == ""
        _unused, text, headers = get(f"{url}/metrics")
        assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
        who = 'runner="ok0000000"'
        me = 'system_id="s_1746f8786189"'
        assert (
            f'gitlab_runner_jobs{{executor_stage="prepare",{who},stage="step_script",state="running",{me}}} 1'
            in running
        )
        for line in (
            "gitlab_runner_concurrent 2",
            "gitlab_runner_configuration_loaded_total 1",
            "gitlab_runner_configuration_saved_total 0",
            f"gitlab_runner_limit{{{who},{me}}} 3",
            f'gitlab_runner_jobs{{executor_stage="idle",{who},stage="idle",state="idle",{me}}} 0',
            f"gitlab_runner_jobs_total{{{who},{me}}} 1",
            f'gitlab_runner_failed_jobs_total{{failure_reason="script_failure",{who}}} 1',
            f'gitlab_runner_api_request_statuses_total{{endpoint="update_job",{who},status="200",{me}}} 1',
            f"gitlab_runner_request_concurrency_adaptive_limit{{{who},{me}}} 1",
            'gitlab_runner_errors_total{level="error"} 0',
        ):
            assert line in text.splitlines(), text
        assert f'gitlab_runner_worker_feeds_total{{{who},runner_name="one",{me}}}' in text
        for path in ("/", "/debug/process/state", "/health/ready"):
            assert get(url + path)[:2] == (404, "404 page not found\n")
        assert get(f"{url}/debug/pprof/")[0] == 200

    def test_reload_keeps_the_port_and_the_job_of_a_removed_entry(
        self, start: Start, config: Path, gitlab: GitLab
    ) -> None:
        port, other = free_port(), free_port()
        gitlab.jobs = [job(1, f"touch {config.parent}/on; while [ ! -e {config.parent}/go ]; do sleep 0.05; done")]
        config.write_text(f'listen_address = "127.0.0.1:{port}"\n' + entry(gitlab.url))
        daemon = start(config)
        until((config.parent / "on").exists, "the job")
        config.write_text(f'listen_address = "127.0.0.1:{other}"\n')
        daemon.send(signal.SIGHUP)
        daemon.wait_for("Configuration loaded", times=2)
        assert get(f"http://127.0.0.1:{port}/debug/jobs/list")[1].startswith("url=http://127.0.0.1/p/-/jobs/1 ")
        with pytest.raises(urllib.error.URLError):
            get(f"http://127.0.0.1:{other}/metrics")
        (config.parent / "go").touch()
        daemon.wait_for("Job succeeded")

    @pytest.mark.parametrize(
        ("version", "names", "status"),
        [("18.0.3", ("one", "two"), 500), ("18.2.0", ("one", "two"), 200), ("18.2.0", ("one", "one"), 500)],
    )
    def test_duplicates(
        self, start: Start, config: Path, gitlab: GitLab, version: str, names: tuple[str, str], status: int
    ) -> None:
        port = free_port()
        config.write_text("".join(entry(gitlab.url, name=name) for name in names))
        daemon = start(config, "--listen-address", f"127.0.0.1:{port}", version=version)
        daemon.wait_for("Metrics server listening")
        found = get(f"http://127.0.0.1:{port}/metrics")
        assert found[0] == status
        if status == 500:
            assert found[1].startswith("An error has occurred while serving metrics:")
            assert "was collected before with the same name and label values" in found[1]
        assert get(f"http://127.0.0.1:{port}/debug/jobs/list")[0] == 200

    def test_a_request_under_way_is_counted(self, start: Start, config: Path, gitlab: GitLab) -> None:
        port, go = free_port(), threading.Event()

        def slow(call: Call) -> Reply | None:
            if call.path.endswith("/jobs/request"):
                go.wait(10)
            return None

        gitlab.routes.append(slow)
        config.write_text(entry(gitlab.url))
        start(config, "--listen-address", f"127.0.0.1:{port}")
        until(lambda: gitlab.calls, "a poll")
        line = 'gitlab_runner_request_concurrency{runner="ok0000000",system_id="s_1746f8786189"} '
        assert line + "1" in get(f"http://127.0.0.1:{port}/metrics")[1].splitlines()
        go.set()
        until(lambda: line + "0" in get(f"http://127.0.0.1:{port}/metrics")[1].splitlines(), "its end")

    def test_newest_has_state_pages(self, start: Start, config: Path, gitlab: GitLab) -> None:
        port = free_port()
        config.write_text(entry(gitlab.url))
        start(config, "--listen-address", f"127.0.0.1:{port}", version="19.4.0")
        until(lambda: gitlab.calls, "a poll")
        assert get(f"http://127.0.0.1:{port}/debug/process/state")[:2] == (200, "running")
        assert get(f"http://127.0.0.1:{port}/health/ready")[:2] == (200, "ready")

    def test_port_taken(self, start: Start, config: Path) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            config.write_text(f'concurrent = 2\nlisten_address = "{address}"\n')
            daemon = start(config)
            assert daemon.end() == 1
        assert daemon.lines[-1] == (
            "FATAL: Failed to create listener for metrics server  builds=0 error=listen tcp "
            f"{address}: bind: address already in use max_builds=2"
        )


def test_lowering_concurrent_waits_for_a_free_worker() -> None:
    workers, stop = Workers(), threading.Event()
    workers.resize(2, stop)
    assert workers.take(stop)
    assert workers.take(stop)
    shrinking = threading.Thread(target=workers.resize, args=(1, stop), daemon=True)
    shrinking.start()
    shrinking.join(0.05)
    assert shrinking.is_alive()  # no further reload happens meanwhile
    workers.give_back()
    shrinking.join(5)
    assert not shrinking.is_alive()
    assert not workers.take(stop, wait=False)
    workers.give_back()
    assert workers.take(stop, wait=False)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--wait-timeout", "1"], "This runner has not received a job in 1 seconds, so now exiting"),
        (["--max-builds", "1"], "This runner has processed its build limit, so now exiting"),
    ],
)
def test_run_single(packed: t.Callable[[str], Path], config: Path, gitlab: GitLab, words: list[str], line: str) -> None:
    import subprocess
    import sys

    if words[0] == "--max-builds":
        gitlab.jobs = [job(1, "true")]
    done = subprocess.run(
        [
            sys.executable,
            "-IS",
            str(packed("18.0.3")),
            "run-single",
            "-c",
            str(config),
            "-u",
            gitlab.url,
            "-t",
            TOKEN,
            "--executor",
            "shell",
            *words,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=config.parent,
        timeout=20,
    )
    assert done.returncode == 0
    assert line in done.stderr
