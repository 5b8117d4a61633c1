# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each version changes (API facts 9)."""

from __future__ import annotations

import re
import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from testbed.gitlab_api.client import Session
from testbed.gitlab_api.traits import Traits

Versions = t.Callable[[str], TwinServer]
OLD, V17, V17_11, V18, NEWEST = "16.11.10", "17.5.5", "17.11.4", "18.6.2", "19.3.0"
ALL = [OLD, V17, V17_11, V18, NEWEST]


class Around:
    """A twin of some version with one instance runner, number 1."""

    def __init__(self, twin: TwinServer) -> None:
        self.twin = twin
        self.root = Session(twin.url, twin.admin_token)
        self.token = self.create(runner_type="instance_type")

    def create(self, **body: t.Any) -> str:
        return str(self.root.call("POST", "/api/v4/user/runners", body).json["token"])

    def ask(self, **more: t.Any) -> t.Any:
        return self.root.call("POST", "/api/v4/jobs/request", {"token": self.token, **more})

    def register(self) -> t.Any:
        registration = self.twin.client.registration_tokens()["instance"]
        return self.root.call("POST", "/api/v4/runners", {"token": registration})

    def runner(self) -> dict[str, t.Any]:
        return dict(self.root.call("GET", "/api/v4/runners/1").json)


def _details_keys(it: Around) -> bool:
    return {"created_by", "created_at", "job_execution_status"} <= set(it.runner())


def _ip_address(it: Around) -> bool:
    it.ask()
    return bool(it.runner()["ip_address"] == "127.0.0.1")


def _job_cancel(it: Around) -> str:
    it.twin.client.add_jobs()
    it.ask(info={"features": {"cancel_gracefully": True}})
    it.twin.client.cancel_job(1)
    return str(it.twin.client.jobs()[0]["status"])


def _finished_job(it: Around) -> str:
    it.twin.client.add_jobs()
    token = it.ask().json["token"]
    end = [it.root.call("PUT", "/api/v4/jobs/1", {"token": token, "state": "success"}) for _unused in range(2)][1]
    return str(end.json["message"]).removeprefix("403 Forbidden - ")


def _two_phases(it: Around) -> list[str]:
    it.twin.client.add_jobs()
    token = it.ask(info={"features": {"two_phase_job_commit": True}}).json["token"]
    assert it.ask().status == 204, "nobody else gets it meanwhile"
    seen = [it.twin.client.jobs()[0]["status"]]
    for state in ("pending", "running"):
        it.root.call("PUT", "/api/v4/jobs/1", {"token": token, "state": state})
        seen.append(it.twin.client.jobs()[0]["status"])
    return [*seen, str(it.ask().status)]


def _metadata(it: Around) -> bool:
    return "externalK8sProxyUrl" in it.root.call("GET", "/api/v4/metadata").json["kas"]


def _own_token(it: Around) -> list[str]:
    return list(it.root.call("GET", "/api/v4/personal_access_tokens/self").json)


def _orphaned(it: Around) -> tuple[int, t.Any]:
    it.twin.client.change_runner(1, orphaned=True)
    answer = it.ask()
    return answer.status, answer.json if answer.text else None


def _not_found(it: Around) -> str:
    return str(it.root.call("GET", "/api/v4/runners/77").json["message"])


def _put_projects(it: Around) -> bool:
    return "projects" in it.root.call("PUT", "/api/v4/runners/1", {"paused": False}).json


def _note_for_strangers(it: Around) -> t.Any:
    it.root.call("PUT", "/api/v4/runners/1", {"maintenance_note": "n"})
    stranger = Session(it.twin.url, it.twin.token(user="user"))
    return stranger.call("GET", "/api/v4/runners/1").json["maintenance_note"]


def _unassign(it: Around) -> str:
    it.create(runner_type="project_type", project_id=20)
    return str(it.root.call("DELETE", "/api/v4/projects/20/runners/2").json["message"]).partition(" - ")[2][:8]


def _verified(it: Around) -> str:
    it.root.call("POST", "/api/v4/runners/verify", {"token": it.token})
    return str(it.runner()["status"])


def _router(it: Around) -> list[int]:
    def discover() -> int:
        return it.root.call("GET", "/api/v4/runners/router/discovery", headers={"Runner-Token": it.token}).status

    first = discover()
    it.twin.client.set_settings(job_router_url="wss://h")
    return [first, discover()]


def _runner_projects(it: Around) -> list[t.Any]:
    shown = it.root.call("GET", "/api/v4/runners/1?include_projects=false").json
    return [it.root.call("GET", "/api/v4/runners/1/projects").status, "projects" in shown]


def _instance_prefix(it: Around) -> bool:
    it.twin.client.set_settings(instance_token_prefix="acme")
    return it.create(runner_type="instance_type").startswith("acme-glrt-")


