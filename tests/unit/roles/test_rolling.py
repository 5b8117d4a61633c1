# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the playbooks roll over a fleet: their own plays, with a stand-in for the role, run by ansible-playbook."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing as t

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
HOSTS = [f"runner{number}" for number in range(1, 10)]
# Says which batch a host is in; one named host fails, or is not there.
TASKS: list[dict[str, t.Any]] = [
    {
        "name": "Reach the host",
        "ansible.builtin.raw": "true",
        "vars": {"ansible_connection": "{{ 'ssh' if inventory_hostname == gone | default('') else 'local' }}"},
    },
    {"name": "Say the batch", "ansible.builtin.debug": {"msg": "batch {{ ansible_play_batch | join(' ') }}"}},
    {"name": "Fail", "ansible.builtin.fail": {"msg": "no"}, "when": "inventory_hostname == bad | default('')"},
]


def rolled(folder: pathlib.Path, playbook: str, *words: str) -> tuple[int, list[int], str]:
    """Exit status, the sizes of the batches in their order, and everything that was printed."""
    (play,) = yaml.safe_load((ROOT / "playbooks" / f"{playbook}.yml").read_text())
    tasks = [one for one in play["tasks"] if "ansible.builtin.import_role" not in one]
    assert len(tasks) == len(play["tasks"]) - 1
    shutil.copytree(ROOT / "playbooks" / "tasks", folder / "tasks")
    here = folder / "playbook.yml"
    here.write_text(yaml.safe_dump([{**play, "tasks": [*tasks, *TASKS]}]))
    inventory = folder / "inventory.yml"
    hosts = {name: {"ansible_host": "127.0.0.1", "ansible_port": 1} for name in HOSTS}
    inventory.write_text(yaml.safe_dump({"gitlab_runner": {"hosts": hosts}}))
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORKS": "2",
    }
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), *words, str(here)]
    done = subprocess.run(argv, capture_output=True, text=True, env=env, timeout=120, check=False)
    seen = dict.fromkeys(re.findall(r'"msg": "batch ([^"]*)"', done.stdout))
    return done.returncode, [len(one.split()) for one in seen], done.stdout + done.stderr


@pytest.mark.parametrize("playbook", ["runner_upgrade", "runner_rollback"])
def test_one_first_then_a_quarter(tmp_path: pathlib.Path, playbook: str) -> None:
    assert rolled(tmp_path, playbook)[:2] == (0, [1, 2, 2, 2, 2])


@pytest.mark.parametrize(
    ("words", "batches"),
    [
        pytest.param(["-e", "gitlab_runner_serial="], [1, 2, 2, 2, 2], id="an-empty-survey-answer"),
        pytest.param(["-e", "gitlab_runner_serial=4"], [4, 4, 1], id="count"),
        pytest.param(["-e", "gitlab_runner_serial=1,50%"], [1, 4, 4], id="survey"),
        pytest.param(["-e", '{"gitlab_runner_serial": [2, "100%"]}'], [2, 7], id="list"),
        pytest.param(
            ["--limit", "runner2,runner4,runner6,runner7"], [1, 1, 1, 1], id="a-share-of-those-that-are-meant"
        ),
        pytest.param(["-e", "bad=runner1"], [1], id="the-canary-fails"),
        pytest.param(["-e", "bad=runner3"], [1, 2], id="the-first-failing-batch-is-the-last"),
        pytest.param(["-e", "gone=runner1"], [], id="the-canary-is-gone"),
        pytest.param(["-e", "gone=runner3"], [1], id="a-host-that-is-gone-counts-as-failed"),
    ],
)
def test_rolling(tmp_path: pathlib.Path, words: list[str], batches: list[int]) -> None:
    status, found, output = rolled(tmp_path, "runner_upgrade", *words)
    assert found == batches, output
    lost = [word for word in words if word.startswith(("bad", "gone"))]
    assert (status != 0) is bool(lost)
    if lost == ["gone=runner3"]:
        assert "runner2, runner3 did not get through" in output


def test_nobody_is_touched_by_what_says_nothing(tmp_path: pathlib.Path) -> None:
    status, found, output = rolled(tmp_path, "runner_upgrade", "-e", "gitlab_runner_serial=0")
    assert (status != 0, found) == (True, [])
    assert "gitlab_runner_serial is '0'. Nothing was changed." in output
