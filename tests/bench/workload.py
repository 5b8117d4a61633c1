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
from testbed.hosts.inventory import GROUP, write_private

SIZES = (1, 10, 50)
INSTALL = "fleetwright.gitlab_aws.runner_install"
ROLE = "fleetwright.gitlab_aws.gitlab_runner"
FLOOR_PLAY = "floor.yml"
ROLE_PLAY = "register_and_configure.yml"
FLOOR = "floor"  # the inventory without a declaration


class UnknownCaseError(Exception):
    """Names the cases that there are."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One thing measured; `fresh` starts every run from nothing registered and no config.toml."""

    name: str
    playbook: str
    fresh: bool
    changes: bool


CASES = (
    Case("runner_first", ROLE_PLAY, fresh=True, changes=True),
    Case("runner_rerun", ROLE_PLAY, fresh=False, changes=False),
    Case("install_rerun", INSTALL, fresh=False, changes=False),
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
            "cache": {"Type": "s3", "Path": "bench", "Shared": True},
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


def write(folder: Path, host: dict[str, t.Any], variables: dict[str, t.Any], counts: Iterable[int]) -> None:
    """Write the playbooks and an inventory for each N, the declaration as YAML in its group_vars."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, play in plays().items():
        write_private(folder / name, yaml.safe_dump(play, sort_keys=False))
    declared: dict[str, dict[str, t.Any]] = {FLOOR: {}}
    for count in counts:
        declared[inventory_name(count)] = {**variables, "gitlab_runner_runners": runners(count)}
    for name, content in declared.items():
        group = folder / name / "group_vars"
        group.mkdir(parents=True, exist_ok=True)
        hosts = {GROUP: {"hosts": {"fleetwright-bench": host}}}
        write_private(folder / name / "hosts.yml", yaml.safe_dump(hosts, sort_keys=False))
        write_private(group / f"{GROUP}.yml", yaml.safe_dump(content, sort_keys=False))
