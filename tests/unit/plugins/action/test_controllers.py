# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several controllers work on one host at once: they take turns, and each finds what the other has done."""

from __future__ import annotations

import pathlib
import shutil
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from testbed.gitlab_api import TwinServer
from unit.plugins.action.plays import SERVICE, Host, Task, changed


@pytest.fixture
def hosts(tmp_path: pathlib.Path, twin: TwinServer) -> list[Host]:
    """Two controllers of one host: folders of their own, one config.toml."""
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        found.append(Host(tmp_path / name, twin))
    shutil.rmtree(found[1].path.parent)
    found[1].path = found[0].path
    return found


def task(host: Host, names: t.Sequence[str], **more: t.Any) -> Task:
    runners = [{"name": name, "runner_type": "instance_type", "executor": "shell"} for name in names]
    options = {
        "api_url": host.twin.url, "api_token": host.twin.admin_token, "runners": runners,
        "config_path": str(host.path), "service": SERVICE, **more,
    }  # fmt: skip
    return "gitlab_runner_registration", options


def test_the_same_runners_at_once(hosts: list[Host]) -> None:
    twin = hosts[0].twin
    twin.client.set_latency(0.3)
    with ThreadPoolExecutor() as pool:
        outputs = list(pool.map(lambda host: host.run(task(host, ["a", "b"])), hosts))
    twin.client.set_latency(0)
    assert sorted(map(changed, outputs)) == [0, 1]
    runners = {one["description"]: one["token"] for one in twin.client.runners()}
    assert len(twin.client.runners()) == len(runners) == 2
    assert {one["name"]: one["token"] for one in hosts[0].config["runners"]} == runners
    assert [path.name for path in hosts[0].path.parent.glob(".config*")] == []


def test_renewed_tokens_at_once(hosts: list[Host]) -> None:
    """Each renewal kills the token of the one before: the last one must be the one on disk."""
    twin = hosts[0].twin
    hosts[0].run(task(hosts[0], ["a"]))
    twin.client.set_latency(0.3)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: host.run(task(host, ["a"], rotate_tokens=True)), hosts))
    twin.client.set_latency(0)
    assert [one["token"] for one in hosts[0].config["runners"]] == [one["token"] for one in twin.client.runners()]
