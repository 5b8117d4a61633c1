# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GitLab's restore, check and doctor said, and what that means."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _restore_judge

STAMP = "2026-11-24 07:20:09 UTC -- "
GOOD = [
    f"{STAMP}Unpacking backup ... ",
    f"{STAMP}Unpacking backup ... done",
    f"{STAMP}Restoring database ... ",
    "SET",
    "CREATE TABLE",
    f"{STAMP}Restoring database ... done",
    f"{STAMP}Restoring lfs objects ... done",
    f"{STAMP}Restoring pages ... [DISABLED]",
    f"{STAMP}Restore task is done.",
]


def changed(old: str, *new: str) -> list[str]:
    at = next(number for number, line in enumerate(GOOD) if old in line)
    return [*GOOD[:at], *new, *GOOD[at + 1 :]]


@pytest.mark.parametrize(
    ("rc", "lines", "expected", "words"),
    [
        pytest.param(0, GOOD, ("db", "lfs"), (), id="good"),
        pytest.param(1, GOOD, (), ("it ended with 1",), id="exit-status-alone"),
        pytest.param(0, GOOD[:-1], (), ("never said that it is done",), id="no-last-line"),
        pytest.param(0, [], (), ("never said that it is done",), id="silence"),
        pytest.param(0, GOOD, ("pages",), ("the part pages is in the set and was not restored (disabled)",), id="off"),
        pytest.param(0, GOOD, ("uploads",), ("uploads", "not mentioned"), id="part-forgotten"),
        pytest.param(
            0,
            changed(
                "CREATE TABLE",
                "------ BEGIN ERRORS -----",
                'ERROR:  relation "users" already exists',
                "ERROR:  2",
                "ERROR:  3",
                "ERROR:  4",
                "------ END ERRORS -------",
            ),
            ("db",),
            ('SQL errors: ERROR:  relation "users" already exists; ERROR:  2; ERROR:  3 and 1 more',),
            id="sql-errors-end-with-0",
        ),
        pytest.param(
            1,
            [
                "GitLab version mismatch:",
                "  Your current GitLab version (18.8.7) differs from the GitLab version in the backup!",
                "  Please switch to the following version and try again:",
                "  version: 18.11.4",
            ],
            (),
            ("GitLab version mismatch: Your current GitLab version (18.8.7) differs", "version: 18.11.4"),
            id="version",
        ),
        pytest.param(
            1,
            [f"{STAMP}The backup file x_gitlab_backup.tar does not exist!"],
            (),
            ("The backup file x_gitlab_backup.tar does not exist!",),
            id="no-such-archive",
        ),
        pytest.param(1, ["rake aborted!", "", "Errno::EBUSY: Device or resource busy"], (), ("EBUSY",), id="mount"),
        pytest.param(
            1,
            ["Backup and restore in progress:", "There is a backup and restore task in progress (PID 7)."],
            (),
            ("in progress (PID 7)",),
            id="locked",
        ),
        pytest.param(1, [f"{STAMP}Unpacking backup failed"], (), ("Unpacking backup failed",), id="unpack"),
    ],
)
def test_restore(rc: int, lines: t.Sequence[str], expected: t.Sequence[str], words: t.Sequence[str]) -> None:
    said = _restore_judge.application(rc, "\n".join(lines), expected)
    assert bool(said.faults) is bool(words)
    for one in words:
        assert one in "; ".join(said.faults)


def test_a_full_disk_is_called_by_its_name() -> None:
    said = _restore_judge.application(1, "tar: x: Cannot write: No space left on device\nUnpacking backup failed", ())
    assert said.full
    assert said.faults == ("Unpacking backup failed",)


def test_steps_are_told_while_they_go_on() -> None:
    told = [step for step in map(_restore_judge.step, GOOD) if step]
    assert told == ["Unpacking backup ...", "Restoring database ..."]


@pytest.mark.parametrize(
    ("rc", "output", "findings"),
    [
        pytest.param(0, "- User failures: 0\nTotal: 0 row(s) affected\nDone!", [], id="all-can-be-read"),
        pytest.param(
            0,
            "I, [2026-11-24T07:20:09 #1]  INFO -- : - ApplicationSetting failures: 1\n"
            "I, [2026-11-24T07:20:09 #1]  INFO -- : - Ci::Variable failures: 12\n"
            "I, [2026-11-24T07:20:09 #1]  INFO -- : Total: 13 row(s) affected\n",
            ["ApplicationSetting: 1", "Ci::Variable: 12"],
            id="lost-secrets-end-with-0",
        ),
        pytest.param(0, "Total: 2 row(s) affected", ["2 rows"], id="only-a-total"),
        pytest.param(
            1,
            "rake aborted!\nboom",
            ["gitlab:doctor:secrets ended with 1 and no total: rake aborted!\nboom"],
            id="aborted",
        ),
        pytest.param(0, "", ["gitlab:doctor:secrets ended with 0 and no total: "], id="silence"),
    ],
)
def test_doctor(rc: int, output: str, findings: list[str]) -> None:
    assert _restore_judge.doctor(rc, output) == findings


CHECK = """Checking GitLab App ...

Database config exists? ... yes
Redis version >= 6.2.14? ... no
  Try fixing it:
  Update your redis server to a version >= 6.2.14
  For more information see:
  gitlab-public-wiki/wiki/Trouble-Shooting-Guide in section sidekiq
  Please fix the error above and rerun the checks.
Uploads directory setup correctly? ... skipped (no uploads folder found)

Checking GitLab App ... Finished
"""


def test_check_is_read_as_text() -> None:
    assert _restore_judge.check(0, CHECK) == [
        "Redis version >= 6.2.14? ... no: Update your redis server to a version >= 6.2.14"
    ]
    assert _restore_judge.check(0, "Database config exists? ... yes\nDatabase is SQLite ... no\n") == []
    assert _restore_judge.check(1, "rake aborted!\nboom\n") == ["gitlab:check ended with 1: rake aborted! / boom"]
