# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other program that may stand in the twin's place."""

from __future__ import annotations

import subprocess
from pathlib import Path

from testbed.packages import choice, variant


def test_it_is_one_file_that_says_what_it_is(tmp_path: Path) -> None:
    program = tmp_path / "another-runner"
    variant.make(program, "18.2.9")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert choice.reported_version(said) == "18.2.9"
    assert variant.REVISION in said


def test_every_word_that_is_changed_is_one_of_the_twin() -> None:
    twin = Path(variant.__file__).parents[1] / "gitlab_runner"
    text = "".join(path.read_text(encoding="utf-8") for path in twin.rglob("*.py"))
    assert [word for word in variant.WORDS if word not in text] == []
