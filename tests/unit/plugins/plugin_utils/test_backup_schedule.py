# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for the timer: what a host has and systemd knows, and what is done, also behind a run that was stopped."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _backup_schedule
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._backup_schedule import Found, Plan

SYSTEMCTL = """#!/bin/sh
case "$1" in
is-enabled) echo enabled ;;
is-active) echo active ;;
show) printf 'NeedDaemonReload=no\\n\\nNeedDaemonReload=%s\\n' "$STALE" ;;
esac
"""
WANTED = {"/a": "1", "/b": "2"}
ON: dict[str, t.Any] = {"enabled": True, "active": True}


@pytest.mark.parametrize("stale", [True, False])
def test_a_look_at_the_host(tmp_path: pathlib.Path, stale: bool) -> None:
    program = tmp_path / "systemctl"
    program.write_text(SYSTEMCTL)
    program.chmod(0o755)
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.write_text("x\n")
    script = _backup_schedule.read([str(there), str(gone)], None, None)
    env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "STALE": "yes" if stale else "no"}
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, env=env, check=True)
    assert _backup_schedule.parse(done.stdout) == Found({str(there): "x\n"}, **ON, stale=stale)


@pytest.mark.parametrize(
    ("found", "present", "plan"),
    [
        pytest.param(Found(WANTED, **ON), True, Plan({}, (), False, False), id="as-wanted"),
        pytest.param(Found({}, False, False), True, Plan(WANTED, (), True, True), id="nothing-yet"),
        pytest.param(Found({**WANTED, "/b": "3"}, **ON), True, Plan({"/b": "2"}, (), False, True), id="another-time"),
        pytest.param(Found(WANTED, **ON, stale=True), True, Plan({}, (), False, True), id="stopped-before-the-reload"),
        pytest.param(Found(WANTED, True, False), True, Plan({}, (), True, False), id="stopped-by-hand"),
        pytest.param(Found(WANTED, **ON), False, Plan({}, ("/a", "/b"), True, True), id="to-be-removed"),
        pytest.param(Found({}, False, False, stale=True), False, Plan({}, (), False, True), id="removed-but-known"),
        pytest.param(Found({}, False, False), False, Plan({}, (), False, False), id="nothing-to-remove"),
    ],
)
def test_plan(found: Found, present: bool, plan: Plan) -> None:
    assert _backup_schedule.plan(found, WANTED, present=present) == plan


def test_a_timer_that_changed_is_started_anew() -> None:
    assert "systemctl restart" in _backup_schedule.switch(on=True, changed=True)
    assert "systemctl restart" not in _backup_schedule.switch(on=True, changed=False)
