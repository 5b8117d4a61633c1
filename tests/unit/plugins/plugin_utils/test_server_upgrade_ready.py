# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a host's answer to a plan and to what stands against it; and answers that are none."""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_preflight import Needs
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _server_upgrade_read,
    _server_upgrade_ready,
    _server_upgrade_table,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_plan import Wanted
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_postgresql import Moved, PlanError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_read import Offer, ReadError, State

GIB = 1 << 30
DATA = "/var/opt/gitlab/postgresql"
VERSIONS = ("18.8.11", "18.11.11", "19.0.8", "19.2.4", "19.3.2")
OFFERS = tuple(Offer("gitlab-ce", f"{version}-ce.0.el9", GIB, 3 * GIB) for version in VERSIONS)
HERE = State(
    packages={"gitlab-ce": "18.8.11-ce.0.el9"},
    system=("el", "9"),
    postgresql=16,
    postgresql_bytes=GIB,
    postgresql_free=10 * GIB,
    config="external_url 'http://gitlab.corp.test'\n",
    offers=OFFERS,
)


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


ANSWER = f"""\
package gitlab-ce 18.8.11-ce.0.el9
os.ID rocky
os.VERSION_ID 9.4
postgresql 16
postgresql.kib 1048576
postgresql.free 10485760
postgresql.left {DATA}/data.14
skip skip-auto-backup
config {encoded("external_url 'x'")}
journal {encoded(b"{}")}
offer gitlab-ce 18.11.11-ce.0.el9 1073741824 3221225472
offer gitlab-ce 18.9.8-ce.0.el9
dnf.said {encoded("a warning")}
end
"""


def test_the_answer_is_read() -> None:
    assert _server_upgrade_read.parse(ANSWER.replace("\n", "\r\n")) == State(
        packages={"gitlab-ce": "18.8.11-ce.0.el9"},
        system=("el", "9"),
        postgresql=16,
        postgresql_bytes=GIB,
        postgresql_free=10 * GIB,
        postgresql_left=(f"{DATA}/data.14",),
        skip_files=("skip-auto-backup",),
        config="external_url 'x'",
        journal=b"{}",
        offers=(Offer("gitlab-ce", "18.11.11-ce.0.el9", GIB, 3 * GIB), Offer("gitlab-ce", "18.9.8-ce.0.el9")),
        dnf_said="a warning",
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param("", "ends early", id="nothing"),
        pytest.param(ANSWER.replace("end\n", ""), "ends early", id="cut-off"),
        pytest.param("sh: rpm: command not found\n", "command not found", id="no-rpm"),
        pytest.param(ANSWER.replace("end\n", "root no\nend\n"), "become: true", id="not-root"),
    ],
)
def test_no_answer(answer: str, words: str) -> None:
    with pytest.raises(ReadError, match=words):
        _server_upgrade_read.parse(answer)


