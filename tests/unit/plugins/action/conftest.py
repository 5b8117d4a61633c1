# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host for the plays of a test."""

from __future__ import annotations

import pathlib

import pytest
from testbed.gitlab_api import TwinServer
from unit.plugins.action.plays import Host


@pytest.fixture
def host(tmp_path: pathlib.Path, twin: TwinServer) -> Host:
    return Host(tmp_path, twin)
