# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts are called: runner1, runner2, ..., server1, ...; in podman with the testbed's own name before it."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from testbed import paths
from testbed.errors import TestbedError


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of hosts: the inventory's group they are in, and where in the network their addresses begin and end."""

    word: str
    group: str
    addresses: range

    def address(self, number: int) -> int:
        """Return the address number in the network of host N."""
        if not 1 <= number <= len(self.addresses):
            raise TestbedError(f"There is no {self.word}{number}: the testbed has up to {len(self.addresses)}.")
        return self.addresses[number - 1]


RUNNER = Kind("runner", "gitlab_runner", range(11, 200))
SERVER = Kind("server", "gitlab_server", range(201, 240))
BENCH_ADDRESS = 250
KINDS = {kind.word: kind for kind in (RUNNER, SERVER)}
PREFIX = f"{paths.NAME}-" if paths.NAME else ""
HOST = re.compile(rf"({'|'.join(KINDS)})([1-9]\d*)")


def container(host: str) -> str:
    """Return what podman calls a host of this testbed."""
    return PREFIX + host


def parse(name: str) -> t.Optional[tuple[Kind, int]]:
    """Return kind and number of a container that is a host of this testbed by its name."""
    found = HOST.fullmatch(name[len(PREFIX) :]) if name.startswith(PREFIX) else None
    return (KINDS[found[1]], int(found[2])) if found else None


def group(host: str) -> str:
    """Return the inventory's group that a host belongs to."""
    found = parse(container(host))
    if found is None:
        raise TestbedError(f"{host} is no name of a host: they are called {' or '.join(f'{word}N' for word in KINDS)}.")
    return found[0].group
