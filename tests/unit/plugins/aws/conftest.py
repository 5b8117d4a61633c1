# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One AWS server for the tests of what talks to AWS, emptied for every test."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import Aws
from testbed.aws import AwsServer
from testbed.aws.server import reset


@pytest.fixture(scope="session")
def _running_aws() -> t.Iterator[AwsServer]:
    with AwsServer() as running:
        yield running


@pytest.fixture
def server(_running_aws: AwsServer) -> AwsServer:
    reset()
    return _running_aws


@pytest.fixture
def aws(server: AwsServer) -> Aws:
    return Aws(server.client)
