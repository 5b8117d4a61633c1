# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the testbed keeps its files: caches that outlive it, and what belongs to the one that runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

from testbed.errors import TestbedError


def _name(text: str) -> str:
    if not re.fullmatch(r"([a-z][a-z0-9-]{0,20})?", text):
        raise TestbedError(f"TESTBED_NAME={text}: use up to 21 small letters, digits and dashes, a letter first.")
    return text


# Testbeds of several checkouts can run beside each other when each has a name; without one there is one on a machine.
NAME = _name(os.environ.get("TESTBED_NAME", ""))
ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "testbed"
CACHE = ROOT / "build" / "cache" / "testbed"  # image recipes, repositories, signing keys
RUN = ROOT / "build" / "testbed"  # gone after `down`, but for its logs
LOGS = RUN / "logs"
SERVERS = RUN / "servers"
SSH_KEY = RUN / "ssh" / "id_ed25519"
API_DATABASE = RUN / "gitlab.sqlite"
WWW = RUN / "www"  # links to the repositories that are served
INVENTORY = RUN / "inventory.yml"
STATE = RUN / "state.json"
# A socket's path may have 107 characters only, fewer than a checkout's path can have.
SSH_CONTROL = Path("/run") / (f"fleetwright-testbed-{NAME}" if NAME else "fleetwright-testbed")
