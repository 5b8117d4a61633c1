# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the testbed that runs is described, and how its hosts and playbooks are reached."""

from __future__ import annotations

import json
import pathlib
import subprocess
import typing as t

from testbed import paths as testbed_paths
from testbed.hosts import ssh

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
RESULT = BUILD / "soak.json"
PROGRESS = BUILD / "soak"


def state() -> dict[str, t.Any]:
    """What `up` left of the testbed that runs."""
    return dict(json.loads(testbed_paths.STATE.read_text()))


def hosts() -> dict[str, str]:
    """Addresses by name."""
    return {name: str(host["address"]) for name, host in state()["hosts"].items()}


def on_host(address: str, script: str, timeout: float = 120) -> str:
    """Run a script as root on a host; its output, also when it fails."""
    argv = ssh.command(address, "sudo -n sh -s")
    done = subprocess.run(argv, input=script, capture_output=True, text=True, timeout=timeout, check=False)
    return done.stdout + done.stderr
