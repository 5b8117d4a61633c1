# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One listening twin for each version and module, brought back to the seed for every test."""

from __future__ import annotations

import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session

Versions = t.Callable[[str], TwinServer]


@pytest.fixture(scope="session")
def _running() -> t.Iterator[dict[str, TwinServer]]:
    running: dict[str, TwinServer] = {}
    yield running
    for twin in running.values():
        twin.stop()


@pytest.fixture
def versions(_running: dict[str, TwinServer]) -> Versions:
    """Return a twin of the version asked for, freshly reset."""

    def get(version: str) -> TwinServer:
        if version not in _running:
            _running[version] = TwinServer(version).start()
        _running[version].client.reset()
        return _running[version]

    return get


@pytest.fixture
def twin(versions: Versions) -> TwinServer:
    return versions("18.6.2")


@pytest.fixture
def root(twin: TwinServer) -> t.Iterator[Session]:
    """Speak as the administrator."""
    with Session(twin.url, twin.admin_token) as session:
        yield session


@pytest.fixture
def user(twin: TwinServer) -> t.Iterator[Session]:
    """Speak as the ordinary user."""
    with Session(twin.url, twin.token(user="user")) as session:
        yield session


@pytest.fixture
def anyone(twin: TwinServer) -> t.Iterator[Session]:
    """Speak without an access token, as a runner does."""
    with Session(twin.url) as session:
        yield session
