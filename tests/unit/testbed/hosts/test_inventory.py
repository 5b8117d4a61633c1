# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `up` leaves for Ansible and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from testbed import paths
from testbed.hosts import inventory

STATE = inventory.State(
    os="al2023",
    image="testbed:1",
    subnet="10.9.8.0/24",
    gateway="10.9.8.1",
    api_url="http://10.9.8.1:8080",
    s3_url="http://10.9.8.1:8082",
    admin_token="glpat-0123456789",
    offers={
        name: inventory.Offer(
            f"http://10.9.8.1:8081/{name}",
            ("http://10.9.8.1:8081/keys/a", "http://10.9.8.1:8081/keys/b"),
            ("18.0.3",),
        )
        for name in ("gitlab-runner", "gitlab-ce")
    },
    repos={"gitlab-runner": "http://10.9.8.1:8081/gitlab-runner"},
    hosts={"runner1": "10.9.8.11", "runner2": "10.9.8.12", "server1": "10.9.8.201"},
)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "INVENTORY", tmp_path / "inventory.yml")
    monkeypatch.setattr(paths, "STATE", tmp_path / "state.json")
    inventory.write(STATE)
    return tmp_path


def test_inventory(written: Path) -> None:
    group = yaml.safe_load((written / "inventory.yml").read_text())["gitlab_runner"]
    assert group["hosts"] == {"runner1": {"ansible_host": "10.9.8.11"}, "runner2": {"ansible_host": "10.9.8.12"}}
    common = group["vars"].pop("ansible_ssh_common_args")
    for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ControlPersist=60s"):
        assert f"-o {option}" in common
    assert group["vars"] == {
        "ansible_user": "ec2-user",
        "ansible_ssh_private_key_file": str(paths.SSH_KEY),
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_become": True,
        "gitlab_runner_url": "http://10.9.8.1:8080",
        "gitlab_runner_api_token": "glpat-0123456789",
        "gitlab_runner_repo_baseurl": "http://10.9.8.1:8081/gitlab-runner",
        "gitlab_runner_repo_gpgkeys": ["http://10.9.8.1:8081/keys/a", "http://10.9.8.1:8081/keys/b"],
        "testbed_runner_versions": ["18.0.3"],
    }


def test_inventory_of_servers(written: Path) -> None:
    group = yaml.safe_load((written / "inventory.yml").read_text())["gitlab_server"]
    assert group["hosts"] == {"server1": {"ansible_host": "10.9.8.201"}}
    own = {name: value for name, value in group["vars"].items() if not name.startswith("ansible_")}
    assert own == {
        "gitlab_server_repo_baseurl": "http://10.9.8.1:8081/gitlab-ce",
        "gitlab_server_repo_gpgkeys": ["http://10.9.8.1:8081/keys/a", "http://10.9.8.1:8081/keys/b"],
        "testbed_server_versions": ["18.0.3"],
        "testbed_s3_url": "http://10.9.8.1:8082",
    }


def test_state(written: Path) -> None:
    state = json.loads((written / "state.json").read_text())
    assert state["hosts"]["runner2"] == {"address": "10.9.8.12"}
    assert (state["admin_token"], state["api_url"]) == ("glpat-0123456789", "http://10.9.8.1:8080")
    assert state["ssh"]["user"] == "ec2-user"
    assert inventory.read() == state


def test_both_files_hold_the_token_and_are_for_their_owner_only(written: Path) -> None:
    assert {file.name: file.stat().st_mode & 0o777 for file in written.iterdir()} == {
        "inventory.yml": 0o600,
        "state.json": 0o600,
    }


def test_a_part_left_by_a_killed_run_does_not_hinder(written: Path) -> None:
    (written / "state.json.part").write_text("half")
    inventory.write(STATE)
    assert not (written / "state.json.part").exists()
    assert inventory.read()["os"] == "al2023"


def test_nothing_is_known_before_the_first_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "STATE", tmp_path / "state.json")
    assert inventory.read() == {}
