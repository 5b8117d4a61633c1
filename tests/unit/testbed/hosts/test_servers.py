# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers in the background: started once, stopped only if they are ours."""

from __future__ import annotations

import os
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed import paths, servers
from testbed.errors import TestbedError
from testbed.servers import Server


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(paths, "SERVERS", tmp_path / "servers")
    monkeypatch.setattr(paths, "LOGS", tmp_path / "logs")
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "hello").write_text("hello")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield Server("packages", "testbed.packages", "127.0.0.1", port, ("--root", str(tmp_path / "www")))
    servers.stop("packages")


def test_a_server_is_started_once_and_stopped(served: Server) -> None:
    servers.ensure(served)
    pid = servers.running_pid("packages")
    assert pid
    with urllib.request.urlopen(f"{served.url}/hello") as answer:
        assert answer.read() == b"hello"
    servers.ensure(served)
    assert servers.running_pid("packages") == pid
    assert servers.stop("packages")
    assert servers.running_pid("packages") is None
    assert not list(paths.SERVERS.iterdir())
    assert not servers.stop("packages")


def test_all_servers_of_a_checkout_are_stopped(served: Server) -> None:
    servers.ensure(served)
    assert servers.stop_all() == 1
    assert servers.stop_all() == 0


def test_another_checkouts_server_is_not_taken_for_ours(served: Server, tmp_path: Path) -> None:
    servers.ensure(served)
    theirs = tmp_path / "build" / "testbed" / "servers"
    theirs.mkdir(parents=True)
    (theirs / "packages.pid").write_text((paths.SERVERS / "packages.pid").read_text())
    assert servers.stop_all(tmp_path) == 0
    assert servers.running_pid("packages")


def test_other_arguments_need_another_process(served: Server, tmp_path: Path) -> None:
    servers.ensure(served)
    pid = servers.running_pid("packages")
    (tmp_path / "other").mkdir()
    servers.ensure(Server("packages", served.module, served.address, served.port, ("--root", str(tmp_path / "other"))))
    assert servers.running_pid("packages") not in (None, pid)


def test_a_number_that_now_belongs_to_another_program_is_left_alone(served: Server) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        paths.SERVERS.mkdir()
        (paths.SERVERS / "packages.pid").write_text(f"{stranger.pid}\n")
        assert servers.running_pid("packages") is None
        assert not servers.stop("packages")
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize(
    "content", ["", "x\n", "99999999\n", f"{os.getpid()}\n"], ids=["empty", "text", "gone", "ours"]
)
def test_a_useless_record_means_that_nothing_runs(served: Server, content: str) -> None:
    paths.SERVERS.mkdir()
    (paths.SERVERS / "packages.pid").write_text(content)
    assert servers.running_pid("packages") is None


def test_a_port_in_use_is_said(served: Server) -> None:
    with socket.socket() as other:
        other.bind((served.address, served.port))
        other.listen()
        with pytest.raises(TestbedError, match=r"Address already in use.*--packages-port N"):
            servers.ensure(served)


def test_a_server_that_ends_at_once_is_said_with_its_last_words(served: Server) -> None:
    wrong = Server("packages", served.module, served.address, served.port, ("--root", "/", "--no-such-option"))
    with pytest.raises(TestbedError, match="unrecognized arguments"):
        servers.ensure(wrong)
    assert servers.running_pid("packages") is None
