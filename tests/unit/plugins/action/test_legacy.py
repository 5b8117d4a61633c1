# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Legacy registration tokens: an explicit choice, said to be deprecated, and as safe as any other create."""

from __future__ import annotations

import typing as t

import pytest
from unit.plugins.action.plays import SERVICE, Host, Task, changed

OLD = {"name": "old", "executor": "shell", "tag_list": ["legacy"], "run_untagged": False, "maintenance_note": "ours"}
LOST = {"method": "POST", "path": "/api/v4/runners$", "after": True, "times": 1}
REFUSING = "#!/bin/sh\necho '  unknown key: x.y' >&2\nexit 1\n"


@pytest.fixture
def token(host: Host) -> str:
    host.twin.client.set_settings(registration_tokens=True)
    return str(host.twin.client.registration_tokens()["groups"]["10"])


def task(host: Host, token: str, *, access: bool = False, **runner: t.Any) -> Task:
    options = {
        "api_url": host.twin.url, "runners": [{**OLD, **runner}], "config_path": str(host.path), "service": SERVICE,
        "registration_token": token, **({"api_token": host.twin.admin_token} if access else {}),
    }  # fmt: skip
    return "gitlab_runner_registration", options


def test_registered_once_without_an_access_token(host: Host, token: str) -> None:
    assert changed(host.run(task(host, token), flags=["--check"])) == 1
    assert host.twin.client.runners() == []
    output = host.run(task(host, token), flags=["-vvvv", "--diff"])
    (runner,) = host.twin.client.runners()
    (entry,) = host.config["runners"]
    assert (entry["id"], entry["token"]) == (runner["id"], runner["token"])
    assert (runner["runner_type"], runner["tag_list"], runner["maintenance_note"][:4]) == (
        "group_type",
        ["legacy"],
        "ours",
    )
    assert "plans to remove them in 20.0" in " ".join(output.split())
    assert [secret for secret in (token, runner["token"]) if secret in output] == []

    again = host.run(task(host, token))
    assert (changed(again), len(host.twin.client.runners())) == (0, 1)
    assert changed(host.run(task(host, token, access=True, tag_list=["new"]))) == 1
    assert changed(host.run(task(host, token, access=True, state="absent"))) == 1
    assert host.twin.client.runners() == []


def test_a_lost_answer_makes_no_second_runner(host: Host, token: str) -> None:
    host.twin.client.set_faults([LOST])
    host.run(task(host, token), rc=2)
    output = host.run(task(host, token), rc=2)
    assert "an earlier run was stopped while it created this runner" in " ".join(output.split())
    assert len(host.twin.client.runners()) == 1
    assert changed(host.run(task(host, token, access=True))) == 1
    (runner,) = host.twin.client.runners()
    assert [(one["id"], one["token"]) for one in host.config["runners"]] == [(runner["id"], runner["token"])]


def test_what_can_not_be_kept_is_deleted_by_its_own_token(host: Host, token: str) -> None:
    host.program("gitlab-runner", REFUSING)
    assert "deleted again" in " ".join(host.run(task(host, token), rc=2).split())
    assert host.twin.client.runners() == []
    assert [path.name for path in host.path.parent.iterdir()] == [".runner_system_id"]
