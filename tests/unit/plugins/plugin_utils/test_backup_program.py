# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program holds what it imports and nothing else, and is the same bytes every time."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _backup_program

REPORT = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_main
print(*sorted(name for name, module in sys.modules.items() if getattr(module, "__file__", None)
              and sys.argv[1] in module.__file__ and not module.__file__.endswith("__init__.py")))
"""


@pytest.fixture
def program(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "backup.pyz"
    path.write_bytes(_backup_program.build())
    return path


def test_it_is_the_same_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first = _backup_program.build()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert _backup_program.build() == first


def test_it_imports_all_that_it_holds_and_nothing_else(program: pathlib.Path) -> None:
    argv = [sys.executable, "-I", "-S", "-c", REPORT, str(program)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    package = _backup_program.PACKAGE.replace("/", ".")
    assert done.stdout.split() == sorted(f"{package}.{name}" for name in _backup_program.MODULES)


def test_it_says_how_it_is_used(program: pathlib.Path) -> None:
    done = subprocess.run([sys.executable, "-I", "-S", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: backup.pyz create|plan|list|pieces|send|note|restore")


def test_a_host_without_gitlab(program: pathlib.Path, tmp_path: pathlib.Path) -> None:
    request = json.dumps({"sets_path": str(tmp_path / "sets"), "state_path": str(tmp_path / "state")})
    answers = {}
    for command in ("list", "plan", "create"):
        argv = [sys.executable, "-I", "-S", program, command, "-", "-"]
        done = subprocess.run(argv, input=request, capture_output=True, text=True, check=False)
        answers[command] = json.loads(done.stdout)
        assert (done.returncode == 0) == (command == "list")
    assert answers["list"] == {"sets": [], "last": None}
    for command in ("plan", "create"):
        assert "GitLab is not installed here" in answers[command]["msg"]
    assert not (tmp_path / "sets").exists()
    last = json.loads((tmp_path / "state" / "last.json").read_text())
    assert (last["state"], last["error"]) == ("failed", answers["create"]["msg"])


def test_the_version_of_the_collection() -> None:
    assert _backup_program.collection_version() == "0.1.0"
