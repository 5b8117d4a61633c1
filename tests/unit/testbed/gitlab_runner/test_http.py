# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire: paths, headers and their order, bodies (observed facts 4 and 10)."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from testbed.gitlab_runner.api import Client, Request
from testbed.gitlab_runner.build import for_version
from testbed.gitlab_runner.info import info
from testbed.gitlab_runner.traits import Traits

from .conftest import TOKEN, Call, Cli, GitLab, Reply, entry

SYSTEM_ID = "s_1746f8786189"
CALLS = [
    pytest.param(
        ["verify"],
        "POST",
        "/api/v4/runners/verify",
        b'{"token":"glrt-ok00000000000000AA","system_id":"s_1746f8786189"}',
        id="verify",
    ),
    pytest.param(
        ["unregister", "--name", "one"],
        "DELETE",
        "/api/v4/runners/managers",
        b'{"token":"glrt-ok00000000000000AA","system_id":"s_1746f8786189"}',
        id="unregister",
    ),
    pytest.param(
        ["reset-token", "--name", "one"],
        "POST",
        "/api/v4/runners/reset_authentication_token",
        b'{"token":"glrt-ok00000000000000AA"}',
        id="reset",
    ),
    pytest.param(
        ["reset-token", "--name", "one", "--pat", "glpat-x"],
        "POST",
        "/api/v4/runners/0/reset_authentication_token",
        b"null",
        id="reset-by-pat",
    ),
]


@pytest.mark.parametrize(("words", "method", "path", "body"), CALLS)
def test_call(
    run_cli: Cli, config: Path, gitlab: GitLab, words: list[str], method: str, path: str, body: bytes
) -> None:
    config.write_text(entry(gitlab.url))
    run_cli(*words, "-c", config)
    call = gitlab.calls[0]
    assert (len(gitlab.calls), call.method, call.path, call.body) == (1, method, path, body)


@pytest.mark.parametrize(
    ("version", "command", "own"),
    [
        ("18.0.3", "verify", ["Runner-Token"]),
        ("17.5.5", "verify", ["Private-Token"]),
        ("18.3.0", "verify", ["Runner-Token", "X-Request-Id"]),
    ],
)
def test_headers_in_gos_order(
    cli_of: t.Callable[[str], Cli], config: Path, gitlab: GitLab, version: str, command: str, own: list[str]
) -> None:
    config.write_text(entry(gitlab.url))
    cli_of(version)(command, "-c", config)
    names = [name for name, _unused in gitlab.calls[0].headers]
    assert names == ["Host", "User-Agent", "Content-Length", "Accept", "Content-Type", *own, "Accept-Encoding"]
    assert gitlab.calls[0].named[own[0]] == TOKEN


def test_no_accept_without_json_and_no_token_on_reset(run_cli: Cli, config: Path, gitlab: GitLab) -> None:
    config.write_text(entry(gitlab.url))
    run_cli("reset-token", "--name", "one", "-c", config)
    run_cli("unregister", "--name", "one", "-c", config)
    reset, unregister = gitlab.calls
    assert "Runner-Token" not in reset.named
    assert "Accept" not in unregister.named


def test_19_sends_info_with_verify(cli_of: t.Callable[[str], Cli], config: Path, gitlab: GitLab) -> None:
    config.write_text(entry(gitlab.url))
    cli_of("19.4.0")("verify", "-c", config)
    assert list(gitlab.calls[0].json()) == ["info", "token", "system_id"]


@pytest.mark.parametrize(
    ("version", "steps", "labels"), [("17.5.5", False, False), ("18.0.3", True, False), ("19.4.0", True, True)]
)
def test_info(version: str, steps: bool, labels: bool) -> None:
    data = info(for_version(version), Traits(version), {"executor": "shell"})
    assert list(data)[:9] == [
        "name",
        "version",
        "revision",
        "platform",
        "architecture",
        "executor",
        "shell",
        "features",
        "config",
    ]
    assert ("native_steps_integration" in data["features"], "labels" in data) == (steps, labels)
    assert data["features"]["image"] is False


@pytest.mark.parametrize("url", ["{u}", "{u}/", "{u}/ci", "{u}/ci/"])
def test_base_url(gitlab: GitLab, url: str) -> None:
    client = Client(for_version("18.0.3"), Traits("18.0.3"), url.replace("{u}", gitlab.url))
    assert client.call(Request("DELETE", "runners", b"{}")).status == 204
    assert gitlab.calls[0].path == "/api/v4/runners"


def test_other_schemes_are_refused() -> None:
    reply = Client(for_version("18.0.3"), Traits("18.0.3"), "gitlab.example.com").call(Request("GET", "x"))
    assert reply.text == "only http or https scheme supported"


@pytest.mark.parametrize(("version", "attempts"), [("18.0.3", 1), ("18.3.0", 3)])
def test_attempts(gitlab: GitLab, version: str, attempts: int) -> None:
    answers = [Reply(503, headers={"Retry-After": "0"}), Reply(429, headers={"Retry-After": "0"}), Reply(204)]
    gitlab.routes.append(lambda call: answers.pop(0))
    Client(for_version(version), Traits(version), gitlab.url).call(Request("DELETE", "runners", b"{}"))
    assert len(gitlab.calls) == attempts


def test_message_of_an_error_is_shown_when_it_says_more(gitlab: GitLab) -> None:
    def route(call: Call) -> Reply:
        return Reply(410, {"message": "410 Gone - runner registration disallowed"})

    gitlab.routes.append(route)
    reply = Client(for_version("18.0.3"), Traits("18.0.3"), gitlab.url).call(Request("POST", "runners", b"{}"))
    assert reply.text == (f"POST {gitlab.url}/api/v4/runners: 410 Gone (410 Gone - runner registration disallowed)")
