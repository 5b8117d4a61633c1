# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which services can't work, and the command that installs a missing unit."""

from __future__ import annotations

import re

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _service_unit
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import Service

DEFAULT, OTHER = "/etc/gitlab-runner/config.toml", "/etc/second/config.toml"
NONE, MASKED = Service(), Service("masked")


def reads(path: str) -> Service:
    return Service("loaded", "active", "running", "enabled", 7, config_path=path)


@pytest.mark.parametrize(
    ("unit", "service", "config_path", "message"),
    [
        pytest.param(NONE, "gitlab-runner", DEFAULT, None, id="the-package's"),
        pytest.param(reads(DEFAULT), "gitlab-runner", DEFAULT, None, id="the-package's-again"),
        pytest.param(NONE, "second", OTHER, None, id="one-of-its-own"),
        pytest.param(reads(OTHER), "second", OTHER, None, id="one-of-its-own-again"),
        pytest.param(NONE, "second", DEFAULT, "two daemons on one file", id="two-on-one-file"),
        pytest.param(NONE, "gitlab-runner", OTHER, "or a gitlab_runner_service of another name", id="nobody-reads-it"),
        pytest.param(reads(OTHER), "gitlab-runner", OTHER, None, id="a-unit-that-was-changed"),
        pytest.param(reads("/x.toml"), "second", OTHER, "gitlab-runner uninstall --service second", id="reads-another"),
        pytest.param(MASKED, "gitlab-runner", DEFAULT, "systemctl unmask gitlab-runner", id="masked"),
        pytest.param(NONE, "second.service", OTHER, r"without \.service", id="suffix"),
        pytest.param(NONE, "a b", OTHER, r"without \.service", id="no-unit-name"),
    ],
)
def test_problems(unit: Service, service: str, config_path: str, message: str | None) -> None:
    found = " ".join(_service_unit.problems(unit, service, config_path, started=True))
    if message is None:
        assert not found
    else:
        assert re.search(message, found), found


def test_a_masked_service_that_is_not_to_run_is_no_problem() -> None:
    assert not list(_service_unit.problems(MASKED, "gitlab-runner", DEFAULT, started=False))


def test_home() -> None:
    passwd = "root:x:0:0:root:/root:/bin/bash\ngitlab-runner:x:990:990::/srv/runner:/bin/bash\nbroken\n"
    assert _service_unit.home(passwd, "gitlab-runner") == "/srv/runner"
    assert _service_unit.home(passwd, "gitlab") is None
    assert _service_unit.home(passwd, "broken") is None


def test_install_arguments() -> None:
    assert " ".join(_service_unit.install_arguments("second", OTHER, "ci", "/home/ci")) == (
        "gitlab-runner install --service second --config /etc/second/config.toml --user ci --working-directory /home/ci"
    )
