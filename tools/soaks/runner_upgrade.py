# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of runner_upgrade: every way to change versions, killed at every step, in every manner, then run again."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
import signal
import time
import typing as t

from testbed.errors import TestbedError
from testbed.gitlab_api.client import TwinClient

from soaks import feed, kills, places
from soaks.progress import Progress

NAME = "runner_upgrade"
HOSTS = 3
INVENTORY = places.ROOT / "molecule" / NAME / "inventory"
STATE = "/var/lib/fleetwright/gitlab-runner"
LOOK = (
    'rpm -q --qf "%{VERSION} " gitlab-runner; systemctl is-active gitlab-runner; systemctl is-enabled gitlab-runner; '
    f'grep -h "^ .step" {STATE}/upgrade.json; ls {STATE}/drain.json '
    "/run/systemd/system/gitlab-runner.service.d/fleetwright-hold.conf 2>/dev/null"
)
SETTLED = ["active", "enabled", '"step":', '"done",']


@dataclasses.dataclass(frozen=True)
class Case:
    """One kill: on the way to which version (or back), at which step, with which signal, with or without a token."""

    way: str
    step: str
    sign: str
    token: bool

    @property
    def key(self) -> str:
        return f"{self.way}-{self.step}-{self.sign}-{'token' if self.token else 'service'}"


@dataclasses.dataclass(frozen=True)
class Versions:
    """From where to where; the widest step that the repository has."""

    old: str
    new: str

    @classmethod
    def offered(cls) -> Versions:
        found = places.state()["versions"]
        return cls(found[0], found[-1])


def cases(seed: int) -> list[Case]:
    """Every case in an order that the seed gives."""
    ways, signs = ("up", "down", "back"), ("SIGKILL", "SIGTERM")
    found = [Case(*one) for one in itertools.product(ways, kills.STEPS, signs, (True, False))]
    random.Random(seed).shuffle(found)
    return found


def quick() -> list[Case]:
    """Each kind of kill once."""
    signs = itertools.cycle(("SIGKILL", "SIGKILL", "SIGKILL", "SIGTERM"))
    ways = itertools.cycle(("up", "down"))
    return [Case(way, step, sign, token=True) for step, sign, way in zip(kills.STEPS, signs, ways)]


def variables(case: Case, version: str) -> dict[str, t.Any]:
    more: dict[str, t.Any] = {"gitlab_runner_serial": 3, "gitlab_runner_upgrade_version": version}
    return more if case.token else {**more, "gitlab_runner_api_token": ""}


def prepared(case: Case, versions: Versions) -> kills.Run:
    """Bring the hosts to where the case begins; the run that will be killed."""
    start, goal = (versions.new, versions.old) if case.way == "down" else (versions.old, versions.new)
    status, output = kills.finished(kills.Run("runner_upgrade", variables(case, start), INVENTORY))
    if case.way == "back" and status == 0:
        status, output = kills.finished(kills.Run("runner_upgrade", variables(case, goal), INVENTORY))
    if status != 0:
        raise RuntimeError(f"{case.key}: the hosts can't be brought to where it begins: {output[-3000:]}")
    playbook = "runner_rollback" if case.way == "back" else "runner_upgrade"
    return kills.Run(playbook, variables(case, goal), INVENTORY)


def unexplained(case: Case, versions: Versions, paused: t.Sequence[str]) -> list[str]:
    """What is not as it must be after the second run."""
    goal = versions.new if case.way == "up" else versions.old
    found = []
    for name, address in places.hosts().items():
        words = places.on_host(address, LOOK).split()
        if words != [goal, *SETTLED]:
            found.append(f"{name}: {' '.join(words)}")
    return found + [f"{name} is still paused" for name in paused]


def tried(case: Case, versions: Versions, client: TwinClient) -> list[str]:
    """Kill one run, run it again, and say what is wrong then."""
    run = prepared(case, versions)
    address = next(iter(places.hosts().values()))
    outcome = kills.killed(run, case.step, address, signal.Signals[case.sign])
    time.sleep(1)
    status, output = kills.finished(run)
    paused = [one["description"] for one in client.runners() if one["paused"]]
    wrong = unexplained(case, versions, paused)
    if outcome != "killed":
        wrong.append(outcome)
    if status != 0:
        wrong.append(f"the second run failed: {output[-3000:]}")
    return wrong


def prepare() -> None:
    """Install the runners that will be upgraded."""
    status, output = kills.finished(kills.Run("runner_install", {}, INVENTORY))
    if status != 0:
        raise TestbedError(f"The runners can't be installed: {output[-3000:]}")


def soaked(todo: t.Sequence[Case], progress: Progress, seed: int) -> Progress:
    """Go through the cases that are left, each under a stream of jobs of its own."""
    client, versions = TwinClient(places.state()["api_url"]), Versions.offered()
    for case in todo:
        if case.key in progress.done:
            continue
        started = time.monotonic()
        out = places.PROGRESS / f"jobs-{case.key}.json"
        with feed.feeding(out, seed):
            wrong = tried(case, versions, client)
        ids = json.loads(out.read_text())["ids"]
        found = feed.settled(client, ids)
        progress.jobs += found.jobs
        progress.lost += [*found.failed, *found.twice, *found.unfinished]
        progress.done[case.key] = wrong
        progress.seconds += time.monotonic() - started
        progress.keep()
        print(
            f"  {case.key}: {found.jobs} jobs, {found.lost} lost{'; ' if wrong else ''}{'; '.join(wrong)}", flush=True
        )
    return progress
