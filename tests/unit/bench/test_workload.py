# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases that can be chosen, and the declarations they get."""

from __future__ import annotations

import stat
import tomllib
from pathlib import Path

import pytest
import yaml
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_plan, _declaration
from bench import workload

URL = "http://127.0.0.1:8080"
ENTRY_BYTES = 526  # what the reach was set for


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(None, ["runner_first", "runner_rerun", "install_rerun", "fleet", "runner_upgrade"], id="all"),
        pytest.param("runner_rerun", ["runner_rerun"], id="one"),
        pytest.param("runner_rerun, runner_first", ["runner_first", "runner_rerun"], id="two-in-the-table's-order"),
    ],
)
def test_chosen(names: str | None, expected: list[str]) -> None:
    assert [case.name for case in workload.chosen(names)] == expected


@pytest.mark.parametrize(
    ("names", "said"),
    [
        pytest.param("runner_rerun,fleat", "No case fleat. Cases are runner_first, runner_rerun", id="typo"),
        pytest.param(" , ", "No case (none was named). Cases are", id="nothing"),
    ],
)
def test_an_unknown_case_is_answered_with_the_known_ones(names: str, said: str) -> None:
    with pytest.raises(workload.UnknownCaseError) as caught:
        workload.chosen(names)
    assert said in str(caught.value)


def test_runners_are_declarations_that_the_collection_takes() -> None:
    declared = _declaration.declarations(workload.runners(50), defaults={}, url=URL, allow_unknown_keys=False)
    assert len({runner.name for runner in declared}) == 50
    assert all(sum(isinstance(value, dict) for value in runner.config.values()) == 2 for runner in declared)


def test_an_entry_is_as_large_as_the_reach_assumes() -> None:
    declared = _declaration.declarations(workload.runners(50), defaults={}, url=URL, allow_unknown_keys=False)
    written = {"id": 1, "token": "glrt-" + "x" * 20}
    wanted = _config_plan.Wanted(entries=tuple(runner.entry(written) for runner in declared))
    text = _config_plan.plan(None, wanted, "config.toml").text
    assert len(tomllib.loads(text)["runners"]) == 50
    assert len(text) / 50 == pytest.approx(ENTRY_BYTES, rel=0.1)


def test_the_floor_has_no_declaration_and_the_others_have_theirs(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    workload.write(folder, {"ansible_connection": "local"}, {"gitlab_runner_url": URL}, (0, 3))
    variables = {
        found.parent.parent.name: yaml.safe_load(found.read_text()) for found in folder.rglob("gitlab_runner.yml")
    }
    assert variables["floor"] == {}
    assert variables["runners-0"]["gitlab_runner_runners"] == []
    assert len(variables["runners-3"]["gitlab_runner_runners"]) == 3
    assert variables["runners-3"]["gitlab_runner_url"] == URL


def test_what_holds_the_token_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "bench"
    workload.write(folder, {}, {"gitlab_runner_api_token": "glpat-x"}, (1,))
    modes = {stat.S_IMODE(file.stat().st_mode) for file in folder.rglob("*.yml")}
    assert (stat.S_IMODE(folder.stat().st_mode), modes) == (0o700, {0o600})


def test_floor_and_role_are_measured_in_plays_that_differ_in_their_tasks_only() -> None:
    floor, role = ([{**play, "tasks": []} for play in content] for content in workload.plays().values())
    assert floor == role
    assert floor[0]["gather_facts"] is True