@pytest.mark.skipif(shutil.which("base64") is None, reason="needs coreutils")
def test_the_command_runs_where_nothing_is_there(tmp_path: pathlib.Path) -> None:
    """On this machine, with programs of a host that say nothing: an answer, whole, and without an offer."""
    for name, text in (("rpm", "exit 1"), ("dnf", "echo 'Error: no repository' >&2; exit 1"), ("id", "echo 0")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", _server_upgrade_read.command()],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    found = _server_upgrade_read.parse(done.stdout)
    assert found.offers == ()
    assert found.dnf_said == "Error: no repository"
    with pytest.raises(PlanError, match="not installed here"):
        _server_upgrade_ready.plan(found, Wanted())


def changed(**more: t.Any) -> State:
    return dataclasses.replace(HERE, **more)


def line(number: int, **fields: t.Any) -> bytes:
    return json.dumps({"format": 1, "n": number, "at": "2026-11-24T07:20:09Z", **fields}).encode() + b"\n"


STOPS = [
    {"version": "18.11.11", "package": "18.11.11-ce.0.el9", "postgresql_before": None, "postgresql": 17},
    {"version": "19.2.4", "package": "19.2.4-ce.0.el9", "postgresql_before": None, "postgresql": None},
]
ORIGIN = {"version": "18.8.11", "package": "18.8.11-ce.0.el9", "postgresql": 16}
OPENED = line(1, kind="opened", facts={"id": "u1", "origin": ORIGIN, "stops": STOPS})
BEGUN = OPENED + line(2, kind="about", stop=0, step="package")
TARGET = {"release": ORIGIN, "set": "1", "url": None, "upgrade": "u1", "stop": 0}
TURNED = BEGUN + line(3, kind="turned", facts={"target": TARGET, "reason": "x", "automatic": True})

REFUSED = [
    pytest.param({"packages": {}}, ["not installed here", "gitlab_install"], id="no-gitlab"),
    pytest.param(
        {"packages": {"gitlab-ce": "18.8.11-ce.0.el9", "gitlab-ee": "18.8.11-ee.0.el9"}},
        ["both installed"],
        id="both-editions",
    ),
    pytest.param({"packages": {"gitlab-ce": "18.8.11+git.1-0"}}, ["no release of GitLab"], id="a-build-of-their-own"),
    pytest.param(
        {"offers": (), "dnf_said": "Curl error (7)"},
        ["Curl error (7)", "repository answers", "exclude"],
        id="repository-down",
    ),
    pytest.param({"offers": ()}, ["it says nothing"], id="repository-disabled"),
    pytest.param({"journal": b"{}\n"}, ["can't be understood (line 1"], id="journal-broken"),
    pytest.param(
        {"journal": TURNED}, ["A rollback to 18.8.11 is unfinished", "gitlab_rollback"], id="rollback-unfinished"
    ),
    pytest.param({"journal": TURNED, "packages": {}}, ["A rollback to 18.8.11"], id="killed-between-two-packages"),
    pytest.param({"postgresql": 14}, ["PostgreSQL 14 runs"], id="postgresql-of-another-package"),
]


@pytest.mark.parametrize(("more", "words"), REFUSED)
def test_refused(more: dict[str, t.Any], words: list[str]) -> None:
    with pytest.raises(PlanError) as refused:
        _server_upgrade_ready.plan(changed(**more), Wanted())
    for word in words:
        assert word in str(refused.value)


def test_an_unfinished_upgrade_is_planned_on_from_its_stop() -> None:
    for packages in ({"gitlab-ce": "18.8.11-ce.0.el9"}, {"gitlab-ce": "18.11.11-ce.0.el9"}):
        found = _server_upgrade_ready.plan(changed(journal=BEGUN, packages=packages), Wanted("19.2"))
        assert [one.stop.version for one in found.stops] == ["19.2.4"]
        assert found.stops[0].postgresql_from == 17
    assert len(_server_upgrade_ready.plan(changed(journal=OPENED), Wanted("19.2")).stops) == 2


@pytest.mark.parametrize(
    ("more", "moved_by"),
    [
        pytest.param({}, Moved.PACKAGE, id="by-itself"),
        pytest.param({"skip_files": ("disable-postgresql-upgrade",)}, Moved.AFTER, id="disabled"),
        pytest.param({"config": "roles ['patroni_role']\n"}, Moved.AFTER, id="patroni"),
        pytest.param({"config": "postgresql['version'] = 16\n"}, Moved.AFTER, id="pinned"),
        pytest.param({"config": "# postgresql['version'] = 16\n"}, Moved.PACKAGE, id="a-comment"),
        pytest.param({"config": "postgresql['enable'] = false # elsewhere\n"}, None, id="external-by-configuration"),
        pytest.param({"postgresql": None}, None, id="no-data-directory"),
    ],
)
def test_who_moves_postgresql(more: dict[str, t.Any], moved_by: str | None) -> None:
    found = _server_upgrade_ready.plan(changed(**more), Wanted("18.11"))
    assert found.stops[0].moved_by == moved_by


FINDINGS = [
    pytest.param({}, [], id="none"),
    pytest.param({"config": "spamcheck['enable'] = true\n"}, ["sets spamcheck, which GitLab 19.0"], id="removed-later"),
    pytest.param({"config": "mattermost_external_url 'x'\n"}, [], id="removed-beyond-the-target"),
    pytest.param(
        {"config": "postgresql['version'] = 16\n"},
        ["postgresql['version'] is set", "does not move PostgreSQL"],
        id="pinned",
    ),
    pytest.param({"postgresql_left": (f"{DATA}/data.17",)}, [f"{DATA}/data.17 is left"], id="a-failed-move"),
    pytest.param({"postgresql_left": (f"{DATA}/data.16",)}, [f"{DATA}/data.16 is left"], id="a-move-back"),
    pytest.param({"postgresql_left": (f"{DATA}/data.14",)}, [], id="an-older-move"),
    pytest.param({"postgresql_free": GIB}, ["two copies while it moves, 2.0 GiB"], id="no-room"),
    pytest.param({"skip_files": ("skip-auto-reconfigure",)}, ["would migrate nothing"], id="skip-auto-reconfigure"),
    pytest.param({"skip_files": ("skip-auto-backup",)}, [], id="skip-auto-backup"),
    pytest.param({"skip_files": ("skip-fail-config-check",)}, ["goes on over settings"], id="skip-fail-config-check"),
    pytest.param(
        {"skip_files": ("disable-postgresql-upgrade",)}, ["does not move PostgreSQL by itself"], id="disabled"
    ),
]


@pytest.mark.parametrize(("more", "expected"), FINDINGS)
def test_findings(more: dict[str, t.Any], expected: list[str]) -> None:
    state = changed(**more)
    plan = _server_upgrade_ready.plan(state, Wanted("19.2"))
    found = _server_upgrade_ready.findings(state, plan)
    assert len(found) == len(expected)
    for finding, words in zip(found, expected, strict=True):
        assert words in finding.what
        assert finding.remedy
        assert str(finding) in _server_upgrade_table.table(plan, found)


def test_nothing_stands_against_staying() -> None:
    state = changed(skip_files=("skip-auto-reconfigure",), config="spamcheck['enable'] = true\n")
    assert _server_upgrade_ready.findings(state, _server_upgrade_ready.plan(state, Wanted("18.8.11"))) == []


def test_what_the_way_needs() -> None:
    plan = _server_upgrade_ready.plan(HERE, Wanted("19.2"))
    assert _server_upgrade_ready.needs(HERE, plan) == Needs(2, 2 * GIB, GIB, 3 * GIB)
