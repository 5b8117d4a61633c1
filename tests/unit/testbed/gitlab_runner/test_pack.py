# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package of the twin holds, and that it runs from there."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from gates import environments

OLD_PYTHONS = [(version, environments.find_python(version)) for version in ("3.9", "3.10")]


def call(program: Path, *words: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, "-IS", str(program), *words], capture_output=True, text=True, check=False)


def test_layout(packed: t.Callable[[str], Path]) -> None:
    program = packed("17.5.5")
    twin = program.parents[1] / "lib/gitlab-runner/twin"
    assert os.access(program, os.X_OK)
    assert program.read_text().startswith("#!/usr/bin/python3 -IS\n")
    assert sorted(path.name for path in twin.iterdir()) == ["build_info.json", "gitlab_runner", "tomli"]
    assert (twin / "tomli/_parser.py").exists()
    assert not list(twin.rglob("*.so"))
    assert not (twin / "gitlab_runner/pack.py").exists()


@pytest.mark.parametrize("version", ["17.5.5", "18.0.3", "19.3.0"])
def test_version(packed: t.Callable[[str], Path], version: str) -> None:
    done = call(packed(version), "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Version:      {version}\nGit revision: abcdef01\n")


def test_environment_does_not_change_the_version(
    packed: t.Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/nonexistent")
    monkeypatch.setenv("GITLAB_RUNNER_VERSION", "1.2.3")
    assert "18.0.3" in call(packed("18.0.3"), "--version").stdout


def test_short_token_crashes_like_go(packed: t.Callable[[str], Path], config: Path) -> None:
    config.write_text('[[runners]]\nname="x"\nurl="http://127.0.0.1:1"\ntoken="glrt-12345"\nexecutor="shell"\n')
    done = call(packed("18.0.3"), "verify", "-c", str(config))
    assert done.returncode == 2
    assert "panic: runtime error: slice bounds out of range [:14] with length 10" in done.stderr


@pytest.mark.parametrize("python", [pytest.param(found, id=version) for version, found in OLD_PYTHONS if found])
def test_older_pythons(packed: t.Callable[[str], Path], config: Path, python: Path) -> None:
    config.write_text('[[runners]]\nname="x"\n')
    done = call(packed("18.0.3"), "list", "-c", str(config), python=str(python))
    assert (done.returncode, "Listing configured runners" in done.stderr) == (0, True)
