# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings podman needs on which machine."""

from __future__ import annotations

import pytest
from testbed.hosts.podman import Machine, containers_conf

RUNC = '[engine]\nruntime = "runc"\n'


def _limits(nofile: int, nproc: int) -> str:
    return f'[containers]\ndefault_ulimits = ["nofile={nofile}:{nofile}", "nproc={nproc}:{nproc}"]\n'


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        pytest.param(Machine(False, True, 1024, 1024), "", id="plain-machine"),
        pytest.param(Machine(False, False, 1048576, 4194304), "", id="limits-high-enough"),
        pytest.param(Machine(True, True, 1024, 1024), RUNC, id="hybrid-cgroups"),
        pytest.param(Machine(False, False, 20000, 4194304), _limits(20000, 4194304), id="few-files"),
        pytest.param(Machine(True, False, 20000, 32768), RUNC + _limits(20000, 32768), id="both"),
    ],
)
def test_containers_conf(machine: Machine, expected: str) -> None:
    assert containers_conf(machine) == expected
