# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a testbed that runs is used, and that what was started is taken away."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from bench import machine
from testbed import lifecycle, servers
from testbed.errors import TestbedError
from testbed.hosts import containers, inventory, network
from testbed.hosts.network import Network

NET = Network("10.89.0.0/24", "127.0.0.1", "/checkout")


class Pretended:
    """A podman that notes what it is asked; the words in `refuse` make a call fail."""

    def __init__(self, refuse: str = "") -> None:
        self.refuse = refuse

    def __call__(self, attempt: str, *words: str) -> str:
        CALLS.append(words[0] if words[0] != "run" else f"run {words[words.index('--name') + 1]}")
        return ""

    def quietly(self, *words: str) -> bool:
        return not (self.refuse and self.refuse in words)


CALLS: list[str] = []


@pytest.fixture
def podman(monkeypatch: pytest.MonkeyPatch) -> Pretended:
    pretended = Pretended()

    @contextmanager
    def alone() -> Iterator[None]:
        yield

    def note(what: str) -> t.Callable[..., None]:
        return lambda *_words, **_named: CALLS.append(what)

    CALLS.clear()
    monkeypatch.setattr(machine, "Podman", lambda: pretended)
    monkeypatch.setattr(machine.Machine, "_furnish", lambda _self: None)
    monkeypatch.setattr(lifecycle, "alone", alone)
    monkeypatch.setattr(lifecycle, "up", note("up"))
    monkeypatch.setattr(lifecycle, "down", note("down"))
    monkeypatch.setattr(servers, "ensure", note("api"))
    monkeypatch.setattr(servers, "stop", note("stop api"))
    monkeypatch.setattr(containers, "remove", note("remove"))
    monkeypatch.setattr(network, "find", lambda _podman: NET)
    monkeypatch.setattr(inventory, "read", lambda: {"image": "localhost/x:1"})
    return pretended


@pytest.mark.parametrize(
    ("pid", "before", "after"),
    [pytest.param(77, [], [], id="runs-already"), pytest.param(None, ["up"], ["down"], id="nothing-runs")],
)
@pytest.mark.parametrize("broken", [False, True], ids=["all-well", "a-run-fails"])
def test_a_testbed_that_runs_is_used_and_left(
    podman: Pretended,
    monkeypatch: pytest.MonkeyPatch,
    pid: int | None,
    before: list[str],
    after: list[str],
    broken: bool,
) -> None:
    monkeypatch.setattr(servers, "running_pid", lambda _name: pid)

    def work() -> None:
        with machine.machine():
            CALLS.append("measure")
            if broken:
                raise TestbedError("a run failed")

    if broken:
        with pytest.raises(TestbedError):
            work()
    else:
        work()
    assert [*before, "api", "run fleetwright-bench", "exec", "measure", "remove", "stop api", *after] == CALLS


def test_an_image_that_cannot_run_the_controllers_python_is_named(
    podman: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "running_pid", lambda _name: 77)
    podman.refuse = machine.CONTROLLER
    with pytest.raises(TestbedError, match="The image localhost/x:1 can't run"), machine.machine():
        pass
    assert CALLS[-2:] == ["remove", "stop api"]
