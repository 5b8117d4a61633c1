# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restart that is still due is not forgotten."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _pending_restart
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import ConfigFile, HostState, Service

CONFIG = "/etc/gitlab-runner/config.toml"
NOTE = "/etc/gitlab-runner/.config.toml.fleetwright-restart.json"


def state(text: str | None, written: int = 100, **service: t.Any) -> HostState:
    running = Service("loaded", "active", "running", "enabled", **{"main_pid": 8, "started_at": 50, **service})
    files = {} if text is None else {NOTE: text}
    return HostState(ConfigFile(CONFIG), service=running, files=files, written={NOTE: written})


def test_the_note_stands_beside_its_configuration() -> None:
    assert _pending_restart.path_beside(CONFIG) == NOTE


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        pytest.param(None, (), id="none"),
        pytest.param(_pending_restart.dumped(["b", "a", "b"]), ("a", "b"), id="keys"),
        pytest.param("{", ("(an unreadable note)",), id="broken"),
        pytest.param("4", ("(an unreadable note)",), id="no-list"),
    ],
)
def test_noted(text: str | None, keys: tuple[str, ...]) -> None:
    assert _pending_restart.noted(state(text), NOTE) == keys


@pytest.mark.parametrize(
    ("service", "outdated"),
    [
        pytest.param({"started_at": 50}, False, id="started-before"),
        pytest.param({"started_at": 100}, False, id="in-the-same-second"),
        pytest.param({"started_at": 101}, True, id="started-since"),
        pytest.param({"main_pid": 0, "started_at": 50}, True, id="not-running"),
    ],
)
def test_outdated(service: dict[str, t.Any], outdated: bool) -> None:
    assert _pending_restart.outdated(state("[]", **service), NOTE) is outdated
