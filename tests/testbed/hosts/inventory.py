# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `up` leaves for others: an inventory for Ansible, and the state for programs."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from collections.abc import Mapping
from pathlib import Path

import yaml

from testbed import paths
from testbed.hosts import names, ssh

# Which package repository a group installs from, and what its role's variables are called after.
PACKAGES = {names.RUNNER.group: ("gitlab-runner", "runner"), names.SERVER.group: ("gitlab-ce", "server")}
WAY = {
    "ansible_user": ssh.USER,
    "ansible_ssh_private_key_file": str(paths.SSH_KEY),
    "ansible_ssh_common_args": ssh.arguments(),
    "ansible_python_interpreter": "/usr/bin/python3",
    "ansible_become": True,
}


@dataclasses.dataclass(frozen=True)
class Offer:
    """A package repository: its URL, its keys, the versions in it."""

    repo_url: str
    repo_gpgkeys: tuple[str, ...]
    versions: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class State:
    """A testbed that is up."""

    os: str
    image: str
    subnet: str
    gateway: str
    api_url: str
    admin_token: str
    offers: Mapping[str, Offer]
    repos: Mapping[str, str]
    hosts: Mapping[str, str]
    s3_url: str = ""

    def as_json(self) -> str:
        """Return the text of state.json."""
        ways = {"user": ssh.USER, "private_key_file": str(paths.SSH_KEY), "common_args": ssh.arguments()}
        content = dataclasses.asdict(self)
        content["hosts"] = {name: {"address": address} for name, address in self.hosts.items()}
        return json.dumps({"root": str(paths.ROOT), **content, "ssh": ways}, indent=2) + "\n"

    def inventory(self) -> dict[str, t.Any]:
        """Return the content of inventory.yml: a group for each kind of hosts there is."""
        groups: dict[str, t.Any] = {}
        for name, address in self.hosts.items():
            group = names.group(name)
            groups.setdefault(group, {"hosts": {}, "vars": {**WAY, **self._variables(group)}})
            groups[group]["hosts"][name] = {"ansible_host": address}
        return groups

    def _variables(self, group: str) -> dict[str, t.Any]:
        """Return what the roles of a group need to know of the testbed."""
        package, prefix = PACKAGES[group]
        offer = self.offers[package]
        found: dict[str, t.Any] = {
            f"gitlab_{prefix}_repo_baseurl": offer.repo_url,
            f"gitlab_{prefix}_repo_gpgkeys": list(offer.repo_gpgkeys),
            f"testbed_{prefix}_versions": list(offer.versions),
        }
        if group == names.RUNNER.group:
            found.update(gitlab_runner_url=self.api_url, gitlab_runner_api_token=self.admin_token)
        else:
            found.update(testbed_s3_url=self.s3_url)
        return found


def write_private(file: Path, text: str) -> None:
    """Write a file that holds the token: whole or not at all, for root's eyes only."""
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)
    part.write_text(text)
    part.rename(file)


def write(state: State) -> None:
    """Write both files."""
    write_private(paths.INVENTORY, yaml.safe_dump(state.inventory(), sort_keys=False))
    write_private(paths.STATE, state.as_json())


def read() -> dict[str, t.Any]:
    """Return what an earlier `up` left; empty when there is nothing."""
    if not paths.STATE.exists():
        return {}
    return dict(json.loads(paths.STATE.read_text()))
