# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands against an upgrade: one finding for each fault, and none for a server that is well."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_lock,
    _host_command,
    _upgrade_facts,
    _upgrade_preflight,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_migrations import Migration, State
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_facts import Asked, Facts, Room
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_preflight import Needs

GIB = 1 << 30
ROOMS = {
    "packages": Room("/var/cache/dnf", 1, 20 * GIB),
    "program": Room("/opt/gitlab", 1, 20 * GIB),
    "postgresql": Room("/var/opt/gitlab/postgresql", 2, 50 * GIB),
    "sets": Room("/backups", 3, 100 * GIB),
    "backup_path": Room("/var/opt/gitlab/backups", 2, 50 * GIB),
}
WELL = Facts(migrations=State({"finished": 3}), rooms=ROOMS, set_bytes=10 * GIB, installed_ago=86400.0)
NEEDS = Needs(stops=3, postgresql=8 * GIB, download=GIB, program=3 * GIB)


def migration(status: str) -> Migration:
    return Migration("main", 1, status, 0, 0, "Backfill", "notes", "id", "[]")


FINDINGS = [
    pytest.param({}, NEEDS, [], id="well"),
    pytest.param({"services": ("puma: down, 1s, normally up",)}, NEEDS, ["Services do not run: puma"], id="down"),
    pytest.param({"services": ("puma: fail, runsv not running",)}, NEEDS, ["not supervised (puma"], id="unsupervised"),
    pytest.param(
        {"services": ("nginx: fail, runsv not running", "puma: down, 1s")},
        NEEDS,
        ["not supervised (nginx", "do not run: puma"],
        id="both",
    ),
    pytest.param({"services_error": "named no service"}, NEEDS, ["can't be asked: named no service"], id="no-services"),
    pytest.param({"readiness": "HTTP 502: starting"}, NEEDS, ["not ready: HTTP 502"], id="not-ready"),
    pytest.param({"configured": False}, NEEDS, ["did not come to its end"], id="half-configured"),
    pytest.param({"check_config": "* spamcheck has"}, NEEDS, ["refuses the next version: * spamcheck"], id="config"),
    pytest.param(
        {"migrations": State({}, (migration("active"),))}, NEEDS, ["have not ended (1)"], id="migrations-left"
    ),
    pytest.param({"migrations": State({}, (), None, 9)}, NEEDS, ["have not ended (9)"], id="migrations-in-queues"),
    pytest.param({"migrations": State({}, (migration("failed"),))}, NEEDS, ["have failed (1)"], id="migrations-failed"),
    pytest.param(
        {"migrations": State({}, (migration("paused"),))}, NEEDS, ["Somebody has paused"], id="migrations-paused"
    ),
    pytest.param({"migrations": None, "migrations_error": "no answer"}, NEEDS, ["no answer"], id="migrations-unknown"),
    pytest.param({"installed_ago": 20.0}, NEEDS, ["installed 20 s ago"], id="too-soon"),
    pytest.param({"busy": ("dnf is at work",)}, NEEDS, ["dnf is at work"], id="dnf"),
    pytest.param({"half": "The restore of 1 was stopped."}, NEEDS, ["The restore of 1"], id="half-restored"),
    pytest.param({}, dataclasses.replace(NEEDS, stops=10), ["file system of /backups"], id="no-room-for-sets"),
    pytest.param({}, dataclasses.replace(NEEDS, download=18 * GIB), ["/var/cache/dnf"], id="no-room-for-packages"),
    pytest.param({}, dataclasses.replace(NEEDS, postgresql=30 * GIB), ["two copies"], id="no-room-for-postgresql"),
    pytest.param({"set_bytes": None}, NEEDS, ["No backup set is here"], id="no-set-yet"),
]


@pytest.mark.parametrize(("more", "needs", "expected"), FINDINGS)
def test_findings(more: dict[str, t.Any], needs: Needs, expected: list[str]) -> None:
    found = _upgrade_preflight.findings(dataclasses.replace(WELL, **more), needs)
    assert len(found) == len(expected)
    for finding, words in zip(found, expected):
        assert words in finding.what
        assert finding.remedy
    assert bool(_upgrade_preflight.blocked(found)) == bool(expected and more != {"set_bytes": None})


def test_what_lies_on_one_file_system_is_added_up() -> None:
    """Neither PostgreSQL's copies nor the backup alone are too much."""
    rooms = {**ROOMS, "postgresql": Room("/var/opt/gitlab/postgresql", 2, 25 * GIB)}
    rooms["backup_path"] = Room("/var/opt/gitlab/backups", 2, 25 * GIB)
    (found,) = _upgrade_preflight.findings(dataclasses.replace(WELL, rooms=rooms), NEEDS)
    assert "30.0 GiB are needed" in found.what
    assert "two copies of PostgreSQL's data 8.0 GiB" in found.what
    assert "a backup while it is made 22.0 GiB" in found.what


