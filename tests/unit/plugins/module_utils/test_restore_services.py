# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who counts as stopped before a restore touches the database: by what gitlab-ctl says, and by nothing less."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _host_command, _restore_services
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_services import ServiceError

SILENT = Completed(0, "")
BROKEN_OFF = Completed(_host_command.TIMED_OUT, "run: gitaly: (pid 3) 7s; run: log: (pid 2) 7s\n", "ended after 120 s")
GITALY = "run: gitaly: (pid 3) 7s; run: log: (pid 2) 7s\n"


class Ctl:
    """gitlab-ctl with services that can be stopped; said takes the place of what status would say."""

    def __init__(self, *names: str, said: Completed | None = None, stoppable: bool = True) -> None:
        self.states = dict.fromkeys(names, "run")
        self.said = said
        self.stoppable = stoppable
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, argv: t.Sequence[str], **_options: t.Any) -> Completed:
        self.calls.append(tuple(argv[1:]))
        if argv[1] == "status":
            lines = [f"{state}: {name}: (pid 9) 7s; run: log: (pid 8) 7s\n" for name, state in self.states.items()]
            return self.said or Completed(0, GITALY + "".join(lines))
        if self.stoppable:
            self.states[argv[2]] = "down"
        return Completed(0, f"ok: down: {argv[2]}: 0s, normally up")

    @property
    def changes(self) -> list[tuple[str, ...]]:
        return [call for call in self.calls if call[0] != "status"]


def supervised(folder: pathlib.Path, *names: str) -> str:
    for name in names:
        (folder / name).symlink_to(f"/opt/gitlab/sv/{name}")
    return str(folder)


def test_both_are_stopped_one_after_the_other(tmp_path: pathlib.Path) -> None:
    ctl, said = Ctl("puma", "sidekiq"), list[str]()
    _restore_services.stop(ctl, said.append, supervised(tmp_path, "puma", "sidekiq"))
    assert ctl.changes == [("stop", "puma"), ("stop", "sidekiq")]
    assert said == ["stopping puma", "stopping sidekiq"]


def test_what_is_down_is_left_alone(tmp_path: pathlib.Path) -> None:
    ctl = Ctl("puma", "sidekiq")
    ctl.states = {"puma": "down", "sidekiq": "down"}
    _restore_services.stop(ctl, pytest.fail, supervised(tmp_path, "puma", "sidekiq"))
    assert ctl.changes == []


def test_a_service_that_does_not_end(tmp_path: pathlib.Path) -> None:
    ctl = Ctl("puma", "sidekiq", stoppable=False)
    with pytest.raises(ServiceError, match="puma does not stop"):
        _restore_services.stop(ctl, str, supervised(tmp_path, "puma", "sidekiq"))
    assert ctl.changes == [("stop", "puma")] * _restore_services.STOP_TRIES


@pytest.mark.parametrize("said", [pytest.param(SILENT, id="silent"), pytest.param(BROKEN_OFF, id="timed-out")])
def test_who_can_not_be_asked_about_is_not_down(tmp_path: pathlib.Path, said: Completed) -> None:
    ctl, links = Ctl("puma", "sidekiq", said=said), supervised(tmp_path, "puma", "sidekiq")
    with pytest.raises(ServiceError, match="Whether puma and sidekiq run can't be told: gitlab-ctl status"):
        _restore_services.stop(ctl, str, links)
    with pytest.raises(ServiceError, match="then run this again"):
        _restore_services.states(ctl, links)


def test_a_service_that_is_not_named_among_others_is_down_only_without_a_supervisor(tmp_path: pathlib.Path) -> None:
    ctl = Ctl("puma")
    _restore_services.stop(ctl, str, supervised(tmp_path, "puma"))  # sidekiq is switched off in gitlab.rb
    assert ctl.changes == [("stop", "puma")]
    kept_by_one = Ctl("puma", said=Completed(0, GITALY + "down: puma: 3s, normally up\n"))
    with pytest.raises(ServiceError, match="sidekiq does not stop"):
        _restore_services.stop(kept_by_one, str, supervised(tmp_path, "sidekiq"))


@pytest.mark.parametrize("said", [pytest.param(SILENT, id="silent"), pytest.param(BROKEN_OFF, id="timed-out")])
def test_a_gitlab_that_was_never_configured_has_nobody_to_stop(tmp_path: pathlib.Path, said: Completed) -> None:
    ctl = Ctl(said=said)
    _restore_services.stop(ctl, pytest.fail, supervised(tmp_path))
    assert _restore_services.states(ctl, str(tmp_path)) == {}
    assert ctl.changes == []


def test_nothing_to_start_asks_nobody() -> None:
    _restore_services.start(Ctl(said=SILENT), [])
