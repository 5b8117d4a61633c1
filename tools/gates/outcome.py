# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate found, and how commands become that."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import pathlib
import subprocess
import sys
import typing as t
from xml.etree import ElementTree

from gates import places

FAILURES = ("failure", "error")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How many checks passed and failed; text is shown when one failed, note always."""

    passed: int = 0
    failed: int = 0
    text: str = ""
    note: str = ""

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.passed + other.passed, self.failed + other.failed)


def judged(ok: bool, text: str = "", note: str = "") -> Outcome:
    """Return the outcome of one check."""
    return Outcome(passed=int(ok), failed=int(not ok), text=text, note=note)


def captured(
    argv: collections.abc.Sequence[object],
    cwd: pathlib.Path = places.ROOT,
    env: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Run a command to its end; return its exit status and everything it printed."""
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env=env or places.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def shown(argv: collections.abc.Sequence[object], env: dict[str, str] | None = None) -> int:
    """Run a command whose output is its own progress; return its exit status."""
    sys.stdout.flush()
    return subprocess.run(
        [str(word) for word in argv],
        cwd=places.ROOT,
        env=env or places.environment(),
        stdin=subprocess.DEVNULL,
        check=False,
    ).returncode


def command(*argv: str) -> t.Callable[[], Outcome]:
    """Return a gate that passes when the command exits with 0."""

    def run() -> Outcome:
        status, text = captured(argv)
        return judged(status == 0, text)

    return run


def from_junit(report: pathlib.Path, status: int) -> Outcome:
    """Count pytest's report; a run that failed without a failed test (a crash, nothing collected) is one failure."""
    try:
        cases = list(ElementTree.parse(report).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        cases = []
    failed = sum(any(case.find(kind) is not None for kind in FAILURES) for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    passed = len(cases) - failed - skipped
    if status != 0 and failed == 0:
        failed = 1
    return Outcome(passed, failed, note=f"{skipped} skipped" if skipped else "")


def from_record(record: pathlib.Path, status: int) -> Outcome:
    """Read a {"passed": n, "failed": n} file; a run that left none, counts nothing or exits badly is one failure."""
    try:
        counts = json.loads(record.read_text(encoding="utf-8"))
        passed, failed = int(counts["passed"]), int(counts["failed"])
    except (OSError, ValueError, KeyError, TypeError):
        passed, failed = 0, 0
    if failed == 0 and (status != 0 or passed == 0):
        failed = 1
    return Outcome(passed, failed)
