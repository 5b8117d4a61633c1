# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test tells the twin to do wrong, and how slowly it works; never part of AWS's own API."""

from __future__ import annotations

import dataclasses
import typing as t

Reasons = dict[str, str]


@dataclasses.dataclass
class Steering:
    """Faults of the next stack operations, by logical id; a reason is what AWS would say.

    pace is the time in seconds that passes between two events of a stack; with 0 all are there at once. looks is after
    how many DescribeStacks every operation ends, whatever its pace; with 0 nobody counts.
    quotas are applied values by quota code, drift are differences by logical id. parts are what becomes of the next
    parts that are uploaded to S3: status (0: the connection is cut), code and message.
    """

    fail: Reasons = dataclasses.field(default_factory=dict)
    fail_rollback: Reasons = dataclasses.field(default_factory=dict)
    fail_delete: Reasons = dataclasses.field(default_factory=dict)
    quotas: dict[str, float] = dataclasses.field(default_factory=dict)
    parts: list[tuple[int, str, str]] = dataclasses.field(default_factory=list)
    pace: float = 0.0
    looks: int = 0

    def set(self, values: t.Mapping[str, t.Any]) -> None:
        """Take the values named, leave the others; an unknown name is an error."""
        known = {field.name for field in dataclasses.fields(self)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"no such switch: {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        for name, value in values.items():
            setattr(self, name, value)

    def reset(self) -> None:
        """Work well again, and at once."""
        self.set(dataclasses.asdict(Steering()))


STEERING = Steering()