def test_too_soon_says_how_long_to_wait() -> None:
    (found,) = _upgrade_preflight.findings(dataclasses.replace(WELL, installed_ago=20.0), NEEDS)
    assert found.wait == pytest.approx(40)


def test_blocking_findings_are_told_together_and_numbered() -> None:
    facts = dataclasses.replace(WELL, busy=("dnf is at work",), configured=False)
    words = _upgrade_preflight.blocked(_upgrade_preflight.findings(facts, NEEDS))
    assert words.startswith("(1) dnf is at work. Wait until it has ended (2) The last reconfigure")


def test_facts_travel_as_json() -> None:
    facts = dataclasses.replace(WELL, migrations=State({"failed": 1}, (migration("failed"),), 1.5), busy=("dnf",))
    assert Facts.from_json(json.loads(json.dumps(facts.as_json()))) == facts
    assert (
        Facts.from_json(json.loads(json.dumps(dataclasses.replace(WELL, migrations=None).as_json()))).migrations is None
    )


class Programs:
    """Answers by the program's name."""

    def __init__(self, **answers: Completed) -> None:
        self.answers = answers

    def __call__(self, argv: t.Sequence[str], **_more: t.Any) -> Completed:
        name = "check_config" if "check-config" in argv else pathlib.Path(argv[0]).name.replace("-", "_")
        return self.answers.get(name, Completed(_host_command.NOT_FOUND, "", f"{argv[0]}: not found"))


STATUS = "run: puma: (pid 1) 7s; run: log: (pid 2) 7s\ndown: sidekiq: 3s, normally up; run: log: (pid 3) 900s\n"


def test_a_look_says_what_it_can_and_why_not(tmp_path: pathlib.Path) -> None:
    run = Programs(
        gitlab_ctl=Completed(3, STATUS),
        gitlab_psql=Completed(0, "status|6|2|2026-11-24 07:20:09+00\n"),
        check_config=Completed(1, "* spamcheck has been deprecated\nDeprecations found.\n"),
        rpm=Completed(1, "1000\npackage gitlab-ee is not installed\n"),
    )
    facts = _upgrade_facts.look(Asked("19.2", str(tmp_path), str(tmp_path), str(tmp_path)), run)
    assert facts.services == ("sidekiq: down, 3s, normally up",)
    assert facts.check_config.startswith("* spamcheck")
    assert facts.migrations == State({"finalized": 2}, (), facts.migrations and facts.migrations.queued_at)
    assert facts.set_bytes is None
    assert facts.busy == ()
    assert t.cast(float, facts.installed_ago) > 0
    assert set(facts.rooms) == {"packages", "program", "postgresql", "sets", "backup_path"}


def test_a_look_at_a_server_that_is_not_there(tmp_path: pathlib.Path) -> None:
    facts = _upgrade_facts.look(Asked("19.2", str(tmp_path), str(tmp_path), str(tmp_path)), Programs())
    assert "127" in facts.services_error
    assert "127" in facts.migrations_error
    assert facts.check_config
    assert facts.installed_ago is None


def test_a_backup_at_work_is_seen_by_its_lock(tmp_path: pathlib.Path) -> None:
    holder = {
        "pid": os.getppid(),
        "started": _backup_lock.process_started(os.getppid()),
        "words": "A backup by the timer",
    }
    (tmp_path / _backup_lock.LOCK).write_text(json.dumps(holder))
    facts = _upgrade_facts.look(Asked("19.2", str(tmp_path), str(tmp_path), str(tmp_path)), Programs())
    assert facts.busy == (f"A backup by the timer is at work (process {os.getppid()})",)
    (tmp_path / _backup_lock.LOCK).write_text(json.dumps({**holder, "started": 1}))
    again = _upgrade_facts.look(Asked("19.2", str(tmp_path), str(tmp_path), str(tmp_path)), Programs())
    assert again.busy == ()


def test_dnf_at_work_is_seen_by_its_pid_file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "metadata_lock.pid"
    monkeypatch.setattr(_upgrade_facts, "DNF_LOCKS", (str(lock),))
    for pid, expected in ((str(os.getpid()), 1), ("4194305", 0), ("", 0)):
        lock.write_text(pid)
        facts = _upgrade_facts.look(Asked("19.2", str(tmp_path), str(tmp_path), str(tmp_path)), Programs())
        assert len(facts.busy) == expected


def test_words_of_several_lines_are_one_sentence() -> None:
    finding = _upgrade_preflight.Finding("psql said: no such file\n\tIs the server running?", "See that it runs")
    assert str(finding) == "psql said: no such file Is the server running? See that it runs"
