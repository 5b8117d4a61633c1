# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A registration that is killed, each kind once: the next run leaves no runner twice and no token lost."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import sys
import typing as t

import pytest
from soaks import registration
from testbed.gitlab_api import TwinServer


@dataclasses.dataclass(frozen=True)
class Here:
    """This machine, with a folder in /etc/gitlab-runner's place."""

    folder: pathlib.Path

    @property
    def inventory(self) -> t.Mapping[str, t.Any]:
        return {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}

    @property
    def config_path(self) -> str:
        return str(self.folder / "etc" / "config.toml")

    def shell(self, words: str) -> str:
        return subprocess.run(["sh", "-c", words], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("case", [pytest.param(case, id=case.key) for case in registration.quick()])
def test_killed(twin: TwinServer, tmp_path: pathlib.Path, case: registration.Case) -> None:
    site = registration.Site(Here(tmp_path), twin.client, twin.url, tmp_path / "play")
    assert registration.tried(site, case) == []


def test_the_matrix_has_every_case_once() -> None:
    keys = [case.key for case in registration.cases(1)]
    assert len(set(keys)) == len(keys) == 3 * 3 * 2 * 2 * 2
    assert sorted(keys) == sorted(case.key for case in registration.cases(2))
