# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the molecule scenarios one after another, each on fresh hosts, and record how many passed."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import sys
import time
import urllib.request

from gates import collection, outcome, places
from testbed import lifecycle
from testbed.errors import TestbedError
from testbed.gitlab_api.client import TwinClient

RECORD = places.RESULTS / "molecule.json"


@dataclasses.dataclass(frozen=True)
class Needs:
    """What a scenario needs: how long it may take on two cores (the sum is what CI has), its hosts, AWS or not."""

    budget_seconds: int
    hosts: int = 3
    servers: int = 0
    s3: bool = False
    aws: bool = False


SCENARIOS = {
    "aws_stack": Needs(150, hosts=0, aws=True),
    "runner_hosts": Needs(240),
    "runner_role": Needs(120),
    "runner_bad_input": Needs(120),
    "runner_secrets": Needs(120),
    "runner_upgrade": Needs(240),
    "server_package": Needs(120, hosts=0, servers=1),
    "server_bad_input": Needs(90, hosts=0, servers=1),
    "server_install": Needs(120, hosts=0, servers=1),
    "server_backup": Needs(240, hosts=0, servers=2, s3=True),
}
# How many times its budget a scenario may take before it is too slow for every day.
OVERDUE = 2.0
# Where molecule remembers that the hosts of an earlier run were prepared; these are new ones.
MEMORY = places.BUILD / "ansible" / "tmp"


def names() -> list[str]:
    """Every scenario there is."""
    return sorted(path.parent.name for path in (places.ROOT / "molecule").glob("*/molecule.yml"))


def environment(more: dict[str, str]) -> dict[str, str]:
    """The users' artifact, ssh as they use it, and results that a log can show."""
    return places.environment(
        {
            **more,
            "ANSIBLE_COLLECTIONS_PATH": str(collection.INSTALLED),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            "PY_COLORS": "0",
        }
    )


def brought_up(needs: Needs) -> dict[str, str]:
    """Fresh hosts, and AWS emptied, as the scenario needs them; returns what its programs find in their environment."""
    if needs.hosts or needs.servers:
        state = lifecycle.up(lifecycle.Wish(hosts=needs.hosts, servers=needs.servers, s3=needs.s3, fresh=True))
        TwinClient(state.api_url).reset()
    if not needs.aws:
        return {}
    from testbed.aws.server import environment as environment_of  # boto3 and moto come with it: only where it is used

    url = lifecycle.up_aws()
    urllib.request.urlopen(urllib.request.Request(f"{url}/-/twin/reset", method="POST")).close()
    return environment_of(url)


def run(name: str) -> bool:
    """Run one scenario; its whole output goes to a log, which is shown when it fails."""
    log = places.RESULTS / f"molecule-{name}.log"
    needs = SCENARIOS[name]
    print(f"  {name} ...", flush=True)
    with lifecycle.alone():  # all the while: another command could take the hosts away
        started = time.monotonic()
        archive, text = collection.build()
        if archive is None:
            raise TestbedError(f"The collection can't be built: {text}")
        env = environment(brought_up(needs))
        shutil.rmtree(MEMORY, ignore_errors=True)
        status, text = outcome.captured(["molecule", "test", "--scenario-name", name], env=env)
    log.write_text(text)
    seconds = time.monotonic() - started
    budget = needs.budget_seconds
    in_time = seconds <= budget * OVERDUE
    passed = status == 0 and in_time
    if status != 0:
        print(text[-12000:])
    elif not in_time:
        print(f"  {name} took {seconds:.0f} s; its budget is {budget} s. Make it quicker, or give it another budget.")
    print(
        f"  {name}: {'ok' if passed else 'FAILED'}, {seconds:.0f} s of {budget} s ({places.relative(log)})", flush=True
    )
    return passed


def main(wanted: list[str]) -> int:
    known = names()
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"No scenario {', '.join(unknown)}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    places.RESULTS.mkdir(parents=True, exist_ok=True)
    try:
        results = [run(name) for name in wanted or known]
    except TestbedError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1
    finally:
        if not os.environ.get("KEEP_TESTBED"):
            with lifecycle.alone():
                lifecycle.down(everything=False, force=False)
    passed = sum(results)
    pathlib.Path(RECORD).write_text(json.dumps({"passed": passed, "failed": len(results) - passed}))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
