# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The testbed's own network: a bridge whose gateway address is this machine's, where the servers listen."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

from testbed import paths
from testbed.errors import TestbedError
from testbed.hosts.podman import LABEL, Podman

NAME = f"fleetwright-testbed-{paths.NAME}" if paths.NAME else "fleetwright-testbed"


@dataclasses.dataclass(frozen=True)
class Network:
    """A network as podman made it."""

    subnet: str
    gateway: str
    owner: str

    def address(self, number: int) -> str:
        """Return an address in the network by its number there, which names.Kind knows for a host."""
        net = ipaddress.IPv4Network(self.subnet)
        address = net.network_address + number
        if address >= net.broadcast_address:
            raise TestbedError(f"The network {NAME} ({self.subnet}) has no address number {number}.")
        return str(address)


def from_listing(item: dict[str, t.Any]) -> Network:
    """Read podman's description of a network."""
    subnets = item.get("subnets") or []
    if not subnets or not subnets[0].get("gateway"):
        raise TestbedError(f"The network {NAME} has no subnet with a gateway. Remove it: `podman network rm {NAME}`.")
    labels = item.get("labels") or {}
    return Network(subnets[0]["subnet"], subnets[0]["gateway"], labels.get(LABEL, ""))


def find(podman: Podman) -> t.Optional[Network]:
    """Return the network if it is there."""
    attempt = "list podman's networks"
    names = [item["name"] for item in podman.listing(attempt, "network", "ls", "--format", "json")]
    if NAME not in names:
        return None
    return from_listing(podman.listing(f"read the network {NAME}", "network", "inspect", NAME)[0])


def ensure(podman: Podman) -> Network:
    """Return the network, made if it is not there; one that is not the testbed's own is left alone."""
    found = find(podman)
    if found is None:
        label = f"{LABEL}={paths.ROOT}"
        podman(f"make the network {NAME}", "network", "create", "--disable-dns", "--label", label, NAME)
        found = find(podman)
    if found is None or not found.owner:
        raise TestbedError(
            f"A network {NAME} exists that the testbed did not make. "
            f"If nothing of yours uses it: `podman network rm {NAME}`."
        )
    return found


def remove(podman: Podman) -> bool:
    """Remove the network if it is the testbed's."""
    found = find(podman)
    if found is None or not found.owner:
        return False
    podman(f"remove the network {NAME}", "network", "rm", NAME)
    return True
