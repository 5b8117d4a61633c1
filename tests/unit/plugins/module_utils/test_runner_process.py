# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a daemon's own process says: where it listens, and which jobs it runs."""

from __future__ import annotations

import subprocess
import sys
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _runner_process as process

JOB = "url=http://127.0.0.1/p/-/jobs/1 state=running stage=step_script executor_stage=prepare duration=1.006495427s\n"
SERVER = """\
import http.server, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(sys.argv[2]))
        if sys.argv[3]:
            self.send_header("X-List-Version", sys.argv[3])
        self.end_headers()
        self.wfile.write(sys.argv[4].encode())
    def log_message(self, *_):
        pass
class Server(http.server.HTTPServer):
    address_family = 10 if ":" in sys.argv[1] else 2
server = Server((sys.argv[1], 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""

Start = t.Callable[..., tuple[int, int]]


@pytest.fixture
def start() -> t.Iterator[Start]:
    """Start a server process; gives its pid and port."""
    running: list[subprocess.Popen[str]] = []

    def begin(bind: str = "127.0.0.1", status: int = 200, list_version: str = "2", body: str = JOB) -> tuple[int, int]:
        argv = [sys.executable, "-c", SERVER, bind, str(status), list_version, body]
        running.append(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True))
        assert running[-1].stdout is not None
        return running[-1].pid, int(running[-1].stdout.readline())

    yield begin
    for one in running:
        one.kill()
        one.communicate()


@pytest.mark.parametrize(
    ("bind", "reached"),
    [
        pytest.param("127.0.0.1", "127.0.0.1", id="loopback"),
        pytest.param("0.0.0.0", "127.0.0.1", id="all-addresses"),
        pytest.param("::", "::1", id="all-addresses-ipv6"),
    ],
)
def test_listening_is_asked_of_the_kernel(start: Start, bind: str, reached: str) -> None:
    pid, port = start(bind)
    assert process.listening(pid) == [(reached, port)]


@pytest.mark.parametrize(
    ("answer", "jobs"),
    [
        pytest.param({}, ["http://127.0.0.1/p/-/jobs/1"], id="one-job"),
        pytest.param({"body": ""}, [], id="no-job"),
        pytest.param({"list_version": ""}, None, id="some-other-server"),
        pytest.param({"status": 404}, None, id="not-there"),
    ],
)
def test_running_jobs(start: Start, answer: dict[str, t.Any], jobs: t.Optional[list[str]]) -> None:
    found = process.running_jobs(start(**answer)[0])
    assert (None if found is None else [job["url"] for job in found]) == jobs


def test_no_process() -> None:
    assert process.running_jobs(2**22 - 1) is None


def test_parse_jobs() -> None:
    assert process.parse_jobs(JOB) == [
        {
            "url": "http://127.0.0.1/p/-/jobs/1",
            "state": "running",
            "stage": "step_script",
            "executor_stage": "prepare",
            "duration": "1.006495427s",
        }
    ]
    assert process.parse_jobs("") == []
