# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the testbed needs on the machine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from testbed import paths
from testbed.errors import TestbedError

LIST = paths.SOURCE / "apt-packages.txt"
WATCHES_A_HOST = 4  # two of systemd, one each of dbus and logind: counted on a host
WATCHES_OF_OTHERS = 16


def needed(text: str) -> list[str]:
    """Read the list: a package a line, comments and blank lines allowed."""
    lines = (line.split("#", 1)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def missing(names: Iterable[str], answer: str) -> list[str]:
    """Compare the names with what dpkg-query answered ("name status" a line)."""
    installed = {line.split()[0] for line in answer.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in installed]


def check_watches(hosts: int, limit: int) -> None:
    """Fail where the kernel grants fewer file watches than so many systemds take: their units would fail."""
    wanted = hosts * WATCHES_A_HOST + WATCHES_OF_OTHERS
    if wanted > limit:
        raise TestbedError(
            f"{hosts} hosts take more inotify instances than this machine grants ({limit}). "
            f"Take fewer hosts, or: `sysctl fs.inotify.max_user_instances={wanted}`."
        )


def watch_limit() -> int:
    """Return how many inotify instances a user may have here."""
    return int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())


def check() -> None:
    """Fail with one sentence that names what is missing."""
    if not shutil.which("dpkg-query"):
        raise TestbedError("The testbed runs on Debian and its like: this machine has no dpkg-query.")
    names = needed(LIST.read_text())
    query = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names]
    # It ends with 1 when one of them is not known at all; what it prints counts.
    answer = subprocess.run(query, capture_output=True, text=True, check=False).stdout
    lacking = missing(names, answer)
    if lacking:
        raise TestbedError(f"The testbed needs missing Debian packages: `apt-get install {' '.join(lacking)}`.")
