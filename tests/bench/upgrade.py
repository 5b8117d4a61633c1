# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The case runner_upgrade: three hosts upgraded one after another under a stream of jobs."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import time
import typing as t

from gates import places
from soaks import feed, kills, runner_upgrade
from soaks import places as soak_places
from testbed import lifecycle
from testbed.gitlab_api.client import TwinClient

from bench.series import RunFailedError

NAME = "runner_upgrade"
HOSTS = 3


@dataclasses.dataclass(frozen=True)
class UpgradeRecord:
    """One measurement; idle_seconds is the longest that a host took no jobs, beyond drain and package transaction."""

    case: str
    n: int
    seconds: float
    jobs_taken: int
    jobs_lost: int
    idle_seconds: float

    def as_json(self) -> dict[str, t.Any]:
        return {key: round(value, 3) if isinstance(value, float) else value for key, value in vars(self).items()}


def idle_seconds(output: str) -> list[float]:
    """What each host's upgrade says of itself, from the output of the json callback."""
    plays = json.loads(output[output.index("{") :])["plays"]
    results = [host for play in plays for task in play["tasks"] for host in task["hosts"].values()]
    return [float(one["idle_seconds"]) for one in results if "idle_seconds" in one]


def measure() -> UpgradeRecord:
    """Bring hosts up, install the oldest version, upgrade to the newest while jobs come in."""
    with lifecycle.alone():
        state = lifecycle.up(lifecycle.Wish(hosts=HOSTS, fresh=True))
        client = TwinClient(state.api_url)
        client.reset()
        try:
            return _measured(client)
        finally:
            lifecycle.down(everything=False, force=False)


def _measured(client: TwinClient) -> UpgradeRecord:
    inventory = runner_upgrade.INVENTORY
    status, output = kills.finished(kills.Run("runner_install", {}, inventory))
    if status != 0:
        raise RunFailedError(f"The runners can't be installed: {output[-3000:]}")
    out = places.BUILD / "bench" / "jobs.json"
    started = time.monotonic()
    with feed.feeding(out):
        wish = {"gitlab_runner_upgrade_version": "newest", "gitlab_runner_serial": 1}
        run = kills.Run("runner_upgrade", wish, inventory)
        env = {**kills.environment(), "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
        done = subprocess.run(run.argv(), env=env, capture_output=True, text=True, timeout=900, check=False)
        seconds = time.monotonic() - started
    if done.returncode != 0:
        raise RunFailedError(f"The upgrade failed: {(done.stdout + done.stderr)[-3000:]}")
    found = feed.settled(client, json.loads(out.read_text())["ids"])
    return UpgradeRecord(
        NAME, len(soak_places.hosts()), seconds, found.jobs, found.lost, max(idle_seconds(done.stdout))
    )


def line(record: UpgradeRecord) -> str:
    return (
        f"{record.case}: {record.n} hosts in {record.seconds:.1f} s, {record.jobs_taken} jobs, "
        f"{record.jobs_lost} lost, a host idle for {record.idle_seconds:.2f} s at most"
    )
