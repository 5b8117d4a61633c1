# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which containers stay, go and come."""

from __future__ import annotations

from pathlib import Path

import pytest
from testbed import paths
from testbed.errors import TestbedError
from testbed.hosts import names
from testbed.hosts.containers import Container, Host, from_listing, plan
from testbed.hosts.network import Network
from testbed.hosts.network import from_listing as network_from_listing

MINE = str(paths.ROOT)


def _host(number: int, image_id: str = "sha256:1") -> Host:
    return Host(f"runner{number}", f"10.9.8.{10 + number}", "testbed:1", image_id, "ssh-ed25519 AAAA")


def _running(host: Host, owner: str = MINE, running: bool = True) -> Container:
    return Container(host.name, running, owner, host.spec())


HOSTS = [_host(1), _host(2)]


@pytest.mark.parametrize(
    ("present", "fresh", "started", "removed"),
    [
        pytest.param([], False, ["runner1", "runner2"], [], id="nothing-there"),
        pytest.param([_running(host) for host in HOSTS], False, [], [], id="all-there"),
        pytest.param(
            [_running(host) for host in HOSTS], True, ["runner1", "runner2"], ["runner1", "runner2"], id="fresh"
        ),
        pytest.param([_running(_host(1))], False, ["runner2"], [], id="one-more"),
        pytest.param([_running(_host(n)) for n in (1, 2, 3)], False, [], ["runner3"], id="one-less"),
        pytest.param(
            [_running(_host(1), running=False), _running(_host(2))], False, ["runner1"], ["runner1"], id="stopped"
        ),
        pytest.param(
            [_running(_host(1, "sha256:0")), _running(_host(2))], False, ["runner1"], ["runner1"], id="old-image"
        ),
        pytest.param([Container("bench", True, MINE, "")], False, ["runner1", "runner2"], [], id="no-host-of-ours"),
        pytest.param([Container("runner7", True, "", "")], False, ["runner1", "runner2"], [], id="stranger-elsewhere"),
    ],
)
def test_plan(present: list[Container], fresh: bool, started: list[str], removed: list[str]) -> None:
    todo, gone = plan(HOSTS, present, fresh=fresh)
    assert ([host.name for host in todo], gone) == (started, removed)


def test_a_strangers_container_is_never_removed() -> None:
    with pytest.raises(TestbedError, match="podman rm --force runner2"):
        plan(HOSTS, [Container("runner2", True, "", "")], fresh=True)


def test_podmans_listing_is_read() -> None:
    labels = {"fleetwright.testbed": "/checkout", "fleetwright.testbed.spec": "abc"}
    item = {"Names": ["runner12"], "State": "running", "Labels": labels}
    found = from_listing(item)
    assert found == Container("runner12", True, "/checkout", "abc")
    assert found.host == (names.RUNNER, 12)
    assert from_listing({"Names": ["db"], "State": "exited", "Labels": None}) == Container("db", False, "", "")


def test_network_addresses_are_fixed_and_end() -> None:
    listing = {"subnets": [{"subnet": "10.9.8.0/24", "gateway": "10.9.8.1"}], "labels": {"fleetwright.testbed": MINE}}
    net = network_from_listing(listing)
    assert net == Network("10.9.8.0/24", "10.9.8.1", MINE)
    assert [net.address(number) for number in (11, 13, 254)] == ["10.9.8.11", "10.9.8.13", "10.9.8.254"]
    with pytest.raises(TestbedError, match="no address number 255"):
        net.address(255)


@pytest.mark.parametrize(
    "listing", [{"subnets": []}, {"subnets": [{"subnet": "10.9.8.0/24"}]}], ids=["none", "internal"]
)
def test_a_network_without_gateway_is_refused(listing: dict[str, object]) -> None:
    with pytest.raises(TestbedError, match="no subnet with a gateway"):
        network_from_listing(listing)


def test_the_way_to_the_key_is_part_of_what_a_host_is() -> None:
    arguments = _host(1).arguments()
    assert arguments[arguments.index("--ip") + 1] == "10.9.8.11"
    assert any(Path(word.split(":")[0]).name == "id_ed25519.pub" for word in arguments)
