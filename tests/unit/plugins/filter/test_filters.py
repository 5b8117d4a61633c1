# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles ask of the filters."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.filter.gitlab_runner import gitlab_runner_docker_users


@pytest.mark.parametrize(
    ("runner", "defaults", "needs"),
    [
        pytest.param({"executor": "docker", "docker": {"image": "a"}}, {}, True, id="docker"),
        pytest.param({}, {"executor": "docker"}, True, id="by-default"),
        pytest.param({"executor": "shell"}, {"executor": "docker"}, False, id="its-own-wins"),
        pytest.param({"executor": "docker", "docker": {"host": "tcp://d:2376"}}, {}, False, id="elsewhere"),
        pytest.param({"executor": "docker", "state": "absent"}, {}, False, id="absent"),
        pytest.param({"executor": "docker-autoscaler"}, {}, False, id="on-instances"),
    ],
)
def test_docker_users(runner: dict[str, t.Any], defaults: dict[str, t.Any], needs: bool) -> None:
    assert gitlab_runner_docker_users([{"name": "a", **runner}], defaults) == (["a"] if needs else [])
