# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One listening GitLab twin for all tests of the plugins, brought back to the seed for every test.

HYPOTHESIS_PROFILE=soak runs thousands of cases of every property, too long for every day.
"""

from __future__ import annotations

import os
import typing as t

import pytest
from testbed.gitlab_api import TwinServer

try:
    import hypothesis
except ImportError:  # on Python 3.9, where only what runs on hosts is tested
    pass
else:
    hypothesis.settings.register_profile("quick", max_examples=200, deadline=None)
    hypothesis.settings.register_profile("soak", max_examples=5000, deadline=None)
    hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(scope="session")
def _running() -> t.Iterator[TwinServer]:
    with TwinServer() as running:
        yield running


@pytest.fixture
def twin(_running: TwinServer) -> TwinServer:
    _running.client.reset()
    _running.client.clear_faults()
    _running.client.clear_requests()
    return _running


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
