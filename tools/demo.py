# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From three empty hosts to runners that finish jobs: what a user of the collection does, told as it happens."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import typing as t

from gates import collection, places
from testbed import lifecycle, paths
from testbed.errors import TestbedError
from testbed.gitlab_api.client import TwinClient

LOG = places.RESULTS / "demo.log"
VARIABLES = places.ROOT / "tools" / "demo.yml"
JOBS = 6
JOB_SECONDS = 60.0
Stats = dict[str, dict[str, int]]


class DemoFailed(Exception):
    """A step did not end as it must; the text says which and where to look."""


def say(text: str = "") -> None:
    print(text, flush=True)


def playbook(name: str, *more: str) -> tuple[dict[str, t.Any], float]:
    """Run a playbook of the installed collection as its users do; return what it said, and its seconds."""
    argv = [
        "ansible-playbook",
        f"--inventory={paths.INVENTORY}",
        f"--extra-vars=@{VARIABLES}",
        f"fleetwright.gitlab_aws.{name}",
        *more,
    ]
    env = places.environment(
        {
            "ANSIBLE_COLLECTIONS_PATH": str(collection.INSTALLED),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        }
    )
    started = time.monotonic()
    done = subprocess.run(argv, cwd=places.ROOT, env=env, capture_output=True, text=True, check=False)
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(argv)}\n{done.stdout}{done.stderr}\n")
    if done.returncode != 0:
        raise DemoFailed(f"{name} failed. What it said is in {places.relative(LOG)}.")
    return json.loads(done.stdout), time.monotonic() - started


def changed(said: dict[str, t.Any]) -> int:
    return sum(host["changed"] for host in said["stats"].values())


def install() -> None:
    say("2. ansible-playbook fleetwright.gitlab_aws.runner_install")
    said, seconds = playbook("runner_install")
    hosts = len(said["stats"])
    say(f"   {hosts} hosts installed, registered and configured in {seconds:.0f} s ({changed(said)} changes).")
    said, seconds = playbook("runner_install")
    if changed(said):
        raise DemoFailed(f"The second run changed something. What it said is in {places.relative(LOG)}.")
    say(f"   The same again: nothing changed, {seconds:.0f} s.")


def run_jobs(twin: TwinClient) -> None:
    say(f"3. {JOBS} jobs, as pushes to a project would start them")
    ids = twin.add_jobs(JOBS // 2, script=["sleep 1", "echo done on $(hostname)"])
    ids += twin.add_jobs(JOBS // 2, script=["sleep 1", "echo built on $(hostname)"], tag_list=["build"])
    until = time.monotonic() + JOB_SECONDS
    while True:
        jobs = [job for job in twin.jobs() if job["id"] in ids]
        if all(job["status"] in ("success", "failed") for job in jobs):
            break
        if time.monotonic() > until:
            raise DemoFailed(f"Jobs did not end within {JOB_SECONDS:.0f} s: {jobs}")
        time.sleep(0.5)
    good = [job for job in jobs if job["status"] == "success" and job["handed_out"] == 1]
    if len(good) != JOBS:
        raise DemoFailed(f"{JOBS - len(good)} of {JOBS} jobs did not succeed: {jobs}")
    say(f"   {len(good)} taken, {len(good)} succeeded, on {len({job['system_id'] for job in jobs})} hosts.")


def status() -> None:
    say("4. ansible-playbook fleetwright.gitlab_aws.status")
    said, _seconds = playbook("status")
    tables = [play["tasks"][-1] for play in said["plays"] if play["tasks"]]  # a play without hosts has none
    if not tables:
        raise DemoFailed("status showed no table.")
    for task in tables:
        (table,) = task["hosts"].values()  # the task runs once, for all hosts
        for line in table["msg"]:
            say(f"   {line}")


def unregister(twin: TwinClient) -> None:
    say("5. ansible-playbook fleetwright.gitlab_aws.runner_unregister")
    playbook("runner_unregister")
    left = twin.runners()
    if left:
        raise DemoFailed(f"GitLab still has {len(left)} runners.")
    say("   No runner is left, in GitLab or on the hosts.")


def tell() -> None:
    started = time.monotonic()
    say("1. Three empty hosts, a signed package repository and a GitLab to talk to (no network needed)")
    state = lifecycle.up(lifecycle.Wish(hosts=3, fresh=True))
    archive, text = collection.build()
    if archive is None:
        raise DemoFailed(text)
    twin = TwinClient(state.api_url)
    twin.reset()
    install()
    run_jobs(twin)
    status()
    unregister(twin)
    say(f"All of it took {time.monotonic() - started:.0f} s. What was declared: {places.relative(VARIABLES)}.")


def main() -> int:
    places.RESULTS.mkdir(parents=True, exist_ok=True)
    LOG.unlink(missing_ok=True)
    with lifecycle.alone():  # all the while: another command could take the hosts away
        try:
            tell()
        except (DemoFailed, TestbedError) as error:
            say(f"demo: {error}")
            return 1
        finally:
            lifecycle.down(everything=False, force=False)
    say("Next: `make testbed-up` leaves such hosts running to play with, README.md says how.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