OLD_PAT = ["id", "name", "revoked", "created_at", "scopes", "user_id", "last_used_at", "active", "expires_at"]
PAT = [*OLD_PAT[:4], "description", *OLD_PAT[4:]]
NEW_PAT = [
    "id",
    "name",
    "active",
    "revoked",
    "expired",
    "granular",
    "created_at",
    "description",
    "scopes",
    "user_id",
    "last_used_at",
    "expires_at",
    "last_used_ips",
]
PLAIN = ["running", "running", "running", "204"]
PHASES = ["pending", "pending", "running", "204"]
ORPHAN = "Runner is orphaned"
NOT_PROCESSING = "Job is not processing on runner"
TABLE: list[tuple[t.Callable[[Around], t.Any], list[t.Any]]] = [
    (lambda it: it.register().status, [201, 410, 410, 410, 410]),
    (_details_keys, [False, False, False, True, True]),
    (_ip_address, [True, False, False, False, False]),
    (_job_cancel, ["canceled", "canceling", "canceling", "canceling", "canceling"]),
    (_finished_job, ["Job is not running", *[NOT_PROCESSING] * 4]),
    (_two_phases, [PLAIN, PLAIN, PLAIN, PLAIN, PHASES]),
    (_metadata, [False, False, True, True, True]),
    (_own_token, [OLD_PAT, PAT, PAT, PAT, NEW_PAT]),
    (_orphaned, [(204, None), (204, None), (403, {"message": f"403 Forbidden - {ORPHAN}"}), (204, None), (204, None)]),
    (_not_found, ["404 Not found"] * 4 + ["404 Runner Not Found"]),
    (_put_projects, [True, True, True, True, False]),
    (_note_for_strangers, ["n", "n", "n", "n", None]),
    (_unassign, ["Only one"] * 4 + ["You cann"]),
    (_verified, ["never_contacted"] * 4 + ["online"]),
    (_router, [[404, 404]] * 4 + [[501, 200]]),
    (_runner_projects, [[404, True]] * 3 + [[200, False]] * 2),
    (_instance_prefix, [False, False, False, True, True]),
]
NAMES = [
    "registration",
    "details",
    "ip",
    "cancel",
    "finished",
    "two-phase",
    "metadata",
    "pat",
    "orphaned",
    "not-found",
    "put",
    "note",
    "unassign",
    "verify",
    "router",
    "projects",
    "prefix",
]


@pytest.mark.parametrize(
    ("version", "probe", "expected"),
    [
        pytest.param(version, probe, row[column], id=f"{name}-{version}")
        for (probe, row), name in zip(TABLE, NAMES, strict=True)
        for column, version in enumerate(ALL)
    ],
)
def test_trait(versions: Versions, version: str, probe: t.Callable[[Around], t.Any], expected: t.Any) -> None:
    assert probe(Around(versions(version))) == expected


def test_orphaned_in_early_18(versions: Versions) -> None:
    assert _orphaned(Around(versions("18.1.0"))) == (422, {"message": ORPHAN})


@pytest.mark.parametrize(
    ("version", "created", "registered"),
    [
        (OLD, r"glrt-\w{20}", r"\w{20}"),
        (V17, r"glrt-t2_\w{20}", r"t1_\w{20}"),
        (V17_11, r"glrt-t2_\w{20}", r"glrtr-t1_\w{20}"),
        (V18, r"glrt-t2_\w{32}\.01\.\w{9}", r"glrtr-t1_\w{32}\.01\.\w{9}"),
    ],
)
def test_token_shapes(versions: Versions, version: str, created: str, registered: str) -> None:
    it = Around(versions(version))
    it.twin.client.set_settings(registration_tokens=True)
    assert re.fullmatch(created, it.create(runner_type="group_type", group_id=10))
    assert re.fullmatch(registered, it.register().json["token"])


@pytest.mark.parametrize("how", ["Private-Token", "Runner-Token", "RUNNER-TOKEN"])
def test_runners_of_every_version_are_understood(versions: Versions, how: str) -> None:
    """17.5.5 sends Private-Token where 18 sends Runner-Token and Job-Token (runner facts observed, 10)."""
    it = Around(versions(V18))
    it.twin.client.add_jobs()
    runner = Session(it.twin.url)
    who = {"token": it.token, "system_id": "s_1"}
    assert runner.call("POST", "/api/v4/runners/verify", who, {how: it.token}).status == 200
    job = runner.call("POST", "/api/v4/jobs/request", who, {how: it.token}).json
    trace = {"JOB-TOKEN": job["token"], "Content-Range": "0-1", "Content-Type": "text/plain"}
    assert runner.call("PATCH", "/api/v4/jobs/1/trace?debug_trace=false", b"ok", trace).status == 202
    end = {
        "info": {},
        "token": job["token"],
        "state": "success",
        "checksum": "crc32:1",
        "output": {"checksum": "crc32:1", "bytesize": 2},
    }
    job_header = "Private-Token" if how == "Private-Token" else "Job-Token"
    assert runner.call("PUT", "/api/v4/jobs/1", end, {job_header: job["token"]}).status == 200
    assert runner.call("DELETE", "/api/v4/runners/managers", who, {how: it.token}).status == 204


@pytest.mark.parametrize("version", ["", "newest", "18"])
def test_what_is_no_version(version: str) -> None:
    with pytest.raises(ValueError, match="Not a GitLab version"):
        print(Traits(version).number)
