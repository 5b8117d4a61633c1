# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer on the host is taken for that to a task's own request only. The scripts run on this machine."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.action import gitlab_backup
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_main
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Bucket, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _backup_host, _backup_program, _backup_s3
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._backup_host import First, Look

ID = "1795504809_2026_11_24_18.11.4"
SYSTEMCTL = """#!/bin/sh
test -e "$RUNNING"
"""
# Starts what it is given in the foreground, or refuses, as with a unit of that name.
SYSTEMD_RUN = """#!/bin/sh
test ! -e "$REFUSES" || exit 1
while test "${1#--}" != "$1"; do shift; done
"$@" || true
"""


class Scripts:
    """A host's folder, where the scripts are run; running and refuses are what its systemd goes by."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.running, self.refuses = folder / "running", folder / "refuses"
        programs = folder / "bin"
        programs.mkdir()
        for name, text in (("systemctl", SYSTEMCTL), ("systemd-run", SYSTEMD_RUN)):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        (self.state / _backup_host.PROGRAM).write_bytes(_backup_program.build())
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self._env = {**os.environ, "PATH": path, "RUNNING": str(self.running), "REFUSES": str(self.refuses)}

    def run(self, script: str, data: str = "") -> subprocess.CompletedProcess[str]:
        argv = ["/bin/sh", "-c", script]
        return subprocess.run(argv, input=data, capture_output=True, text=True, env=self._env, check=False)

    def start(self, request: str) -> subprocess.CompletedProcess[str]:
        return self.run(_backup_host.start(str(self.state), "list"), request)

    def names(self) -> set[str]:
        return {path.name for path in self.state.iterdir()} - {_backup_host.PROGRAM}


@pytest.fixture
def scripts(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Scripts:
    monkeypatch.setattr(_backup_host, "PYTHON", sys.executable)
    return Scripts(tmp_path)


def test_the_answer_says_what_it_is_an_answer_to(scripts: Scripts, tmp_path: pathlib.Path) -> None:
    request = json.dumps({"sets_path": str(tmp_path / "sets")})
    look = _backup_host.read_look(scripts.start(request).stdout)
    assert (look.answer, look.asked) == ({"sets": [], "last": None}, _backup_main.checksum(request))
    assert scripts.names() == {"answer.json"}
    first = _backup_host.read_first(scripts.run(_backup_host.first(str(scripts.state))).stdout)
    assert (first.running, first.answered) == (False, True)


@pytest.mark.parametrize("seen", [True, False])
def test_who_comes_second_leaves_the_first_alone(scripts: Scripts, seen: bool) -> None:
    (scripts.state / "once.first").write_text("{}")
    (scripts.running if seen else scripts.refuses).touch()
    assert scripts.start('{"keep_count": 1}').returncode == 1
    assert scripts.names() == {"once.first"}
    assert (scripts.state / "once.first").read_text() == "{}"


REQUEST = Request()
ASKED = _backup_main.checksum(json.dumps(REQUEST.as_json(), sort_keys=True))
DONE = {"id": ID}


@pytest.mark.parametrize(
    ("answered", "look", "adopted"),
    [
        pytest.param(False, Look(False, DONE, None, ASKED), True, id="the-same"),
        pytest.param(True, Look(False, DONE, None, ASKED), False, id="that-of-last-week"),
        pytest.param(False, Look(False, DONE, None, "0" * 64), False, id="another"),
        pytest.param(False, Look(False, DONE, None), False, id="of-an-older-program"),
        pytest.param(False, Look(False, None, None), False, id="none-as-behind-a-restore"),
        pytest.param(False, Look(False, {"failed": True, **DONE}, None, ASKED), False, id="failed"),
    ],
)
def test_whose_set_it_is(answered: bool, look: Look, adopted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    action = t.cast(t.Any, gitlab_backup.ActionModule.__new__(gitlab_backup.ActionModule))
    monkeypatch.setattr(action, "_say", lambda unused: None, raising=False)
    monkeypatch.setattr(action, "_waited", lambda: look, raising=False)
    found = action._earlier(REQUEST, First({}, True, answered))
    assert found == (DONE if adopted else None)


@pytest.mark.parametrize("older", [[], ["old", "older"]])
def test_retention_comes_when_every_copy_is_there(older: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []

    def ask(command: str, request: dict[str, t.Any]) -> dict[str, t.Any]:
        if command == "pieces":
            return {"files": [], "copies": {}, "unfinished": older}
        asked.append((request["id"], request["request"]["prune"]))
        return {"removed": ["gone"] if request["request"]["prune"] else []}

    action = t.cast(t.Any, gitlab_backup.ActionModule.__new__(gitlab_backup.ActionModule))
    monkeypatch.setattr(action, "_ask", ask, raising=False)
    monkeypatch.setattr(_backup_s3.Copier, "copy", lambda *unused: {})
    bucket = Bucket("backups")
    found = action._copies(Request(prune=False), ID, {}, None, bucket)
    assert asked == [(one, one == [ID, *older][-1]) for one in [ID, *older]]
    urls = [bucket.url(one) for one in (ID, *older)]
    assert found == {"copied": urls, "url": urls[0], "removed": ["gone"]}
