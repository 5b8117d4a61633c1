# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What survives a restart, and the command line."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import testbed.gitlab_api
from testbed.gitlab_api import TwinClient, TwinServer
from testbed.gitlab_api.client import Session
from testbed.gitlab_api.seed import DEFAULT_ADMIN_TOKEN

INSTANCE = {"runner_type": "instance_type"}


def test_a_restart_keeps_everything_saved(tmp_path: Path) -> None:
    db = str(tmp_path / "twin.db")
    with TwinServer(db=db) as twin:
        root = Session(twin.url, twin.admin_token)
        token = root.call("POST", "/api/v4/user/runners", INSTANCE).json["token"]
        twin.client.add_jobs(2)
        job = root.call("POST", "/api/v4/jobs/request", {"token": token}).json
        root.call("PATCH", "/api/v4/jobs/1/trace", b"half ", {"Job-Token": job["token"], "Content-Range": "0-4"})
        twin.client.set_settings(admin_mode=True)
        access, registration = twin.token(), twin.client.registration_tokens()
    with TwinServer("19.3.0", db=db, admin_token="glpat-another00000000000") as twin:
        root = Session(twin.url, access)
        end = {"Job-Token": job["token"], "Content-Range": "5-8"}
        assert root.call("PATCH", "/api/v4/jobs/1/trace", b"done", end).headers["range"] == "0-9"
        assert [(found["trace"], found["handed_out"]) for found in twin.client.jobs()] == [("half done", 1), ("", 0)]
        assert twin.client.settings()["admin_mode"] is True
        assert twin.client.registration_tokens() == registration
        assert root.call("POST", "/api/v4/jobs/request", {"token": token}).json["id"] == 2
        for known in (DEFAULT_ADMIN_TOKEN, "glpat-another00000000000"):
            assert Session(twin.url, known).call("GET", "/api/v4/version").json["version"] == "19.3.0"
    assert (tmp_path / "twin.db").stat().st_mode & 0o777 == 0o600


def test_command_line(tmp_path: Path) -> None:
    """One line with the URL when ready; SIGTERM ends it with 0."""
    db, token = tmp_path / "twin.db", "glpat-commandline000000000"
    command = [
        sys.executable,
        "-m",
        "testbed.gitlab_api",
        "--port",
        "0",
        "--db",
        str(db),
        "--version",
        "17.5.1",
        "--admin-token",
        token,
        "--external-url",
        "https://gitlab.example.com/",
    ]
    tests = Path(testbed.gitlab_api.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(tests)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"GitLab API twin 17\.5\.1 on (http://127\.0\.0\.1:\d+)\n", line)
        assert found, line
        root = Session(found[1], token)
        assert root.call("GET", "/api/v4/version").json["version"] == "17.5.1"
        assert root.call("GET", "/api/v4/groups/10").json["web_url"] == "https://gitlab.example.com/groups/fleet"
        assert TwinClient(found[1]).add_jobs() == [1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert process.stdout.read() == ""
