# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made of the runs' numbers."""

from __future__ import annotations

import typing as t

import pytest
from bench import series
from bench.series import Run, RunFailedError

RECAP = """\
PLAY RECAP *********
fleetwright-bench          : ok=3    changed={changed}    unreachable={unreachable}    failed={failed}    skipped=1
"""


def cost(status: int = 0, changed: int = 0, failed: int = 0, unreachable: int = 0) -> dict[str, t.Any]:
    output = RECAP.format(changed=changed, failed=failed, unreachable=unreachable)
    return {
        "status": status,
        "seconds": 1.5,
        "processor_seconds": 1.25,
        "largest_kib": 61440,
        "modules": 3,
        "commands": [],
        "output": output,
    }


def test_run_of_leaves_out_what_the_daemon_asks_by_itself() -> None:
    counts = {"POST /api/v4/jobs/request": 40, "GET /api/v4/runners/:id": 50, "POST /api/v4/runners/verify": 50}
    run = series.run_of("a run", cost(changed=2), counts)
    assert run == Run(seconds=1.5, modules=3, mib=60.0, requests=100, changed=2, processor_seconds=1.25)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(cost(status=2), id="status"),
        pytest.param(cost(failed=1), id="failed"),
        pytest.param(cost(unreachable=1), id="unreachable"),
        pytest.param({**cost(), "output": "skipping: no hosts matched"}, id="no-host"),
    ],
)
def test_a_run_that_failed_is_no_measurement(told: dict[str, t.Any]) -> None:
    with pytest.raises(RunFailedError) as caught:
        series.run_of("runner_rerun", told, {})
    assert "runner_rerun ended with" in str(caught.value)
    assert told["output"].strip().splitlines()[-1].strip() in str(caught.value)


@pytest.mark.parametrize(
    ("command", "counted"),
    [
        pytest.param("export LC_ALL=C\np=$(readlink -f -- /etc/gitlab-runner/config.toml)", 1, id="read"),
        pytest.param("echo ~root", 0, id="home"),
        pytest.param('( umask 77 && mkdir -p "` echo /root/.ansible/tmp/ansible-tmp-1-2-3 `" )', 0, id="make-folder"),
        pytest.param("/opt/bench/python /root/.ansible/tmp/ansible-tmp-1-2-3/AnsiballZ_setup.py", 0, id="module"),
        pytest.param("rm -f -r /root/.ansible/tmp/ansible-tmp-1-2-3/ > /dev/null 2>&1", 0, id="clean-up"),
    ],
)
def test_host_commands_are_those_of_no_module(command: str, counted: int) -> None:
    assert series.host_commands([command]) == counted


def test_a_fleet_is_measured_in_processor_seconds_a_host() -> None:
    runs = [Run(9.0, 20, 70.0, 400, processor_seconds=seconds) for seconds in (16.0, 14.0, 15.0)]
    floors = [Run(6.0, processor_seconds=seconds) for seconds in (12.0, 10.0, 11.0)]
    found = series.fleet_record("fleet", 20, runs, floors, 40)
    assert (found.seconds, found.floor_seconds, found.n) == (0.75, 0.55, 20)
    assert round(found.ratio, 3) == 1.364


def test_record_takes_medians_of_time_and_the_most_of_counts() -> None:
    runs = [Run(2.0, 3, 60.0, 100), Run(9.0, 4, 66.0, 101), Run(3.0, 3, 61.0, 100)]
    floors = [Run(2.0), Run(1.0), Run(8.0)]
    found = series.record("runner_rerun", 50, runs, floors, 2)
    assert found.as_json() == {
        "case": "runner_rerun",
        "n": 50,
        "seconds": 3.0,
        "floor_seconds": 2.0,
        "ratio": 1.5,
        "host_modules": 4,
        "host_commands": 2,
        "api_requests": 101,
        "controller_mib": 66.0,
    }


def test_table_has_a_line_for_each_record() -> None:
    one = series.record("runner_rerun", 50, [Run(2.345, 1, 65.2, 100)], [Run(1.5)], 2)
    lines = series.table([one, one]).splitlines()
    assert lines[0].split() == ["case", "n", "seconds", "floor", "ratio", "modules", "commands", "requests", "MiB"]
    assert lines[1].split() == ["runner_rerun", "50", "2.35", "1.50", "1.56", "1", "2", "100", "65"]
    assert lines[2] == lines[1]
