# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intents: what an interrupted create leaves is found, adopted or deleted, and never a second runner."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _intents, _known, _registrar, _registration
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import Declared
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._intents import Intent
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration import Do
from testbed.gitlab_api import TwinServer

INSTANCE = {"runner_type": "instance_type"}
GROUP = {"runner_type": "group_type", "group_id": 10}
PROJECT = {"runner_type": "project_type", "project_id": 20}


def intent(owner: t.Mapping[str, t.Any] | None = None, mark: str = "0123456789abcdef") -> Intent:
    return Intent("build", mark, owner or INSTANCE, "build")


def declared(owner: t.Mapping[str, t.Any] | None = None, **api: t.Any) -> Declared:
    return Declared("build", api={**(owner or INSTANCE), "description": "build", **api}, config={"executor": "shell"})


@pytest.fixture(scope="module")
def server() -> t.Iterator[TwinServer]:
    with TwinServer(version="18.6.2") as running:
        yield running


@pytest.fixture
def twin(server: TwinServer) -> TwinServer:
    server.client.reset()
    return server


def caller(twin: TwinServer, token: str | None = None) -> _registrar.Caller:
    gitlab = GitLab(Endpoint(twin.url, token or twin.admin_token), sleep=lambda _seconds: None)
    return _registrar.Caller(gitlab, connections=4, has_access=True, system_id="s_123456789abc", job_timeout=1.0)


@pytest.mark.parametrize(
    ("note", "mark_free"),
    [
        pytest.param(None, "", id="none"),
        pytest.param("", "", id="empty"),
        pytest.param("ours", "ours", id="a-user's-own"),
        pytest.param("[fleetwright.gitlab_aws 0123456789abcdef]", "", id="mark-alone"),
        pytest.param("ours [fleetwright.gitlab_aws 0123456789abcdef]", "ours", id="mark-behind"),
        pytest.param("[fleetwright.gitlab_aws 0123]", "[fleetwright.gitlab_aws 0123]", id="no-mark-of-ours"),
    ],
)
def test_without_mark(note: str | None, mark_free: str) -> None:
    assert _intents.without_mark(note) == mark_free


@pytest.mark.parametrize("note", [None, "", "ours"])
def test_a_mark_is_no_change_of_the_note(note: str | None) -> None:
    details = {"maintenance_note": _intents.marked_note(note, intent())}
    assert _registration.changes(details, {"maintenance_note": note or ""}) == ({}, {})


def test_intents_survive_writing_and_reading() -> None:
    some = [intent(), intent(GROUP, "f" * 16)]
    assert _intents.loaded(_intents.dumped(some), "/etc/x") == some
    assert _intents.loaded(None, "/etc/x") == []


@pytest.mark.parametrize("text", ["{", "[1]", '[{"name": "x"}]'])
def test_a_foreign_file_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(_intents.IntentError, match=r"/etc/x on the host .* delete them, remove the file"):
        _intents.loaded(text, "/etc/x")


@pytest.mark.parametrize(
    ("config", "path"),
    [
        pytest.param(
            "/etc/gitlab-runner/config.toml", "/etc/gitlab-runner/.config.toml.fleetwright-intents.json", id="usual"
        ),
        pytest.param("config.toml", "./.config.toml.fleetwright-intents.json", id="relative"),
    ],
)
def test_path_beside(config: str, path: str) -> None:
    assert _intents.path_beside(config) == path


@pytest.mark.parametrize("owner", [INSTANCE, GROUP, PROJECT], ids=["instance", "group", "project"])
def test_a_create_without_its_answer_is_adopted(twin: TwinServer, owner: dict[str, t.Any]) -> None:
    it, announced = caller(twin), intent(owner)
    creation = _registration.step(declared(owner), _known.Known(), _registration.Seen(), _registration.Choice())
    twin.client.set_faults([{"method": "POST", "path": "/user/runners$", "after": True, "times": 1}])
    (lost,) = _registrar.act(it, [_registration.marked(creation, announced)])
    assert lost.error is not None and lost.unknown
    assert len(twin.client.runners()) == 1, "it was created, only the answer is missing"

    strays = _registrar.strays(it, [announced])[announced.mark]
    seen = _registration.Seen(strays=strays)
    again = _registration.step(declared(owner), _known.Known(), seen, _registration.Choice())
    (adopted,) = _registrar.act(it, [again])

    (runner,) = twin.client.runners()
    assert again.do is Do.ADOPT
    assert adopted.answer is not None and adopted.answer["token"] == runner["token"]
    assert twin.client.requests()["by_route"]["POST /api/v4/user/runners"] == 1


def test_only_the_marked_runner_is_taken(twin: TwinServer) -> None:
    it, announced = caller(twin), intent()
    it.runners.create("build", {**INSTANCE, "description": "build", "maintenance_note": "somebody else's"})
    assert _registrar.strays(it, [announced]) == {announced.mark: ()}


def test_among_many_pages(twin: TwinServer) -> None:
    it, announced = caller(twin), intent()
    for number in range(120):
        it.runners.create("other", {**INSTANCE, "description": f"other {number}"})
    mine = it.runners.create("build", {**INSTANCE, "description": "build", "maintenance_note": announced.tag})
    assert _registrar.strays(it, [announced]) == {announced.mark: (mine["id"],)}


def test_a_token_that_may_not_list_stops_with_mark_and_remedy(twin: TwinServer) -> None:
    token = twin.token(["create_runner", "manage_runner"])
    with pytest.raises(GitLabError, match=r"'build'.*No second one was created.*read_api.*0123456789abcdef.*remove"):
        _registrar.strays(caller(twin, token), [intent()])
    assert twin.client.runners() == []


@pytest.mark.parametrize(
    ("status", "unknown"), [(0, True), (502, True), (500, True), (400, False), (403, False), (429, False)]
)
def test_what_a_failed_create_leaves_open(status: int, unknown: bool) -> None:
    step = _registration.Step(declared(), Do.CREATE)
    assert _registrar.Outcome(step, error=GitLabError("create", status, "no")).unknown is unknown
