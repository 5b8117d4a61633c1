# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small GitLab, the program in this process, and the program as a process of its own."""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from testbed.gitlab_runner import build, cli, pack

ANSI = re.compile(r"\x1b\[[0-9;]*[mK]")
TOKEN = "glrt-ok00000000000000AA"
OPENING = 3  # Runtime platform, Running in system-mode, empty


def plain(text: str) -> list[str]:
    """Return the lines without colours, runs of blanks made one."""
    return [re.sub(r"  +", "  ", ANSI.sub("", line)).rstrip() for line in text.splitlines()]


@dataclass(frozen=True)
class Call:
    """One request as it came."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    at: float

    def json(self) -> t.Any:
        return json.loads(self.body)

    @property
    def named(self) -> dict[str, str]:
        return dict(self.headers)


@dataclass
class Reply:
    """One answer."""

    status: int
    data: t.Optional[dict[str, t.Any]] = None
    headers: dict[str, str] = field(default_factory=dict)


Route = t.Callable[[Call], t.Optional[Reply]]


class GitLab:
    """Answers as a healthy GitLab does, unless a test sets another answer for a token."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.jobs: list[dict[str, t.Any]] = []
        self.routes: list[Route] = []
        self.bad: dict[str, int] = {}  # token: status
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = Call(self.command, self.path, list(self.headers.items()), body, time.monotonic())
                outer.calls.append(call)
                reply = outer.reply(call)
                data = b"" if reply.data is None else json.dumps(reply.data).encode()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.data is not None:
                    self.send_header("Content-Type", "application/json")
                if reply.status != 204:
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reply(self, call: Call) -> Reply:
        for route in self.routes:
            found = route(call)
            if found:
                return found
        token = call.json().get("token", "") if call.body[:1] == b"{" else ""
        if token in self.bad:
            return Reply(self.bad[token], {"message": "x" * 0})
        return self._healthy(call, token)

    def _healthy(self, call: Call, token: str) -> Reply:
        if call.path.endswith("/jobs/request"):
            return Reply(201, self.jobs.pop(0)) if self.jobs else Reply(204, headers={"X-GitLab-Last-Update": "7b"})
        if call.path.endswith("/verify"):
            return Reply(200, {"id": 42, "token": token, "token_expires_at": None})
        if call.path.endswith("reset_authentication_token"):
            return Reply(201, {"token": "glrt-NEW0000000000000000", "token_expires_at": None})
        if call.path.endswith("/runners"):
            return Reply(201, {"id": 7, "token": "legacytoken000000000"}) if call.method == "POST" else Reply(204)
        if call.method == "PATCH":
            return Reply(202, headers={"Range": "0-" + call.named["Content-Range"].partition("-")[2]})
        return Reply(200 if call.method == "PUT" else 204)

    def named(self, method: str, part: str) -> list[Call]:
        return [call for call in list(self.calls) if call.method == method and part in call.path]


@pytest.fixture
def gitlab() -> t.Iterator[GitLab]:
    server = GitLab()
    yield server
    server.close()


@dataclass(frozen=True)
class Result:
    """What one call of the program gave."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return plain(self.err)

    @property
    def after(self) -> list[str]:
        """The lines after the opening ones; ids that were just made are no news."""
        return [
            line
            for line in self.lines
            if not line.startswith(("Runtime platform", "Running in system-mode.", "Created missing")) and line
        ]


Cli = t.Callable[..., Result]


@pytest.fixture
def cli_of(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> t.Callable[[str], Cli]:
    """Return the program of a version, run in this process."""
    for name in [key for key in os.environ if key.startswith(("RUNNER_", "REGISTER_", "CI_SERVER_"))]:
        monkeypatch.delenv(name)

    def of(version: str) -> Cli:
        def call(*words: str | Path) -> Result:
            monkeypatch.setattr(build, "load", lambda: build.for_version(version))
            status = cli.main([str(word) for word in words])
            said = capsys.readouterr()
            return Result(status, said.out, said.err)

        return call

    return of


@pytest.fixture
def run_cli(cli_of: t.Callable[[str], Cli]) -> Cli:
    return cli_of("18.0.3")


def entry(url: str, token: str = TOKEN, name: str = "one", executor: str = "shell", more: str = "") -> str:
    return f'[[runners]]\n  name = "{name}"\n  url = "{url}"\n  token = "{token}"\n  executor = "{executor}"\n{more}'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / ".runner_system_id").write_text("s_1746f8786189")
    return tmp_path / "config.toml"


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> t.Callable[[str], Path]:
    """Return the program of a version as a package lays it out."""
    made: dict[str, Path] = {}

    def of(version: str) -> Path:
        if version not in made:
            made[version] = tmp_path_factory.mktemp("packed") / "root"
            pack.pack(version, made[version])
        return made[version] / "usr/bin/gitlab-runner"

    return of


class Daemon:
    """`run` as a process; its lines are collected as they come."""

    def __init__(self, program: Path, file: Path, *words: str) -> None:
        home = file.parent
        self._process = subprocess.Popen(
            [sys.executable, "-IS", str(program), "run", "-c", str(file), *words],
            cwd=home,
            env={**os.environ, "HOME": str(home)},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in t.cast(t.IO[str], self._process.stderr):
            self.text += line

    @property
    def lines(self) -> list[str]:
        return plain(self.text)

    def has(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def wait_for(self, text: str, times: int = 1, timeout: float = 15.0) -> None:
        until(lambda: sum(text in line for line in self.lines) >= times, f"{text}\n{self.text}", timeout)

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    def end(self, timeout: float = 15.0) -> int:
        status = self._process.wait(timeout)
        self._reader.join(timeout)
        return status

    @property
    def stdout(self) -> str:
        return t.cast(t.IO[str], self._process.stdout).read()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()


def until(done: t.Callable[[], object], what: str, timeout: float = 15.0) -> None:
    """Wait for something, and say what did not come."""
    deadline = time.monotonic() + timeout
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come: {what}")
        time.sleep(0.01)


Start = t.Callable[..., Daemon]


@pytest.fixture
def start(packed: t.Callable[[str], Path]) -> t.Iterator[Start]:
    """Start `run`; what is left of it is killed at the end."""
    running: list[Daemon] = []

    def begin(file: Path, *words: str, version: str = "18.0.3") -> Daemon:
        running.append(Daemon(packed(version), file, *words))
        return running[-1]

    yield begin
    for one in running:
        one.kill()


def job(number: int, *commands: str, after: t.Sequence[str] = ()) -> dict[str, t.Any]:
    """Return a job that clones nothing."""
    steps = [
        {"name": "script", "script": list(commands), "timeout": 3600, "when": "on_success", "allow_failure": False}
    ]
    if after:
        steps.append({**steps[0], "name": "after_script", "script": list(after)})
    return {
        "id": number,
        "token": f"job-{number}",
        "steps": steps,
        "features": {"failure_reasons": ["runner_interrupted"]},
        "job_info": {"id": number, "name": "t", "project_id": 1, "time_in_queue_seconds": 0},
        "git_info": {"repo_url": "http://gitlab-ci-token:x@127.0.0.1/p.git"},
        "runner_info": {"timeout": 3600},
        "variables": [
            {"key": "GIT_STRATEGY", "value": "none"},
            {"key": "SECRET", "value": "hush-hush", "masked": True},
        ],
    }
