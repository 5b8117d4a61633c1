# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make bench`: measure the cases, print a table, leave build/bench.json."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from gates import collection, places
from testbed.errors import TestbedError
from testbed.gitlab_api.client import TwinError
from testbed.programs import say, step

from bench import upgrade, workload
from bench.machine import ADMIN_TOKEN, CONFIG, COUNTING, PYTHON, Machine, machine
from bench.series import Record, Run, RunFailedError, fleet_record, host_commands, record, run_of, table
from bench.workload import CASES, SIZES, Case

FOLDER = places.BUILD / "bench"
RECORDS = places.BUILD / "bench.json"
LARGE = 50


def runs_for(count: int) -> int:
    """Return how many runs a median is made of."""
    return 5 if count == LARGE else 3


class Bench:
    """Runs plays on the machine and checks that each did what it stands for."""

    def __init__(self, host: Machine) -> None:
        self._host = host

    def _run(self, playbook: str, inventory: str, *, counting: bool = False) -> tuple[Run, list[str]]:
        written = FOLDER / playbook
        self._host.api.clear_requests()
        cost = self._host.play(
            FOLDER / inventory, str(written) if written.exists() else playbook, COUNTING if counting else None
        )
        run = run_of(f"{playbook} with {inventory}", cost, self._host.api.requests()["by_route"])
        return run, cost["commands"]

    def _floor(self) -> Run:
        return self._run(workload.FLOOR_PLAY, workload.FLOOR)[0]

    def _case(self, case: Case, count: int, *, counting: bool = False) -> tuple[Run, list[str]]:
        run, commands = self._run(case.playbook, workload.inventory_name(count), counting=counting)
        if bool(run.changed) != case.changes:
            wanted = "something" if case.changes else "nothing"
            raise RunFailedError(f"{case.name} with {count} runners should change {wanted}; changed={run.changed}.")
        return run, commands

    def fleet(self, case: Case) -> Record:
        """Measure many hosts in one run, settled before, with the floor between the rounds."""
        self._host.reset()
        self._run(case.playbook, workload.FLEET)
        commands = host_commands(self._run(case.playbook, workload.FLEET, counting=True)[1])
        floors, runs = [], []
        for _round in range(runs_for(0)):
            floors.append(self._run(workload.FLOOR_PLAY, workload.FLEET_FLOOR)[0])
            run, _commands = self._run(case.playbook, workload.FLEET)
            if run.changed:
                raise RunFailedError(f"{case.name} should change nothing; changed={run.changed}.")
            runs.append(run)
        return fleet_record(case.name, workload.HOSTS, runs, floors, commands)

    def install(self) -> None:
        """Install the package and start its service, as users do."""
        self._run(workload.INSTALL, workload.inventory_name(0))
        self._host.check_service()

    def series(self, cases: Sequence[Case], count: int) -> list[Record]:
        """Measure cases that start from the same state, with the floor before each round."""
        fresh = cases[0].fresh
        self._host.reset()
        if not fresh:
            self._case(CASES[0], count)
        self._floor()
        commands: dict[str, int] = {}
        for case in cases:  # the warm-up, whose time does not count
            commands[case.name] = host_commands(self._case(case, count, counting=True)[1])
        floors: list[Run] = []
        runs: dict[str, list[Run]] = {case.name: [] for case in cases}
        for _round in range(runs_for(count)):
            if fresh:
                self._host.reset()
            floors.append(self._floor())
            for case in cases:
                runs[case.name].append(self._case(case, count)[0])
        self._host.check_service()
        return [record(case.name, count, runs[case.name], floors, commands[case.name]) for case in cases]


def measure(cases: Sequence[Case]) -> list[Record]:
    """Bring the machine up, install the package and measure."""
    records: list[Record] = []
    with machine() as (host, state):
        workload.write(
            FOLDER,
            {"ansible_connection": "local", "ansible_python_interpreter": PYTHON},
            {
                "gitlab_runner_url": host.server.url,
                "gitlab_runner_api_token": ADMIN_TOKEN,
                "gitlab_runner_repo_baseurl": state["offers"]["gitlab-runner"]["repo_url"],
                "gitlab_runner_repo_gpgkeys": state["offers"]["gitlab-runner"]["repo_gpgkeys"],
                "gitlab_runner_config_path": CONFIG,
                "gitlab_runner_config": {"concurrent": 8},
                "gitlab_runner_check_docker": False,  # its docker runners are declared, and run nothing
            },
            (0, *SIZES),
        )
        bench = Bench(host)
        with step("Installing the runner on the bench's host"):
            bench.install()
        for count in SIZES:
            for fresh in (True, False):
                series = [case for case in cases if case.fresh is fresh and count in case.sizes]
                if series:
                    with step(f"{', '.join(case.name for case in series)}, n = {count}"):
                        records += bench.series(series, count)
        for case in cases:
            if case.sizes == (workload.HOSTS,):
                with step(f"{case.name}, {workload.HOSTS} hosts"):
                    records.append(bench.fleet(case))
    return records


def write(records: Sequence[Record | upgrade.UpgradeRecord], file: Path) -> None:
    """Leave the records for programs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps([one.as_json() for one in records], indent=2) + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--cases", help=f"some of {','.join(case.name for case in CASES)}")
    try:
        cases = workload.chosen(parser.parse_args(argv).cases)
        archive, text = collection.build()
        if archive is None:
            raise RunFailedError(f"The collection could not be built:\n{text}")
        measured = [case for case in cases if case.sizes]
        records = measure(measured) if measured else []
        upgrades = [upgrade.measure()] if len(measured) < len(cases) else []
    except (workload.UnknownCaseError, RunFailedError, TestbedError, TwinError) as error:
        say(f"bench: {error}")
        return 2 if isinstance(error, workload.UnknownCaseError) else 1
    records.sort(key=lambda one: ([case.name for case in CASES].index(one.case), one.n))
    write([*records, *upgrades], RECORDS)
    if records:
        print(table(records))
    for one in upgrades:
        print(upgrade.line(one))
    print(f"{places.relative(RECORDS)}: {len(records) + len(upgrades)} measurements")
    return 0


if __name__ == "__main__":
    sys.exit(main())
