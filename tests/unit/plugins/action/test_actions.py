# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins as ansible-playbook runs them, against a GitLab twin and a config.toml of their own."""

from __future__ import annotations

import json
import typing as t

import pytest
from unit.plugins.action.plays import ENVIRONMENT, SERVICE, Host, changed

BUILD = {"name": "build", "runner_type": "instance_type", "executor": "shell", "tag_list": ["aws", "el9"], "limit": "4"}
TEST = {"name": "test", "runner_type": "instance_type", "executor": "shell", "environment": [ENVIRONMENT]}
REFUSING = "#!/bin/sh\necho '  unknown key: x.y' >&2\nexit 1\n"  # what `lint` says of every text


def test_the_life_of_two_runners(host: Host) -> None:
    """Checked, registered, run again, changed, one removed: each says the truth, and none shows a secret."""
    first = host.play(BUILD, TEST, flags=["--check", "--diff"], settings={"concurrent": 4})
    assert (changed(first), host.path.exists(), host.twin.client.runners()) == (2, False, [])

    output = host.play(BUILD, TEST, flags=["-vvvv", "--diff"], settings={"concurrent": 4})
    assert changed(output) == 2
    entries = host.config["runners"]
    assert [(one["name"], one["executor"], one.get("limit")) for one in entries] == [
        ("build", "shell", 4), ("test", "shell", None),
    ]  # fmt: skip
    known = {runner["description"]: runner for runner in host.twin.client.runners()}
    assert {one["name"]: (one["id"], one["token"]) for one in entries} == {
        name: (runner["id"], runner["token"]) for name, runner in known.items()
    }
    assert host.path.stat().st_mode & 0o777 == 0o600
    assert [secret for secret in host.secrets() if secret in output] == []
    assert "PASSWORD=********" in output

    text, stamp = host.path.read_text(), host.path.stat().st_mtime_ns
    host.twin.client.clear_requests()
    again = host.play(BUILD, TEST, flags=["-vvvv", "--diff"], settings={"concurrent": 4})
    assert (changed(again), host.path.read_text(), host.path.stat().st_mtime_ns) == (0, text, stamp)
    routes = host.twin.client.requests()["by_route"]
    assert sum(routes.values()) == 4
    assert all(name.startswith(("GET", "POST /api/v4/runners/verify")) for name in routes)
    assert [secret for secret in host.secrets() if secret in again] == []

    retagged = {**BUILD, "tag_list": ["aws"], "limit": 5}
    assert changed(host.play(retagged, TEST, flags=["--check"])) == 2
    assert changed(host.play(retagged, {**TEST, "state": "absent"})) == 2
    left = host.twin.client.runners()
    assert [(one["description"], one["tag_list"], one["token"]) for one in left] == [
        ("build", ["aws"], entries[0]["token"])
    ]
    assert [(one["name"], one["limit"], one["token"]) for one in host.config["runners"]] == [
        ("build", 5, entries[0]["token"])
    ]
    assert sorted(path.suffix for path in host.path.parent.glob("config.toml*")).count(".bak") <= 3


@pytest.mark.parametrize(
    ("tasks", "words"),
    [
        pytest.param(
            [("gitlab_runner_config", {"settings": {"concurrent": 0}})], ["settings.concurrent is 0"], id="concurrent"
        ),
        pytest.param(
            [("gitlab_runner_config", {"runners": [{"name": "a", "executer": "shell", "limit": "x"}]})],
            ["executer is neither", "did you mean executor?", "limit must be an integer", "url is missing"],
            id="every-fault-at-once",
        ),
        pytest.param([("gitlab_runner_config", {"setting": {}})], ["Unsupported parameters"], id="unknown-option"),
        pytest.param(
            [("gitlab_runner_config", {"url": "http://g", "runners": [{"name": "a", "executor": "shell"}]})],
            ["has no token. Nothing was changed. Register it first"],
            id="no-token",
        ),
    ],
)
def test_refused(host: Host, tasks: list[tuple[str, dict[str, t.Any]]], words: list[str]) -> None:
    output = host.run(*[(name, {"path": str(host.path), **options}) for name, options in tasks], rc=2)
    assert [word for word in words if word not in output] == []
    assert not host.path.exists()


