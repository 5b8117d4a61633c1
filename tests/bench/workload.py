# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run: the cases, the floor they are measured against, and the declarations they get."""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterable
from pathlib import Path

import yaml
from testbed.hosts import names
from testbed.hosts.inventory import write_private

GROUP = names.RUNNER.group

SIZES = (1, 10, 50, 200, 1000)
EVERYDAY = (1, 10, 50)
HOSTS = 20
HOST_RUNNERS = 10
INSTALL = "fleetwright.gitlab_aws.runner_install"
UPGRADE = "fleetwright.gitlab_aws.runner_upgrade"
ROLE = "fleetwright.gitlab_aws.gitlab_runner"
FLOOR_PLAY = "floor.yml"
ROLE_PLAY = "register_and_configure.yml"
FLOOR = "floor"  # the inventory without a declaration
FLEET = "fleet"
FLEET_FLOOR = "fleet-floor"


class UnknownCaseError(Exception):
    """Names the cases that there are."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One thing measured; `fresh` starts every run from nothing registered and no config.toml."""

    name: str
    playbook: str
    fresh: bool
    changes: bool
    sizes: tuple[int, ...] = EVERYDAY


CASES = (
    Case("runner_first", ROLE_PLAY, fresh=True, changes=True, sizes=SIZES),
    Case("runner_rerun", ROLE_PLAY, fresh=False, changes=False, sizes=SIZES),
    Case("install_rerun", INSTALL, fresh=False, changes=False),
    Case("fleet", ROLE_PLAY, fresh=False, changes=False, sizes=(HOSTS,)),
    Case("runner_upgrade", UPGRADE, fresh=False, changes=True, sizes=()),  # on hosts of its own: bench.upgrade
)


def chosen(names: str | None) -> tuple[Case, ...]:
    """Return the cases of a list such as `runner_first,runner_rerun`; all of them for None."""
    if names is None:
        return CASES
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    known = [case.name for case in CASES]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise UnknownCaseError(
            f"No case {', '.join(unknown) or '(none was named)'}. Cases are {', '.join(known)}, separated by commas."
        )
    return tuple(case for case in CASES if case.name in wanted)


def runners(count: int) -> list[dict[str, t.Any]]:
    """Declare N docker runners of about ten keys and two sub-tables each."""
    return [
        {
            "name": f"bench-{number:04}",
            "description": f"Bench runner {number}",
            "runner_type": "instance_type",
            "tag_list": ["bench", f"line-{number % 7}"],
            "run_untagged": False,
            "executor": "docker",
            "limit": 4,
            "output_limit": 8192,
            "request_concurrency": 2,
            "environment": ["DOCKER_DRIVER=overlay2"],
            "docker": {
                "image": "registry.example.com/build/base:12",
                "privileged": False,
                "pull_policy": ["if-not-present"],
                "shm_size": 268435456,
                "volumes": ["/cache", "/srv/maven:/root/.m2:rw"],
            },
            "cache": {"Type": "s3", "Shared": True, "s3": {"BucketName": "bench"}},
        }
        for number in range(1, count + 1)
    ]


def plays() -> dict[str, list[dict[str, t.Any]]]:
    """Return the playbooks by file name: the floor, and the role's two entry points in a play like it."""

    def entry(phase: str) -> dict[str, t.Any]:
        return {"name": phase, "ansible.builtin.import_role": {"name": ROLE, "tasks_from": phase}}

    def play(tasks: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
        return [{"name": "Bench", "hosts": GROUP, "gather_facts": True, "tasks": tasks}]

    return {
        FLOOR_PLAY: play([{"name": "Ping", "ansible.builtin.ping": {}}]),
        ROLE_PLAY: play([entry("register"), entry("configure")]),
    }


def inventory_name(count: int) -> str:
    """Name the inventory that declares N runners."""
    return f"runners-{count}"


def fleet_hosts(host: dict[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Return one machine under many names, each with a configuration of its own."""
    return {
        f"fleet-{number:02}": {**host, "gitlab_runner_config_path": f"/etc/gitlab-runner/fleet-{number:02}.toml"}
        for number in range(1, HOSTS + 1)
    }


def write(folder: Path, host: dict[str, t.Any], variables: dict[str, t.Any], counts: Iterable[int]) -> None:
    """Write the playbooks and an inventory for each N, the declaration as YAML in its group_vars."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, play in plays().items():
        write_private(folder / name, yaml.safe_dump(play, sort_keys=False))
    one = {"fleetwright-bench": host}
    _write_inventory(folder / FLOOR, one, {})
    for count in counts:
        _write_inventory(folder / inventory_name(count), one, {**variables, "gitlab_runner_runners": runners(count)})
    many = fleet_hosts(host)
    shared = {name: value for name, value in variables.items() if name != "gitlab_runner_config_path"}
    _write_inventory(folder / FLEET_FLOOR, many, {})
    _write_inventory(folder / FLEET, many, {**shared, "gitlab_runner_runners": runners(HOST_RUNNERS)})


def _write_inventory(folder: Path, hosts: dict[str, dict[str, t.Any]], declared: dict[str, t.Any]) -> None:
    group = folder / "group_vars"
    group.mkdir(parents=True, exist_ok=True)
    write_private(folder / "hosts.yml", yaml.safe_dump({GROUP: {"hosts": hosts}}, sort_keys=False))
    write_private(group / f"{GROUP}.yml", yaml.safe_dump(declared, sort_keys=False))
