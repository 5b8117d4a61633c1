# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Series of runs with the floor between them, and what their medians say."""

from __future__ import annotations

import dataclasses
import re
import statistics
import typing as t
from collections.abc import Mapping, Sequence

# What a running daemon asks for by itself, whoever configures it.
POLLS = ("POST /api/v4/jobs/request",)
# Ansible's own steps around a module; what an action plugin asks by a shell command has none of these words.
TRANSFER = re.compile(r"ansible-tmp-|AnsiballZ_|echo ~")
RECAP = re.compile(r"^\S+\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
LAST_LINES = 25


class RunFailedError(Exception):
    """A measured run did not do what it is measured for."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What one run cost."""

    seconds: float
    modules: int = 0
    mib: float = 0.0
    requests: int = 0
    changed: int = 0
    processor_seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Record:
    """One measurement, as it stands in bench.json."""

    case: str
    n: int
    seconds: float
    floor_seconds: float
    ratio: float
    host_modules: int
    host_commands: int
    api_requests: int
    controller_mib: float

    def as_json(self) -> dict[str, t.Any]:
        """Return the record with as many digits as it has."""
        return {key: round(value, 3) if isinstance(value, float) else value for key, value in vars(self).items()}


def run_of(what: str, cost: Mapping[str, t.Any], counts: Mapping[str, int]) -> Run:
    """Read what the stopwatch printed and what the API counted; a run that failed is no measurement."""
    recap = [tuple(map(int, counts)) for counts in RECAP.findall(cost["output"])]
    if cost["status"] != 0 or not recap or any(unreachable or failed for _changed, unreachable, failed in recap):
        said = "\n  ".join(cost["output"].strip().splitlines()[-LAST_LINES:])
        raise RunFailedError(f"{what} ended with {cost['status']}. It said:\n  {said}")
    return Run(
        seconds=cost["seconds"],
        processor_seconds=cost["processor_seconds"],
        modules=cost["modules"],
        mib=cost["largest_kib"] / 1024,
        requests=sum(count for route, count in counts.items() if route not in POLLS),
        changed=sum(counts[0] for counts in recap),
    )


def host_commands(commands: Sequence[str]) -> int:
    """Count the shell commands that belong to no module."""
    return sum(1 for text in commands if not TRANSFER.search(text))


def record(case: str, count: int, runs: Sequence[Run], floors: Sequence[Run], commands: int) -> Record:
    """Return the measurement of a series: medians of time, the most of what is counted."""
    seconds = statistics.median(run.seconds for run in runs)
    floor = statistics.median(run.seconds for run in floors)
    return Record(
        case=case,
        n=count,
        seconds=seconds,
        floor_seconds=floor,
        ratio=seconds / floor,
        host_modules=max(run.modules for run in runs),
        host_commands=commands,
        api_requests=max(run.requests for run in runs),
        controller_mib=max(run.mib for run in runs),
    )


def fleet_record(case: str, hosts: int, runs: Sequence[Run], floors: Sequence[Run], commands: int) -> Record:
    """Return the measurement of many hosts in one run: processor seconds a host, controller and host added."""

    def a_host(taken: Sequence[Run]) -> list[Run]:
        return [dataclasses.replace(run, seconds=run.processor_seconds / hosts) for run in taken]

    return record(case, hosts, a_host(runs), a_host(floors), commands)


def table(records: Sequence[Record]) -> str:
    """Return the records for people."""
    titles = ("case", "n", "seconds", "floor", "ratio", "modules", "commands", "requests", "MiB")
    rows = [titles] + [
        (
            one.case,
            str(one.n),
            f"{one.seconds:.2f}",
            f"{one.floor_seconds:.2f}",
            f"{one.ratio:.2f}",
            str(one.host_modules),
            str(one.host_commands),
            str(one.api_requests),
            f"{one.controller_mib:.0f}",
        )
        for one in records
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(titles))]
    lines = []
    for name, *numbers in rows:
        cells = [name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(numbers, widths[1:]))]
        lines.append("  ".join(cells))
    return "\n".join(lines)
