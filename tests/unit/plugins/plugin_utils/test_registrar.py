# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps carried out against the API twin: which requests arrive, in parallel, and what becomes of faults."""

from __future__ import annotations

import datetime
import time
import types
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_runners
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _registrar as registrar
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import Declared
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._known import Known
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration import Do, Step
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session

SYSTEM, OTHER = "s_1746f8786189", "s_ffffffffffff"
TYPE = {"runner_type": "instance_type"}


@pytest.fixture
def caller(twin: TwinServer) -> t.Iterator[registrar.Caller]:
    gitlab = GitLab(Endpoint(twin.url, twin.admin_token), lambda _seconds: None)
    yield registrar.Caller(gitlab, 8, True, SYSTEM, 5.0)
    gitlab.close()


def create(name: str) -> Step:
    return Step(Declared(name, api=TYPE), Do.CREATE, send={**TYPE, "description": name})


def created(caller: registrar.Caller, name: str = "a") -> Step:
    """A runner that is there, as the step that will remove it."""
    answer = registrar.act(caller, [create(name)])[0].answer
    assert answer is not None
    return Step(Declared(name, "absent"), Do.DELETE, answer["id"], answer["token"])


def use(twin: TwinServer, step: Step, system_id: str) -> t.Any:
    """Ask for a job as a runner does."""
    with Session(twin.url) as session:
        return session.call("POST", "/api/v4/jobs/request", {"token": step.token, "system_id": system_id})


def routes(twin: TwinServer) -> dict[str, int]:
    return dict(twin.client.requests()["by_route"])


def test_creates_are_parallel_and_one_request_each(twin: TwinServer, caller: registrar.Caller) -> None:
    twin.client.set_latency(0.1)
    started = time.monotonic()
    outcomes = registrar.act(caller, [create(f"r{number}") for number in range(8)])
    twin.client.set_latency(0)
    assert time.monotonic() - started < 0.6
    assert [outcome.answer["token"][:5] for outcome in outcomes if outcome.answer] == ["glrt-"] * 8
    assert routes(twin) == {"POST /api/v4/user/runners": 8}
    assert "glrt-" not in repr(outcomes)


def test_unchanged_runners_cost_two_requests_each(twin: TwinServer, caller: registrar.Caller) -> None:
    steps = [created(caller, f"r{number}") for number in range(3)]
    twin.client.clear_requests()
    known = [(step.runner, Known(step.id, step.token, on_disk=True)) for step in steps]
    seen = registrar.look(caller, known, check_mode=False)
    assert {(one.exists, one.token_valid, one.id) for one in seen.values()} == {(True, True, step.id) for step in steps}
    assert sum(routes(twin).values()) == 6


def test_an_entry_without_an_id_is_found_by_its_token(caller: registrar.Caller) -> None:
    step = created(caller)
    seen = registrar.look(caller, [(step.runner, Known(0, step.token, on_disk=True))], check_mode=False)["a"]
    assert (seen.id, seen.exists, seen.token_valid) == (step.id, True, True)
    assert seen.details is not None


@pytest.mark.parametrize(("check_mode", "asked"), [(True, 0), (False, 1)])
def test_check_mode_makes_no_manager(twin: TwinServer, caller: registrar.Caller, check_mode: bool, asked: int) -> None:
    step = created(caller)
    registrar.look(caller, [(step.runner, Known(0, step.token))], check_mode=check_mode)
    assert len(twin.client.runners()[0]["managers"]) == asked


def test_a_dead_token_and_a_deleted_runner_are_seen(caller: registrar.Caller) -> None:
    step = created(caller)
    caller.runners.delete(step.id, "a")
    seen = registrar.look(caller, [(step.runner, Known(step.id, step.token, on_disk=True))], check_mode=False)["a"]
    assert (seen.exists, seen.token_valid) == (False, False)


def test_a_delete_waits_for_running_jobs(
    twin: TwinServer, caller: registrar.Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = created(caller)
    (job,) = twin.client.add_jobs(1)
    assert use(twin, step, SYSTEM).status == 201
    paused_at_poll: list[bool] = []

    def finish(_seconds: float) -> None:
        paused_at_poll.append(twin.client.runners()[0]["paused"])
        twin.client.cancel_job(job)
        twin.twin.store.update("jobs", job, status="canceled")

    monkeypatch.setattr(_gitlab_runners, "time", types.SimpleNamespace(monotonic=time.monotonic, sleep=finish))
    (outcome,) = registrar.act(caller, [step])
    assert (outcome.error, paused_at_poll[0], twin.client.runners()) == (None, True, [])


def test_a_delete_that_waits_too_long_leaves_the_runner_paused(twin: TwinServer, caller: registrar.Caller) -> None:
    step = created(caller)
    twin.client.add_jobs(1)
    use(twin, step, SYSTEM)
    impatient = registrar.Caller(caller.gitlab, 8, True, SYSTEM, -1.0)
    (outcome,) = registrar.act(impatient, [step])
    assert "still runs jobs" in str(outcome.error)
    assert "It stays paused in GitLab" in str(outcome.error)
    assert [runner["paused"] for runner in twin.client.runners()] == [True]


def test_of_a_shared_runner_only_this_machine_goes(twin: TwinServer, caller: registrar.Caller) -> None:
    step = created(caller)
    use(twin, step, SYSTEM)
    use(twin, step, OTHER)
    (outcome,) = registrar.act(caller, [step])
    (left,) = twin.client.runners()
    assert (outcome.done, [one["system_id"] for one in left["managers"]]) == (Do.DELETE_MANAGER, [OTHER])
    assert left["paused"] is False


def test_one_error_does_not_stop_the_others(twin: TwinServer, caller: registrar.Caller) -> None:
    bad = Step(Declared("bad", api=TYPE), Do.CREATE, send={"runner_type": "group_type"})
    outcomes = registrar.act(caller, [create("a"), bad, create("b")])
    assert [outcome.error is None for outcome in outcomes] == [True, False, True]
    assert "Could not create runner 'bad': HTTP 400, group_id is missing" in str(outcomes[1].error)
    assert len(twin.client.runners()) == 2


def test_undo_creates(twin: TwinServer, caller: registrar.Caller) -> None:
    outcomes = registrar.act(caller, [create("a"), create("b")])
    twin.client.set_faults([{"method": "DELETE", "path": f"/runners/{outcomes[1].runner_id}$", "status": 500}])
    assert registrar.undo_creates(caller, outcomes) == [outcomes[1].runner_id]
    assert [runner["description"] for runner in twin.client.runners()] == ["b"]


def test_a_reset_gives_a_token_that_works(twin: TwinServer, caller: registrar.Caller) -> None:
    old = created(caller)
    (outcome,) = registrar.act(caller, [Step(Declared("a"), Do.RESET, old.id, old.token)])
    assert outcome.answer is not None
    assert outcome.answer["id"] == old.id
    assert caller.runners.verify("a", old.token, None) is None
    assert caller.runners.verify("a", outcome.answer["token"], None) is not None


@pytest.mark.parametrize(
    ("expires", "year"), [pytest.param(None, 1, id="never"), pytest.param("2027-01-02T03:04:05.678Z", 2027, id="date")]
)
def test_what_config_toml_keeps_of_an_answer(expires: str | None, year: int) -> None:
    kept = registrar.written({"id": 8, "token": "t", "token_expires_at": expires})
    assert (kept["id"], kept["token"], kept["token_expires_at"].year) == (8, "t", year)
    age = datetime.datetime.now(datetime.timezone.utc) - kept["token_obtained_at"]
    assert datetime.timedelta(0) <= age < datetime.timedelta(seconds=10)
