# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the matrices: `python -m soaks [--scenario NAME] [--seed N] [--quick]`.

A matrix that was stopped goes on where it was when it is started again with the same seed.
"""

from __future__ import annotations

import argparse
import json
import sys
import typing as t

from gates import collection
from testbed import lifecycle
from testbed.errors import TestbedError
from testbed.gitlab_api.client import TwinClient

from soaks import places, registration, runner_upgrade
from soaks.progress import Progress

SCENARIOS: dict[str, t.Any] = {one.NAME: one for one in (registration, runner_upgrade)}


def soak(name: str, seed: int) -> dict[str, t.Any]:
    """One matrix on hosts of its own; its record."""
    scenario = SCENARIOS[name]
    progress = Progress.resumed(name, places.PROGRESS / f"{name}-{seed}.json")
    with lifecycle.alone():
        archive, text = collection.build()
        if archive is None:
            raise TestbedError(f"The collection can't be built: {text}")
        state = lifecycle.up(lifecycle.Wish(hosts=scenario.HOSTS, fresh=True))
        TwinClient(state.api_url).reset()
        try:
            scenario.prepare()
            record: dict[str, t.Any] = scenario.soaked(scenario.cases(seed), progress, seed).record(seed)
            progress.path.unlink(missing_ok=True)  # the next one begins anew
            return record
        finally:
            lifecycle.down(everything=False, force=False)


def quick(name: str) -> int:
    """Each kind of kill once, on the hosts that a scenario runs on already."""
    scenario = SCENARIOS[name]
    progress = Progress(name, places.PROGRESS / f"{name}-quick.json")
    record = scenario.soaked(scenario.quick(), progress, seed=1).record(1)
    print(json.dumps(record))
    return int(record["jobs_lost"] > 0 or record["unexplained"] > 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="soaks", description=__doc__)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="each kind once, on a testbed that is up")
    args = parser.parse_args()
    if args.quick:
        return quick(args.scenario or runner_upgrade.NAME)
    try:
        records = [soak(name, args.seed) for name in ([args.scenario] if args.scenario else sorted(SCENARIOS))]
    except TestbedError as error:
        print(f"testbed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"Interrupted. With SEED={args.seed} it goes on where it was.", file=sys.stderr)
        return 130
    places.RESULT.write_text(json.dumps(records, indent=1) + "\n")
    print(json.dumps(records))
    return int(any(one["jobs_lost"] or one["records_lost"] or one["unexplained"] for one in records))


if __name__ == "__main__":
    sys.exit(main())
