# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts themselves: containers with systemd as their first process."""

from __future__ import annotations

import dataclasses
import hashlib
import socket
import typing as t
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from testbed import paths, programs
from testbed.errors import TestbedError
from testbed.hosts import names, ssh
from testbed.hosts.network import NAME as NETWORK
from testbed.hosts.network import Network
from testbed.hosts.podman import LABEL, Podman

SPEC_LABEL = f"{LABEL}.spec"
NAME_LABEL = f"{LABEL}.name"
PARALLEL = 4
READY_SECONDS = 60


@dataclasses.dataclass(frozen=True)
class Container:
    """What podman says about a container."""

    name: str
    running: bool
    owner: str
    spec: str
    testbed: str = ""

    @property
    def host(self) -> t.Optional[tuple[names.Kind, int]]:
        """Kind and number of a host of this testbed; None for any other container."""
        return names.parse(self.name)

    @property
    def concerns_us(self) -> bool:
        """Tells a container of this checkout or of this testbed's name from those of other testbeds and strangers."""
        same_name = bool(self.owner) and self.testbed == paths.NAME
        return self.owner == str(paths.ROOT) or same_name or (not self.owner and self.host is not None)


@dataclasses.dataclass(frozen=True)
class Host:
    """A host as it shall be."""

    name: str
    address: str
    image: str
    image_id: str
    public_key: str

    def arguments(self) -> list[str]:
        """Return the options of `podman run`."""
        key = f"{ssh.public_key_file()}:/etc/ssh/testbed_authorized_keys:ro"
        where = ["--network", NETWORK, "--ip", self.address, "--volume", key]
        return ["--name", names.container(self.name), "--hostname", self.name, "--systemd=always", *where]

    def spec(self) -> str:
        """Name everything that a running container must have been started with to be this host."""
        text = "\n".join([*self.arguments(), self.image_id, self.public_key, str(paths.ROOT)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def from_listing(item: dict[str, t.Any]) -> Container:
    """Read podman's description of a container."""
    labels = item.get("Labels") or {}
    running = item.get("State") == "running"
    spec, testbed = labels.get(SPEC_LABEL, ""), labels.get(NAME_LABEL, "")
    return Container(item["Names"][0], running, labels.get(LABEL, ""), spec, testbed)


def find(podman: Podman) -> list[Container]:
    """List the containers that belong to this checkout or testbed, or have a name that one of its hosts needs."""
    every = podman.listing("list podman's containers", "ps", "--all", "--format", "json")
    found = [from_listing(item) for item in every]
    return sorted((one for one in found if one.concerns_us), key=lambda one: (len(one.name), one.name))


def plan(hosts: Sequence[Host], present: Iterable[Container], *, fresh: bool) -> tuple[list[Host], list[str]]:
    """Return which hosts are to be started and which have to go before; other containers of the testbed stay."""
    by_name = {one.name: one for one in present}
    wanted = {names.container(host.name) for host in hosts}
    strange = [one.name for one in by_name.values() if not one.owner and one.name in wanted]
    if strange:
        raise TestbedError(
            f"Containers that the testbed did not start have its names: {', '.join(strange)}. "
            f"If you don't need them: `podman rm --force {' '.join(strange)}`."
        )
    kept = set()
    for host in hosts:
        one = by_name.get(names.container(host.name))
        if one and one.running and one.spec == host.spec() and not fresh:
            kept.add(one.name)
    gone = [one.name for one in by_name.values() if one.owner and one.host and one.name not in kept]
    return [host for host in hosts if names.container(host.name) not in kept], gone


def start(podman: Podman, host: Host) -> None:
    """Start one host; it is ready later."""
    labels = [*owner_labels(), "--label", f"{SPEC_LABEL}={host.spec()}"]
    podman(f"start the host {host.name}", "run", "--detach", *host.arguments(), *labels, host.image, "/sbin/init")


def owner_labels() -> list[str]:
    """Return the options that mark a container as this checkout's and this testbed's."""
    return ["--label", f"{LABEL}={paths.ROOT}", "--label", f"{NAME_LABEL}={paths.NAME}"]


def _sshd_answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


STARTED = "sudo -n systemctl is-system-running --wait || { sudo -n systemctl --failed --no-legend; exit 1; }"
REACHED = "sudo -n true"


def wait_until_ready(podman: Podman, host: Host, question: str) -> None:
    """Wait until the host can be worked with: sshd lets us in, sudo asks nothing, and the question is answered."""
    if not programs.wait_for(lambda: _sshd_answers(host.address), READY_SECONDS):
        state = podman(f"ask {host.name} for its state", "logs", "--tail", "20", names.container(host.name))
        raise TestbedError(f"{host.name} ({host.address}) has no sshd after {READY_SECONDS} s. Its log ends:\n{state}")
    attempt = f"work on {host.name} ({host.address})"
    programs.run(ssh.command(host.address, question), attempt, timeout=READY_SECONDS)


def start_all(podman: Podman, hosts: Sequence[Host]) -> None:
    """Start hosts, several at once."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(lambda host: start(podman, host), hosts))


def wait_for_all(podman: Podman, hosts: Sequence[Host], new: Sequence[Host]) -> None:
    """Wait for hosts, several at once. A new one has every unit running; on one in use a unit may have failed."""
    questions = [STARTED if host in new else REACHED for host in hosts]
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(lambda host, question: wait_until_ready(podman, host, question), hosts, questions))


def remove(podman: Podman, names: Sequence[str]) -> None:
    """Remove containers at once, whatever runs in them."""
    if names:
        podman(f"remove {', '.join(names)}", "rm", "--force", "--time", "0", *names)


def make_host(kind: names.Kind, number: int, network: Network, image: str, image_id: str) -> Host:
    """Describe host number N of a kind."""
    address = network.address(kind.address(number))
    return Host(f"{kind.word}{number}", address, image, image_id, ssh.public_key_file().read_text())
