# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the entries on disk say of declared runners, and of runners that nobody declares."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_entries import (
    Disk,
    Doubled,
    PlanError,
    entries_of,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import Declared
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._known import Known, known_from, undeclared

NEW = Declared("a", api={"runner_type": "instance_type", "description": "a"})
SHARED = Declared("a", token="glrt-shared00")
DISK = Known(8, "glrt-onDisk000", on_disk=True)
HAND = Known(0, "glrt-byHand000", on_disk=True)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://a", True), ("https://a/", True), ("https://a/ci", True), ("https://A/api/v4", True), ("", True),
        ("https://b", False), ("https://a/gitlab", False), ("http://a", False),
    ],
)  # fmt: skip
def test_same_gitlab(url: str, same: bool) -> None:
    config = {"runners": [{"name": "a", "id": 8, "token": "glrt-onDisk000", "url": url}]}
    assert known_from(disk(config), NEW, urls=["https://a"]).same_gitlab is same
    assert [one.name for one in undeclared(config, [], ["https://a"])] == (["a"] if same and url else [])


def disk(config: dict[str, t.Any]) -> Disk:
    return Disk(entries_of(config), "f")


@pytest.mark.parametrize(
    ("config", "known"),
    [
        pytest.param({}, Known(), id="nothing"),
        pytest.param({"runners": [{"name": "b", "id": 1, "token": "t"}]}, Known(), id="others"),
        pytest.param({"runners": [{"name": "a", "id": 8, "token": "glrt-onDisk000"}]}, DISK, id="by-name"),
        pytest.param({"Runners": [{"Name": "a", "ID": 8, "Token": "glrt-onDisk000"}]}, DISK, id="other-case"),
        pytest.param({"runners": [{"name": "a", "token": "glrt-byHand000"}]}, HAND, id="no-id"),
    ],
)
def test_known_from(config: dict[str, t.Any], known: Known) -> None:
    assert known_from(disk(config), NEW) == known


def test_disk_wins_over_the_declared_token() -> None:
    config = {"runners": [{"name": "a", "id": 8, "token": "glrt-onDisk000"}]}
    assert known_from(disk(config), SHARED) == DISK


def test_an_entry_doubled_by_hand_is_a_choice() -> None:
    copies = disk(
        {"runners": [{"name": "a", "id": 8, "token": "glrt-onDisk000"}, {"name": "b", "token": "glrt-onDisk000"}]}
    )
    with pytest.raises(PlanError, match=r"'a', 'b'.*on_doubled_entry to remove"):
        known_from(copies, NEW)
    assert known_from(copies, NEW, Doubled.REMOVE) == DISK


def test_undeclared_entries_go() -> None:
    config = {"runners": [{"name": "a"}, {"name": "b"}]}
    assert [(one.name, one.state) for one in undeclared(config, [NEW])] == [("b", "absent")]
