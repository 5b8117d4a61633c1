# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others write config.toml at the same time: nothing is lost without a word, and no file is ever half."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import tomllib
import typing as t

import pytest
from testbed.gitlab_runner import pack
from unit.plugins.action import writers
from unit.plugins.action.plays import SERVICE, Host, Task

START = """\
concurrent = 1

# of somebody else
[[runners]]
  name = "theirs"
  url = "{url}"
  token = "{token}"
  executor = "shell"
  output_limit = 1

# the last one
[[runners]]
  name = "last"
  url = "{url}"
  token = "glrt-last00000000"
  executor = "shell"
"""
TIMES = 2


class Running:
    """A writer as a process of its own."""

    def __init__(self, path: pathlib.Path, way: str, pause: float) -> None:
        argv = [sys.executable, writers.__file__, str(path), way, str(pause)]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert t.cast(t.IO[str], self._process.stdout).readline() == "ready\n"
        self.pid = self._process.pid

    def stop(self) -> int:
        """End it after its current write; returns how often it wrote."""
        text, _none = self._process.communicate("\n", timeout=10)
        return int(text)


class Watcher(threading.Thread):
    """Looks all the time whether there is a file, as a daemon that starts in that moment would."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(daemon=True)
        self.path, self.done, self.missing = path, False, 0

    def run(self) -> None:
        while not self.done:
            self.missing += not self.path.exists()
            time.sleep(0.0005)


def edits(host: Host, count: int = TIMES) -> list[Task]:
    """Tasks that each change a setting and add an entry."""
    return [
        (
            "gitlab_runner_config",
            {
                "path": str(host.path),
                "service": SERVICE,
                "url": host.twin.url,
                "settings": {"concurrent": number + 2},
                "runners": [{"name": f"ours-{number}", "executor": "shell", "token": f"glrt-ours{number:010}"}],
            },
        )
        for number in range(count)
    ]


def systemd_of(host: Host, pid: int) -> None:
    """Let systemctl say that the service is this process."""
    shown = "LoadState=loaded\\nActiveState=active\\nSubState=running\\nMainPID=%s\\n"
    host.program("systemctl", f'#!/bin/sh\nprintf "{shown}" {pid}\n')


@pytest.fixture
def started(host: Host) -> Host:
    host.path.write_text(START.format(url=host.twin.url, token="glrt-theirs0000000"))
    return host


@pytest.mark.parametrize("pause", [pytest.param(0.01, id="100-a-second"), pytest.param(0.25, id="4-a-second")])
def test_beside_one_that_rereads_nothing_of_either_side_is_missing(started: Host, pause: float) -> None:
    writer, watcher = Running(started.path, "rereads", pause), Watcher(started.path)
    watcher.start()
    try:
        results = started.results(*edits(started))
    finally:
        count = writer.stop()
        watcher.done = True
    assert [one.get("msg") for one in results if one.get("failed")] == []
    assert [one["changed"] for one in results] == [True] * TIMES
    config = started.config
    by_name = {entry["name"]: entry for entry in config["runners"]}
    assert (config["concurrent"], by_name["theirs"]["output_limit"]) == (TIMES + 1, count)
    assert list(by_name) == ["theirs", "last", *(f"ours-{number}" for number in range(TIMES))]
    assert "# of somebody else\n" in started.path.read_text()
    assert (count > 3, watcher.missing) == (True, 0)


def test_a_daemon_with_a_memory_loads_ours_at_once(started: Host) -> None:
    writer = Running(started.path, "memory", 0.05)
    systemd_of(started, writer.pid)
    time.sleep(1.1)  # the process is signalled no earlier
    try:
        results = started.results(*edits(started))
    finally:
        count = writer.stop()
    assert [(one.get("msg"), one["changed"], one["reloaded"]) for one in results] == [(None, True, True)] * TIMES
    config = started.config
    assert [entry["name"] for entry in config["runners"]][2:] == [f"ours-{number}" for number in range(TIMES)]
    assert (config["concurrent"], config["runners"][0]["output_limit"]) == (TIMES + 1, count)


def test_a_daemon_that_never_loads_is_told_after_a_bounded_number_of_tries(started: Host) -> None:
    writer = Running(started.path, "deaf", 0.02)
    try:
        (result,) = started.results(*edits(started, 1))
    finally:
        count = writer.stop()
    assert result["failed"]
    assert f"Could not write {started.path}: it was changed by someone else" in result["msg"]
    assert "Missing there: concurrent, runners[ours-0] added. Look for what else rewrites the file" in result["msg"]
    assert started.path.read_text() == START.format(url=started.twin.url, token="glrt-theirs0000000").replace(
        "output_limit = 1", f"output_limit = {count}"
    )


ROTATED_EVERY = 1.5


@pytest.fixture
def daemon(started: Host, tmp_path: pathlib.Path) -> t.Iterator[Host]:
    """A gitlab-runner that renews its token every second and a half, writing its memory (runner facts 0.2)."""
    pack.pack("18.0.3", tmp_path / "packed")
    started.twin.client.set_settings(runner_token_lifetime=60)
    registration = {
        "api_url": started.twin.url, "api_token": started.twin.admin_token, "config_path": str(started.path),
        "service": SERVICE, "url": started.twin.url,
        "runners": [{"name": "theirs", "executor": "shell", "runner_type": "instance_type", "output_limit": 1}],
    }  # fmt: skip
    started.path.write_text("concurrent = 1\n")
    started.results(("gitlab_runner_registration", registration))
    started.twin.client.set_settings(runner_token_lifetime=ROTATED_EVERY / 0.75)
    # The first rotation is due at once: most of the token's life is over.
    obtained = re.compile(r"token_obtained_at = \d{4}")
    started.path.write_text(obtained.sub("token_obtained_at = 2020", started.path.read_text()))
    argv = [sys.executable, "-IS", str(tmp_path / "packed/usr/bin/gitlab-runner"), "run", "-c", str(started.path)]
    with (tmp_path / "daemon.log").open("w") as log:
        process = subprocess.Popen(argv, env={**os.environ, "HOME": str(tmp_path)}, stdout=log, stderr=log)
        systemd_of(started, process.pid)
        time.sleep(1.1)
        yield started
        process.kill()
        process.wait()


def test_a_real_daemon_that_rotates_its_token_keeps_both(daemon: Host) -> None:
    first = daemon.config["runners"][0]["token"]
    results = daemon.results(*edits(daemon, 4))
    assert [(one.get("msg"), one["changed"]) for one in results] == [(None, True)] * 4
    time.sleep(ROTATED_EVERY + 0.5)  # one more rotation, which writes the daemon's memory
    config = tomllib.loads(daemon.path.read_text())
    (known,) = daemon.twin.client.runners()
    names = [entry["name"] for entry in config["runners"]]
    assert (config["concurrent"], names) == (5, ["theirs", *(f"ours-{number}" for number in range(4))])
    assert config["runners"][0]["token"] == known["token"] != first


def test_a_real_lint_decides(host: Host, tmp_path: pathlib.Path) -> None:
    """gitlab-runner 19.3 looks at the temporary file; findings that the file had before are not ours."""
    pack.pack("19.3.0", tmp_path / "packed")
    host.program("gitlab-runner", f'#!/bin/sh\nexec {tmp_path}/packed/usr/bin/gitlab-runner "$@"\n')
    host.path.write_text("concurrent = 1\nmine = 1\n")
    options = {"path": str(host.path), "service": SERVICE}
    results = host.results(
        ("gitlab_runner_config", {**options, "settings": {"concurrent": 2}}),
        ("gitlab_runner_config", {**options, "settings": {"unheard": 2}, "allow_unknown_keys": True}),
        ("gitlab_runner_config_write", {
            "path": str(host.path), "content": "concurrent = 5\nother = 1\n", "service": SERVICE,
            "expect_sha256": hashlib.sha256(b"concurrent = 2\nmine = 1\nunheard = 2\n").hexdigest(),
        }),
    )  # fmt: skip
    assert [bool(one.get("failed")) for one in results] == [False, False, True]
    assert "gitlab-runner lint refuses the new text: unknown keys other. Nothing was changed." in results[2]["msg"]
    assert host.path.read_text() == "concurrent = 2\nmine = 1\nunheard = 2\n"
    assert list(host.path.parent.glob("*.new")) == []
