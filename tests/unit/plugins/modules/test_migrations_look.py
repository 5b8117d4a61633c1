# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at background migrations: whom waiting helps, and what acting on them says."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed

pytest.importorskip("ansible.module_utils.basic")
look_module = pytest.importorskip(
    "ansible_collections.fleetwright.gitlab_aws.plugins.modules.gitlab_background_migrations_look"
)

LEFT = "left|{number}|{status}|100|0|Backfill|notes|id|[]\n"
RUNS = "run: sidekiq: (pid 7) 5s; run: log: (pid 8) 5s\n"
DOWN = "down: sidekiq: 3s, normally up; run: log: (pid 8) 5s\n"


class Server:
    """gitlab-psql says what is left, gitlab-ctl whether Sidekiq runs; Rails and rake do as they are told."""

    def __init__(self, left: str, status: str) -> None:
        self.left, self.status = left, status
        self.acted: list[str] = []

    def __call__(self, argv: t.Sequence[str], **_more: t.Any) -> Completed:
        name = pathlib.Path(argv[0]).name
        if name == "gitlab-psql":
            return Completed(0, self.left)
        if name == "gitlab-ctl":
            return Completed(0, self.status)
        self.acted.append(argv[-1])
        self.left = ""
        return Completed(0, "Done.")


@pytest.mark.parametrize(
    ("status", "services", "stuck", "words"),
    [
        pytest.param(1, RUNS, False, "Time is up", id="active"),
        pytest.param(1, DOWN, True, "Sidekiq, which runs them, does not run (3s, normally up)", id="sidekiq-down"),
        pytest.param(1, "", False, "Time is up", id="services-unknown"),
        pytest.param(4, RUNS, True, "have failed (1)", id="failed"),
    ],
)
def test_whether_waiting_helps(status: int, services: str, stuck: bool, words: str) -> None:
    server = Server(LEFT.format(number=1, status=status), services)
    found = look_module.looked(server, 0, "nothing", check_mode=False)
    assert (found["ended"], found["stuck"], found["changed"]) == (False, stuck, False)
    assert words in found["remedy"]


def test_nobody_is_missed_where_nothing_is_left() -> None:
    found = look_module.looked(Server("", DOWN), 0, "nothing", check_mode=False)
    assert (found["ended"], found["stuck"], found["remedy"]) == (True, False, "")


@pytest.mark.parametrize("act", ["resume", "finalize"])
@pytest.mark.parametrize("check_mode", [True, False])
def test_acting_is_told_and_in_check_mode_not_done(act: str, check_mode: bool) -> None:
    server = Server(LEFT.format(number=4, status=4), RUNS)
    found = look_module.looked(server, 0, act, check_mode=check_mode)
    assert found["acted"] == ["Backfill on notes.id []"]
    assert found["changed"]
    assert bool(server.acted) != check_mode
    assert found["ended"] != check_mode
