# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registry credentials beside those of others: what is written, in which order, and what is never removed."""

from __future__ import annotations

import base64
import json
import pathlib
import subprocess
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _registry_auth as registry

ONE = {"r.example.com:5000": {"username": "puller", "password": "Secret:1"}}
AUTH = base64.b64encode(b"puller:Secret:1").decode()
OTHERS = {"auths": {"own.example.com": {"auth": "b3du"}}, "credsStore": "secretservice"}
SERVICE = "gitlab-runner"


def carried_out(files: dict[str, str], plan: registry.RegistryPlan, *, steps: int | None = None) -> dict[str, str]:
    """The files after the plan, or after its first steps."""
    for write in plan.writes[:steps]:
        assert files.get(write.path) == write.before
        files = {**files, write.path: write.content}
    return files


def settled(files: dict[str, str], registries: registry.Registries, service: str = SERVICE) -> dict[str, str]:
    after = carried_out(files, registry.plan(files, service, registries))
    assert registry.plan(after, service, registries).writes == ()
    return after


def auths(files: t.Mapping[str, str]) -> dict[str, t.Any]:
    return dict(json.loads(files[registry.CONFIG])["auths"])


def test_nothing_declared_writes_nothing() -> None:
    assert registry.plan({}, SERVICE, {}).writes == ()
    assert registry.plan({registry.CONFIG: json.dumps(OTHERS)}, SERVICE, {}).writes == ()


def test_what_others_wrote_stays() -> None:
    files = settled({registry.CONFIG: json.dumps(OTHERS)}, ONE)
    assert json.loads(files[registry.CONFIG]) == {
        "auths": {"own.example.com": {"auth": "b3du"}, "r.example.com:5000": {"auth": AUTH}},
        "credsStore": "secretservice",
    }
    assert json.loads(settled(files, {})[registry.CONFIG]) == OTHERS


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
@pytest.mark.parametrize("after", [pytest.param({}, id="removed"), pytest.param(ONE, id="added")])
def test_a_run_that_is_killed_between_two_writes_is_finished(steps: int, after: registry.Registries) -> None:
    before = {} if after else settled({}, ONE)
    files = carried_out(before, registry.plan(before, SERVICE, after), steps=steps)
    assert auths(settled(files, after)) == {host: {"auth": AUTH} for host in after}


def test_an_entry_that_someone_changed_since_is_theirs() -> None:
    files = settled({}, ONE)
    mine = json.loads(files[registry.CONFIG])
    mine["auths"]["r.example.com:5000"] = {"auth": "b3RoZXI="}
    files[registry.CONFIG] = json.dumps(mine)
    assert auths(settled(files, {})) == {"r.example.com:5000": {"auth": "b3RoZXI="}}
    assert registry.plan(files, SERVICE, ONE).set == ("r.example.com:5000",), "declared, so it is put back"


def test_services_of_one_host_share_an_entry() -> None:
    files = settled(settled({}, ONE), ONE, "second")
    files = settled(files, {}, "second")
    assert auths(files) == {"r.example.com:5000": {"auth": AUTH}}
    assert auths(settled(files, {})) == {}


def test_a_login_token_would_win() -> None:
    text = json.dumps({"auths": {"r.example.com:5000": {"auth": AUTH, "identitytoken": "x"}}})
    assert registry.plan({registry.CONFIG: text}, SERVICE, ONE).set == ("r.example.com:5000",)


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": []}'])
def test_a_broken_file_is_left_alone(text: str) -> None:
    with pytest.raises(registry.RegistryError, match=r"config\.json on the host .* Repair it, or remove it"):
        registry.plan({registry.CONFIG: text}, SERVICE, ONE)


@pytest.mark.parametrize(
    ("registries", "message"),
    [
        ({"https://r.example.com": ONE["r.example.com:5000"]}, "give the registry's host, and its port"),
        ({"r": {"username": "u"}}, "must have a username and a password"),
        ({"r": {"username": "u", "password": ""}}, "strings that are not empty"),
        ({"r": {"username": "u", "password": 1234567}}, "quote numbers"),
        ({"r": {"username": "a:b", "password": "SecretX"}}, "holds a colon"),
    ],
)
def test_faults_name_no_secret(registries: t.Any, message: str) -> None:
    with pytest.raises(registry.RegistryError, match=message) as caught:
        registry.plan({}, SERVICE, registries)
    assert "SecretX" not in str(caught.value)
    assert "1234567" not in str(caught.value)


def test_docker_hub_has_a_name_of_its_own() -> None:
    assert not list(registry.problems({registry.DOCKER_HUB: {"username": "u", "password": "p"}}))


def test_no_secret_is_in_a_plan_that_is_shown() -> None:
    assert AUTH not in repr(registry.plan({}, SERVICE, ONE))


@pytest.mark.parametrize(
    ("before", "now", "status"),
    [(None, None, 0), (None, "x", 75), ("x", "x", 0), ("x", "y", 75), ("x", None, 75)],
)
def test_a_write_is_guarded(tmp_path: pathlib.Path, before: str | None, now: str | None, status: int) -> None:
    path = tmp_path / "with space.json"
    if now is not None:
        path.write_text(now)
    guard = registry.Write(str(path), "new", before).guard()
    done = subprocess.run(["/bin/sh", "-c", guard], capture_output=True, timeout=20, check=False)
    assert done.returncode == status
