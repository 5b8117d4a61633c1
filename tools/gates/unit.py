# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The unit tests: all of them on the controller's Python, those of the host's code on Python 3.9 too."""

from __future__ import annotations

import pathlib
import sys

from gates import environments, outcome, places

HOST_TESTS = ("tests/unit/plugins/module_utils", "tests/unit/plugins/modules")


def controller() -> outcome.Outcome:
    report = _fresh_report("unit.xml")
    argv = [sys.executable, "-m", "pytest", "-n", "2", f"--junit-xml={report}", "tests/unit"]
    return outcome.from_junit(report, outcome.shown(argv))


def oldest_host() -> outcome.Outcome:
    """Run the tests of what runs on a host as the oldest supported host runs it: Python 3.9, no ansible."""
    python = environments.find_python("3.9")
    folders = places.existing(*HOST_TESTS)
    if python is None or not folders:
        return outcome.Outcome(note="no Python 3.9 found" if python is None else "there are no tests of host code")
    programs = environments.environment("py39", python)
    report = _fresh_report("unit-py39.xml")
    argv = [programs / "python", "-m", "pytest", f"--junit-xml={report}", *folders]
    return outcome.from_junit(report, outcome.shown(argv, places.environment(first_on_path=programs)))


def _fresh_report(name: str) -> pathlib.Path:
    places.RESULTS.mkdir(parents=True, exist_ok=True)
    report = places.RESULTS / name
    report.unlink(missing_ok=True)
    return report
