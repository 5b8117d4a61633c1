# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gates count, and that nothing that went wrong counts as passed."""

from __future__ import annotations

import pathlib

import pytest
from gates import __main__ as main
from gates import outcome

PASSED, FAILED = '<testcase name="a"/>', '<testcase name="b"><failure/></testcase>'
BROKEN = '<testcase name="c"><failure/><error/></testcase>'
SKIPPED = '<testcase name="d"><skipped/></testcase>'


@pytest.mark.parametrize(
    ("cases", "status", "expected"),
    [
        pytest.param(PASSED * 3, 0, (3, 0), id="all-pass"),
        pytest.param(PASSED + FAILED, 1, (1, 1), id="one-fails"),
        pytest.param(PASSED + BROKEN, 1, (1, 1), id="failed-twice-is-one"),
        pytest.param(PASSED + SKIPPED, 0, (1, 0), id="skipped-is-neither"),
        pytest.param(PASSED, 3, (1, 1), id="crashed-afterwards"),
        pytest.param("", 5, (0, 1), id="nothing-collected"),
    ],
)
def test_from_junit(tmp_path: pathlib.Path, cases: str, status: int, expected: tuple[int, int]) -> None:
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>", encoding="utf-8")
    found = outcome.from_junit(report, status)
    assert (found.passed, found.failed) == expected


def test_no_report_is_a_failure(tmp_path: pathlib.Path) -> None:
    assert outcome.from_junit(tmp_path / "absent.xml", 2).failed == 1


@pytest.mark.parametrize(
    ("record", "status", "expected"),
    [
        pytest.param('{"passed": 4, "failed": 0}', 0, (4, 0), id="all-pass"),
        pytest.param('{"passed": 3, "failed": 1}', 1, (3, 1), id="one-fails"),
        pytest.param('{"passed": 3, "failed": 0}', 1, (3, 1), id="bad-exit"),
        pytest.param('{"passed": 0, "failed": 0}', 0, (0, 1), id="counted-nothing"),
        pytest.param("not json", 0, (0, 1), id="unreadable"),
        pytest.param(None, 0, (0, 1), id="absent"),
    ],
)
def test_from_record(tmp_path: pathlib.Path, record: str | None, status: int, expected: tuple[int, int]) -> None:
    path = tmp_path / "record.json"
    if record is not None:
        path.write_text(record, encoding="utf-8")
    found = outcome.from_record(path, status)
    assert (found.passed, found.failed) == expected


def _breaks() -> outcome.Outcome:
    raise FileNotFoundError("no such program")


GATES = {
    "good": (main.Gate("good", lambda: outcome.judged(True)),),
    "bad": (main.Gate("bad", lambda: outcome.judged(False, "why it failed")),),
    "broken": (main.Gate("broken", _breaks),),
}


@pytest.mark.parametrize(
    ("parts", "last_line", "status"),
    [
        pytest.param(["good", "good"], "2 passed, 0 failed", 0, id="all-pass"),
        pytest.param(["bad", "good"], "1 passed, 1 failed", 1, id="a-failure-hides-nothing"),
        pytest.param(["broken", "good"], "1 passed, 1 failed", 1, id="a-broken-gate-failed"),
    ],
)
def test_last_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], parts: list[str], last_line: str, status: int
) -> None:
    monkeypatch.setattr(main, "PARTS", GATES)
    assert main.run_parts(parts) == status
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == last_line
    assert ("why it failed" in printed) == ("bad" in parts)
