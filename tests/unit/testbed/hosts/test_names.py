# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts are called, and which containers belong to another testbed."""

from __future__ import annotations

import pytest
from testbed import lifecycle, paths
from testbed.errors import TestbedError
from testbed.hosts import names
from testbed.hosts.containers import Container

MINE = str(paths.ROOT)


@pytest.fixture(autouse=True)
def unnamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "PREFIX", "")
    monkeypatch.setattr(paths, "NAME", "")


@pytest.mark.parametrize(
    ("prefix", "name", "found"),
    [
        ("", "runner1", (names.RUNNER, 1)),
        ("", "server12", (names.SERVER, 12)),
        ("", "blue-runner1", None),
        ("", "runner0", None),
        ("", "db1", None),
        ("blue-", "blue-server2", (names.SERVER, 2)),
        ("blue-", "runner1", None),
    ],
)
def test_names(monkeypatch: pytest.MonkeyPatch, prefix: str, name: str, found: object) -> None:
    monkeypatch.setattr(names, "PREFIX", prefix)
    assert names.parse(name) == found


def test_kinds_have_addresses_of_their_own() -> None:
    every = [number for kind in names.KINDS.values() for number in kind.addresses] + [names.BENCH_ADDRESS]
    assert len(every) == len(set(every))
    assert (names.RUNNER.address(1), names.SERVER.address(1)) == (11, 201)
    with pytest.raises(TestbedError, match="There is no server40"):
        names.SERVER.address(40)


def test_groups() -> None:
    assert (names.group("runner3"), names.group("server1")) == ("gitlab_runner", "gitlab_server")
    with pytest.raises(TestbedError, match="runnerN or serverN"):
        names.group("db1")


@pytest.mark.parametrize(
    ("container", "ours"),
    [
        (Container("runner1", True, MINE, "", ""), True),
        (Container("runner1", True, "/other", "", ""), True),
        (Container("runner1", True, "", "", ""), True),
        (Container("blue-runner1", True, "/other", "", "blue"), False),
        (Container("blue-runner1", True, MINE, "", "blue"), True),
        (Container("db", True, "", "", ""), False),
    ],
)
def test_containers_of_other_testbeds_are_left_alone(container: Container, ours: bool) -> None:
    assert container.concerns_us is ours


@pytest.mark.parametrize("text", ["1st", "Blue", "a b", "-x", "x" * 22])
def test_a_bad_name_is_refused(text: str) -> None:
    with pytest.raises(TestbedError, match=r"use up to 21 small letters"):
        paths._name(text)


RUNNING = [Container("runner1", True, MINE, ""), Container("server1", True, MINE, "")]


@pytest.mark.parametrize(
    ("wish", "present", "count"),
    [
        (lifecycle.Wish(), [], {"runner": 3}),
        (lifecycle.Wish(), RUNNING, {"runner": 1, "server": 1}),
        (lifecycle.Wish(hosts=2), RUNNING, {"runner": 2, "server": 1}),
        (lifecycle.Wish(hosts=2), [], {"runner": 2, "server": 0}),
        (lifecycle.Wish(servers=1), [], {"runner": 0, "server": 1}),
        (lifecycle.Wish(hosts=0, servers=2), RUNNING, {"runner": 0, "server": 2}),
    ],
)
def test_how_many(wish: lifecycle.Wish, present: list[Container], count: dict[str, int]) -> None:
    assert lifecycle._how_many(wish, present) == count