def test_info_shows_no_secret(host: Host) -> None:
    host.path.write_text('[[runners]]\nname = "a"\ntoken = "glrt-NeverShown00"\nenvironment = ["A=NeverShown"]\n')
    options = {"path": str(host.path)}
    output = host.run(
        ("gitlab_runner_config_info", options),
        ("gitlab_runner_config_info", {**options, "include_secrets": True}),
        flags=["-vvvv"],
    )
    assert "NeverShown" not in output
    assert json.dumps("A=********") in output


def test_a_lost_answer_to_a_create_makes_no_second_runner(host: Host) -> None:
    host.twin.client.set_faults([{"method": "POST", "path": "/user/runners", "after": True, "times": 1}])
    tasks = _registration(host, [BUILD])
    output = host.run(tasks, rc=2)
    assert "Could not create runner 'build'" in output
    assert host.twin.admin_token not in output
    assert changed(host.run(tasks)) == 1
    assert [entry["name"] for entry in host.config["runners"]] == ["build"]
    assert len(host.twin.client.runners()) == 1


def test_a_lost_answer_is_remembered_beside_a_removal(host: Host) -> None:
    """What hands out a token is kept first, then the removal comes: it must not forget what is still open."""
    host.run(_registration(host, [TEST]))
    host.twin.client.set_faults([{"method": "POST", "path": "/user/runners", "after": True, "times": 1}])
    host.run(_registration(host, [BUILD, {**TEST, "state": "absent"}]), rc=2)
    assert host.config.get("runners", []) == []
    assert [one["description"] for one in host.twin.client.runners()] == ["build"]
    assert changed(host.run(_registration(host, [BUILD]))) == 1
    assert [one["token"] for one in host.config["runners"]] == [one["token"] for one in host.twin.client.runners()]


def test_a_text_that_lint_refuses_leaves_nothing_behind(host: Host) -> None:
    """With the smallest access token: it may not list, so an open intent would stop every later run."""
    host.program("gitlab-runner", REFUSING)
    token = host.twin.token(["create_runner", "manage_runner"])
    assert "deleted again" in host.run(_registration(host, [BUILD], api_token=token), rc=2)
    assert host.twin.client.runners() == []
    assert [path.name for path in host.path.parent.iterdir()] == [".runner_system_id"]

    (host.bin / "gitlab-runner").unlink()
    assert changed(host.run(_registration(host, [BUILD], api_token=token))) == 1


def test_a_renewed_token_that_can_not_be_kept_is_named(host: Host) -> None:
    host.run(_registration(host, [BUILD]))
    host.program("gitlab-runner", REFUSING)
    output = host.run(_registration(host, [BUILD], rotate_tokens=True), rc=2)
    assert "the tokens of build had been renewed in GitLab" in output
    (host.bin / "gitlab-runner").unlink()
    assert "token on this host is refused" in host.run(_registration(host, [BUILD]), rc=2)
    assert changed(host.run(_registration(host, [BUILD], on_refused_token="reset"))) == 1
    assert changed(host.run(_registration(host, [BUILD]))) == 0


def test_runners_of_another_gitlab_are_left_alone(host: Host) -> None:
    """Ids repeat from one GitLab to the next: what is on disk for another one says nothing about this one's."""
    host.run(_registration(host, [BUILD]))
    (ours,) = host.twin.client.runners()
    theirs = f'[[runners]]\nname = "old"\nurl = "https://b"\nid = {ours["id"]}\ntoken = "glrt-ofAnotherGitLab"\n'
    host.path.write_text(theirs)
    output = host.run(_registration(host, [{"name": "old", "state": "absent"}]), rc=2)
    assert "belongs to https://b, not to this GitLab" in output
    assert changed(host.run(_registration(host, [TEST], purge=True))) == 1, "only the new one came"
    assert ours["token"] in {one["token"] for one in host.twin.client.runners()}
    assert [one["name"] for one in host.config["runners"]] == ["old", "test"]


def _registration(host: Host, runners: list[dict[str, t.Any]], **more: t.Any) -> tuple[str, dict[str, t.Any]]:
    options = {
        "api_url": host.twin.url, "api_token": host.twin.admin_token, "runners": runners, "url": host.twin.url,
        "config_path": str(host.path), "service": SERVICE,
    }  # fmt: skip
    return "gitlab_runner_registration", {**options, **more}
