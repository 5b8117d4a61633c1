# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of runner_upgrade: every way, killed at every step and run again; every situation that it may find."""

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

from soaks import feed, fleet, kills, places, situations
from soaks.progress import Progress

NAME = "runner_upgrade"
HOSTS = 3
INVENTORY = fleet.INVENTORY


class Case(t.Protocol):
    """One case of the matrix."""

    @property
    def key(self) -> str: ...

    @property
    def kinds(self) -> tuple[int, int]: ...

    def tried(self, client: TwinClient) -> tuple[list[str], list[int]]: ...


@dataclasses.dataclass(frozen=True)
class Kill:
    """One kill: on the way to which version (or back), at which step, with which signal, with or without a token.

    hosts names those that take part; all where it is empty.
    """

    way: str
    step: str
    sign: str
    token: bool
    hosts: str = ""

    @property
    def key(self) -> str:
        return f"{self.way}-{self.step}-{self.sign}-{'token' if self.token else 'service'}"

    @property
    def kinds(self) -> tuple[int, int]:
        """Kills and faults."""
        return 1, 0

    def _run(self, version: str, playbook: str = "runner_upgrade") -> kills.Run:
        return fleet.upgrade(version, token=self.token, hosts=self.hosts, playbook=playbook)

    def prepared(self, versions: fleet.Versions) -> kills.Run:
        """Bring the hosts to where the case begins; the run that will be killed."""
        start, goal = (versions.new, versions.old) if self.way == "down" else (versions.old, fleet.NEWEST)
        fleet.brought(self._run(start), self.key)
        if self.way == "back":
            fleet.brought(self._run(goal), self.key)
        return self._run(goal, "runner_rollback" if self.way == "back" else "runner_upgrade")

    def tried(self, client: TwinClient) -> tuple[list[str], list[int]]:
        """Kill one run, run it again, and say what is wrong then."""
        versions = fleet.Versions.offered()
        run = self.prepared(versions)
        names = [self.hosts] if self.hosts else sorted(places.hosts())
        outcome = kills.killed(run, self.step, places.hosts()[names[0]], signal.Signals[self.sign])
        time.sleep(1)
        status, output = kills.finished(run)
        goal = versions.new if self.way == "up" else versions.old
        wrong = fleet.differences(goal, dict.fromkeys(names, ("active", "enabled")))
        wrong += [f"{one} is still paused" for one in fleet.paused(client)]
        if outcome != "killed":
            wrong.append(outcome)
        if status != 0:
            wrong.append(f"the second run failed: {output[-3000:]}")
        return wrong, []


def cases(seed: int) -> list[Case]:
    """Every case in an order that the seed gives."""
    ways, signs = ("up", "down", "back"), ("SIGKILL", "SIGTERM")
    kinds = [Kill(*one) for one in itertools.product(ways, kills.STEPS, signs, (True, False))]
    found: list[Case] = [*kinds, *situations.groups()]
    random.Random(seed).shuffle(found)
    return found


def quick() -> list[Case]:
    """Each kind of kill once, on one host while the others work."""
    signs = itertools.cycle(("SIGKILL", "SIGKILL", "SIGKILL", "SIGTERM"))
    ways = itertools.cycle(("up", "down"))
    return [Kill(way, step, sign, token=True, hosts="runner1") for step, sign, way in zip(kills.STEPS, signs, ways)]


def prepare() -> None:
    """Install the runners that will be upgraded."""
    status, output = kills.finished(kills.Run("runner_install", {}, INVENTORY))
    if status != 0:
        raise TestbedError(f"The runners can't be installed: {output[-3000:]}")


def soaked(todo: t.Sequence[Case], progress: Progress, seed: int) -> Progress:
    """Go through the cases that are left, each under a stream of jobs of its own."""
    client = TwinClient(places.state()["api_url"])
    for case in todo:
        if case.key in progress.done:
            continue
        started = time.monotonic()
        out = places.PROGRESS / f"jobs-{case.key}.json"
        with feed.feeding(out, seed):
            try:
                wrong, more = case.tried(client)
            except fleet.NotBroughtError as error:
                wrong, more = [str(error)], []
        ids = [*json.loads(out.read_text())["ids"], *more]
        found = feed.settled(client, ids)
        progress.unkilled += not case.kinds[0]
        progress.faults += case.kinds[1]
        progress.jobs += found.jobs
        progress.lost += [*found.failed, *found.twice, *found.unfinished]
        progress.done[case.key] = wrong
        progress.seconds += time.monotonic() - started
        progress.keep()
        print(
            f"  {case.key}: {found.jobs} jobs, {found.lost} lost{'; ' if wrong else ''}{'; '.join(wrong)}", flush=True
        )
    return progress
