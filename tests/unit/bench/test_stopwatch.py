# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stopwatch and the wrappers that it reads the logs of, run as on the host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from bench import machine, stopwatch


def watched(logs: Path, *argv: str) -> dict[str, t.Any]:
    """Run a command under the stopwatch."""
    done = subprocess.run(
        [sys.executable, stopwatch.__file__, *argv],
        env={**os.environ, "BENCH_LOGS": str(logs)},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


@pytest.fixture
def python(tmp_path: Path) -> str:
    return written(tmp_path / "python", machine.PYTHON_WRAPPER, tmp_path)


@pytest.fixture
def shell(tmp_path: Path) -> str:
    return written(tmp_path / "shell", machine.SHELL_WRAPPER, tmp_path)


def written(file: Path, text: str, logs: Path) -> str:
    file.write_text(text.replace(machine.LOGS, str(logs)).replace("/usr/bin/python3", sys.executable))
    file.chmod(0o755)
    return str(file)


def test_it_tells_time_status_and_what_was_said(tmp_path: Path) -> None:
    found = watched(tmp_path, "/bin/sh", "-c", "echo said; echo more >&2; sleep 0.2; exit 3")
    assert (found["status"], found["output"]) == (3, "said\nmore\n")
    assert 0.2 <= found["seconds"] < 2


def test_it_tells_the_largest_process_below_the_command(tmp_path: Path) -> None:
    grow = f"{sys.executable} -c 'import sys; x = b\"x\" * (80 << 20)'"
    found = watched(tmp_path, "/bin/sh", "-c", f"{grow}; true")
    assert 80 * 1024 < found["largest_kib"] < 140 * 1024


def test_every_module_process_is_counted_and_no_earlier_one(tmp_path: Path, python: str) -> None:
    (tmp_path / "modules").write_text("x\nx\nx\n")
    found = watched(tmp_path, "/bin/sh", "-c", f"{python} -c 'print(1)'; {python} -c 'print(2)'")
    assert (found["modules"], found["output"]) == (2, "1\n2\n")


def test_the_hosts_python_keeps_out_of_the_controllers_bytecode(python: str) -> None:
    ask = [python, "-c", "import os; print(os.environ.get('PYTHONPYCACHEPREFIX'))"]
    done = subprocess.run(
        ask, env={**os.environ, "PYTHONPYCACHEPREFIX": "/x"}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "None\n"


def test_a_command_through_both_shells_is_one_command(tmp_path: Path, shell: str) -> None:
    found = watched(tmp_path, shell, "-c", f"{shell} -c 'printf %s one\nprintf %s two'")
    assert (found["commands"], found["output"]) == (["printf %s one\nprintf %s two"], "onetwo")
