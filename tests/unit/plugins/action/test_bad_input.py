# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every wrong input is refused, leaves everything as it was, and is named with its place and a remedy."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from testbed.gitlab_api import TwinServer
from unit.plugins.action import bad_input
from unit.plugins.action.bad_input import Case
from unit.plugins.action.plays import SERVICE, Host, Task

PATH_OPTION = {"gitlab_runner_config": "path", "gitlab_runner_registration": "config_path"}


def _access(twin: TwinServer, kind: str) -> str | None:
    made: dict[str, t.Callable[[], str | None]] = {
        "admin": lambda: twin.admin_token,
        "none": lambda: None,
        "made-up": lambda: "glpat-MadeUp0000000000000",
        "expired": lambda: twin.token(expires_at="2020-01-01"),
        "revoked": lambda: twin.token(revoked=True),
        "read_api": lambda: twin.token(["read_api"]),
        "user": lambda: twin.token(["create_runner", "manage_runner"], user="user"),
    }
    return made[kind]()


def _prepared(host: Host, case: Case) -> pathlib.Path:
    path = host.folder / case.id / "config.toml"
    path.parent.mkdir()
    if case.file is None:
        path.mkdir()
    else:
        path.write_bytes(case.file.encode() if isinstance(case.file, str) else case.file)
    return path


def _task(host: Host, case: Case, path: pathlib.Path) -> Task:
    options: dict[str, t.Any] = {}
    if case.task in PATH_OPTION:
        options = {PATH_OPTION[case.task]: str(path), "service": SERVICE, "url": host.twin.url}
    if case.task == "gitlab_runner_registration":
        token = _access(host.twin, case.access)
        options |= {"api_url": host.twin.url, "timeout": 5, **({"api_token": token} if token else {})}
    given = {**options, **case.options}
    if given.get("registration_token") == "$":
        given["registration_token"] = host.twin.client.registration_tokens()["instance"]
    return case.task, given


def _state(path: pathlib.Path, but: t.Collection[str] = ()) -> dict[str, t.Any]:
    inside = sorted(one for one in path.parent.rglob("*") if one.name not in but)
    return {str(one): (one.read_bytes(), one.stat().st_mtime_ns) if one.is_file() else None for one in inside}


def _faults(case: Case, answer: dict[str, t.Any], *, kept: bool, runners: list[t.Any]) -> t.Iterator[str]:
    """What is wrong with what became of a wrong input."""
    message = str(answer.get("msg"))
    if not answer.get("failed") or answer.get("changed"):
        yield "it was not refused"
    yield from (f"{word!r} is missing in: {message}" for word in case.words if word not in message)
    if not kept:
        yield f"it changed files: {message}"
    if runners:
        yield f"it changed GitLab: {message}"
    if "glpat-" in message or "glrt-a0" in message or "GR1348941" in message:
        yield "it shows a token"


@pytest.mark.parametrize("run", bad_input.RUNS)
def test_refused(host: Host, run: str) -> None:
    cases = bad_input.RUNS[run]
    host.twin.client.set_faults([dict(rule) for case in cases for rule in case.faults])
    paths = {case.id: _prepared(host, case) for case in cases}
    before = {name: _state(path) for name, path in paths.items()}
    answers = host.results(*(_task(host, case, paths[case.id]) for case in cases))
    runners = host.twin.client.runners()
    kept = {case.id: _state(paths[case.id], case.leaves) == before[case.id] for case in cases}
    found = {
        case.id: list(_faults(case, answer, kept=kept[case.id], runners=runners))
        for case, answer in zip(cases, answers)
    }
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_the_table_is_long_enough_and_its_names_are_unique() -> None:
    assert len(bad_input.CASES) >= 60
    assert len({case.id for case in bad_input.CASES}) == len(bad_input.CASES)
