# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of runner_upgrade: which versions they go between, and what they are like after a run."""

from __future__ import annotations

import dataclasses
import typing as t

from testbed.gitlab_api.client import TwinClient

from soaks import kills, places

INVENTORY = places.ROOT / "molecule" / "runner_upgrade" / "inventory"
STATE = "/var/lib/fleetwright/gitlab-runner"
LOOK = (
    'rpm -q --qf "%{VERSION} " gitlab-runner; systemctl is-active gitlab-runner; systemctl is-enabled gitlab-runner; '
    f'grep -h "^ .step" {STATE}/upgrade.json; ls {STATE}/drain.json {STATE}/may-stop '
    "/run/systemd/system/gitlab-runner.service.d/fleetwright-hold.conf 2>/dev/null"
)
NEWEST = "newest"


@dataclasses.dataclass(frozen=True)
class Versions:
    """From where to where; the widest step that the repository has."""

    old: str
    new: str

    @classmethod
    def offered(cls) -> Versions:
        found = places.state()["offers"]["gitlab-runner"]["versions"]
        return cls(found[0], found[-1])


def upgrade(version: str, *, token: bool = True, hosts: str = "", playbook: str = "runner_upgrade") -> kills.Run:
    """All hosts at once (or those named) to a version, as `-e` gives it: words."""
    more: dict[str, t.Any] = {"gitlab_runner_serial": "100%", "gitlab_runner_upgrade_version": version}
    if not token:
        more["gitlab_runner_api_token"] = ""
    return kills.Run(playbook, more, INVENTORY, hosts)


class NotBroughtError(Exception):
    """The hosts did not come to where a case begins; the text holds what was said."""


def brought(run: kills.Run, why: str) -> None:
    """Run a playbook that has to go well; raises NotBroughtError."""
    status, output = kills.finished(run)
    if status != 0:
        raise NotBroughtError(f"{why}: the hosts can't be brought to where it begins: {output[-3000:]}")


def paused(client: TwinClient) -> set[str]:
    """Names of the runners that are paused in GitLab, but for those that are declared so."""
    found = {str(one["description"]) for one in client.runners() if one["paused"]}
    return {name for name in found if not name.endswith("-rests")}


def differences(version: str, like: t.Mapping[str, tuple[str, str]]) -> list[str]:
    """What is not as it must be: each host's version, is-active and is-enabled, and nothing left half done."""
    wrong = []
    for name, address in places.hosts().items():
        if name not in like:
            continue
        words = places.on_host(address, LOOK).split()
        if words != [version, *like[name], '"step":', '"done",']:
            wrong.append(f"{name}: {' '.join(words)}")
    return wrong
