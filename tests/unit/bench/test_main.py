# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command, and the order of what it runs, with a machine that only pretends."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping
from pathlib import Path

import pytest
from bench import __main__ as command
from bench import workload
from bench.series import RunFailedError
from gates import collection

CHANGED = {True: 1, False: 0}


class Pretended:
    """A machine that notes what it is asked and changes what the host's state calls for."""

    def __init__(self, *, always_changes: bool = False) -> None:
        self.api = self
        self.asked: list[str] = []
        self.registered = False
        self.always_changes = always_changes

    def clear_requests(self) -> None:
        pass

    def requests(self) -> dict[str, t.Any]:
        return {"by_route": {"GET /api/v4/runners/:id": 1}}

    def reset(self) -> None:
        self.asked.append("reset")
        self.registered = False

    def check_service(self) -> None:
        self.asked.append("check_service")

    def play(self, inventory: Path, playbook: str, more: Mapping[str, str] | None) -> dict[str, t.Any]:
        name = Path(playbook).stem if "/" in playbook else playbook.rpartition(".")[2]
        self.asked.append(f"{name}{' counting' if more else ''}")
        changes = name != "floor" and (self.always_changes or not self.registered)
        self.registered = self.registered or name != "floor"
        output = f"h : ok=1 changed={CHANGED[changes]} unreachable=0 failed=0"
        return {
            "status": 0,
            "seconds": 1.0,
            "processor_seconds": 0.5,
            "largest_kib": 1,
            "modules": 1,
            "commands": ["true"],
            "output": output,
        }


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "FOLDER", tmp_path)
    workload.write(tmp_path, {}, {}, (1,))


def bench(host: Pretended) -> command.Bench:
    return command.Bench(t.cast(t.Any, host))


def test_first_runs_start_from_nothing_each_with_a_floor_before_it() -> None:
    host = Pretended()
    bench(host).series(workload.chosen("runner_first"), 1)
    role = "register_and_configure"
    assert host.asked == ["reset", "floor", f"{role} counting"] + ["reset", "floor", role] * 3 + ["check_service"]


def test_reruns_share_a_floor_in_each_round() -> None:
    host = Pretended()
    found = bench(host).series(workload.chosen("runner_rerun,install_rerun"), 1)
    role, install = "register_and_configure", "runner_install"
    warm_up = ["reset", role, "floor", f"{role} counting", f"{install} counting"]
    assert host.asked == warm_up + ["floor", role, install] * 3 + ["check_service"]
    assert [(one.case, one.host_commands) for one in found] == [("runner_rerun", 1), ("install_rerun", 1)]


def test_a_rerun_that_changes_something_is_no_measurement() -> None:
    with pytest.raises(RunFailedError, match="runner_rerun with 1 runners should change nothing; changed=1"):
        bench(Pretended(always_changes=True)).series(workload.chosen("runner_rerun"), 1)


def test_a_median_of_fifty_runners_is_made_of_more_runs() -> None:
    assert [command.runs_for(count) for count in workload.SIZES] == [3, 3, 5, 3, 3]


def test_an_unknown_case_ends_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--cases", "runner_reruns"]) == 2
    assert "No case runner_reruns. Cases are runner_first, runner_rerun, install_rerun" in capsys.readouterr().err


def test_a_failed_run_leaves_the_earlier_records_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(cases: object) -> list[object]:
        raise RunFailedError("floor.yml ended with 4")

    file = tmp_path / "bench.json"
    file.write_text("[]")
    monkeypatch.setattr(command, "RECORDS", file)
    monkeypatch.setattr(command, "measure", fail)
    monkeypatch.setattr(collection, "build", lambda: (tmp_path, "built"))
    assert command.main([]) == 1
    assert "bench: floor.yml ended with 4" in capsys.readouterr().err
    assert json.loads(file.read_text()) == []
