# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many callers at once, on keep-alive connections."""

from __future__ import annotations

import socket
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session


def test_each_job_goes_to_one_runner(twin: TwinServer, root: Session) -> None:
    """Eight runners race for twenty jobs: each is handed out once, and nobody gets the same twice."""
    tokens = [
        root.call("POST", "/api/v4/user/runners", {"runner_type": "instance_type"}).json["token"]
        for _unused in range(8)
    ]
    twin.client.add_jobs(20)
    start = threading.Barrier(8)

    def race(token: str) -> list[int]:
        taken: list[int] = []
        with Session(twin.url) as session:
            start.wait()
            while True:
                answer = session.call("POST", "/api/v4/jobs/request", {"token": token})
                if answer.status != 201:
                    return taken
                taken.append(answer.json["id"])

    with ThreadPoolExecutor(8) as pool:
        taken = [job_id for found in pool.map(race, tokens) for job_id in found]
    assert sorted(taken) == list(range(1, 21))
    assert {job["handed_out"] for job in twin.client.jobs()} == {1}


def test_128_connections_with_latency(twin: TwinServer) -> None:
    """With 100 ms latency, 128 connections get 256 answers in little more than two latencies."""
    twin.client.set_latency(0.1)
    together = threading.Barrier(128)

    def work(_number: int) -> list[int]:
        with Session(twin.url, twin.admin_token) as session:
            together.wait()
            return [session.call("GET", "/api/v4/version").status for _unused in range(2)]

    start = time.monotonic()
    with ThreadPoolExecutor(128) as pool:
        statuses = [status for found in pool.map(work, range(128)) for status in found]
    assert statuses == [200] * 256
    assert time.monotonic() - start < 3


def test_a_plain_get_is_cheap(twin: TwinServer, root: Session) -> None:
    """Less than 3 ms of processor time, and no waiting for a delayed ACK (40 ms each)."""
    root.call("POST", "/api/v4/user/runners", {"runner_type": "instance_type"})
    cpu, wall = time.process_time(), time.monotonic()
    for _unused in range(100):
        root.call("GET", "/api/v4/runners/1")
    assert (time.process_time() - cpu) / 100 < 0.003
    assert (time.monotonic() - wall) / 100 < 0.02


def raw(twin: TwinServer, data: bytes) -> bytes:
    host, port = twin.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_http_details(twin: TwinServer) -> None:
    """Chunked bodies, 100-continue, pipelined requests, and what is not HTTP."""
    body = b'{"token":"x"}'
    chunked = (
        b"POST /api/v4/runners/verify HTTP/1.1\r\nHost: h\r\ncontent-type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + body[:5] + b"\r\n8\r\n" + body[5:] + b"\r\n0\r\n\r\n"
    )
    assert raw(twin, chunked).startswith(b"HTTP/1.1 403 Forbidden\r\n")
    expect = (
        b"POST /api/v4/runners/verify HTTP/1.1\r\nExpect: 100-continue\r\nContent-Type: application/json\r\n"
        b"Content-Length: 13\r\n\r\n" + body
    )
    assert raw(twin, expect).startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\n")
    get = b"GET /-/health HTTP/1.1\r\n\r\n"
    assert raw(twin, get + get).count(b"GitLab OK") == 2
    assert raw(twin, b"GET /-/health HTTP/1.0\r\n\r\n" + get).count(b"GitLab OK") == 1
    for wrong in (
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        assert raw(twin, wrong).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_stop_ends_waiting_runners() -> None:
    """A request held by long polling does not keep a twin from stopping."""
    before = threading.active_count()
    twin = TwinServer().start()
    twin.client.set_settings(long_polling=60)
    root = Session(twin.url, twin.admin_token)
    token = root.call("POST", "/api/v4/user/runners", {"runner_type": "instance_type"}).json["token"]
    value = root.call("POST", "/api/v4/jobs/request", {"token": token}).headers["x-gitlab-last-update"]
    ended: list[t.Any] = []

    def wait() -> None:
        try:
            session = Session(twin.url)
            ended.append(session.call("POST", "/api/v4/jobs/request", {"token": token, "last_update": value}).status)
        except OSError as error:
            ended.append(error)

    held = threading.Thread(target=wait)
    held.start()
    time.sleep(0.1)
    twin.stop()
    held.join(5)
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= before, "its threads have ended too"
    assert not held.is_alive()
    assert len(ended) == 1
