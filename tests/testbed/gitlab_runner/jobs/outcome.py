# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a job ends."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """What is reported; text is what follows `Job failed`."""

    state: str = "success"
    text: str = ""
    failure_reason: str = ""
    exit_code: t.Optional[int] = None

    @property
    def failed(self) -> bool:
        return self.state != "success"


class JobFailed(Exception):
    """The job is over; carries how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


def script_failure(text: str, exit_code: int) -> JobFailed:
    return JobFailed(Outcome("failed", f": {text}", "script_failure", exit_code))


def system_failure(text: str, reason: str = "runner_system_failure") -> JobFailed:
    return JobFailed(Outcome("failed", f" (system failure): {text}", reason))
