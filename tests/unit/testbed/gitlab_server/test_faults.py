# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault is documented where people look for it, and read where it is switched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from testbed import paths
from testbed.gitlab_server import faults
from testbed.gitlab_server.places import Places
from testbed.gitlab_server.rails.faults import FAULTS as RAILS

ROW = re.compile(r"^\| `([a-z-]+)` \| (.*) \|$", re.MULTILINE)


def test_the_readme_lists_them_all() -> None:
    text = (paths.SOURCE / "README.md").read_text()
    rows = dict(ROW.findall(text.partition("| fault | argument")[2]))
    assert rows == {**faults.FAULTS, **RAILS}


@pytest.mark.parametrize(
    ("content", "argument"),
    [
        pytest.param(None, None, id="off"),
        pytest.param("", "", id="bare"),
        pytest.param(" puma\n", "puma", id="argument"),
    ],
)
def test_a_file_switches(tmp_path: Path, content: str | None, argument: str | None) -> None:
    places = Places(tmp_path)
    if content is not None:
        places.faults.mkdir(parents=True)
        (places.faults / "service-down").write_text(content)
    assert faults.fault("service-down", places) == argument
