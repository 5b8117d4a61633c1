# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command on the host and says what it cost: its time, its largest process, what ran for it.

Copied into the bench's host and run by that host's own Python, so that the way into the container is not measured.
Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time


def emptied(name: str) -> pathlib.Path:
    """Return the log of that name, with nothing in it."""
    log = pathlib.Path(os.environ["BENCH_LOGS"]) / name
    log.write_bytes(b"")
    return log


def main() -> int:
    modules, commands, output = (emptied(name) for name in ("modules", "commands", "output"))
    with output.open("wb") as said:
        start = time.monotonic()
        process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    cost = {
        "status": os.waitstatus_to_exitcode(status),
        "seconds": seconds,
        # of the controller and of all that it started and waited for on the host
        "processor_seconds": usage.ru_utime + usage.ru_stime,
        # Linux counts the process and all it waited for, and keeps the largest.
        "largest_kib": usage.ru_maxrss,
        "modules": len(modules.read_bytes().splitlines()),
        "commands": [text for text in commands.read_text(errors="replace").split("\0") if text],
        "output": output.read_text(errors="replace"),
    }
    print(json.dumps(cost))
    return 0


if __name__ == "__main__":
    sys.exit(main())
