# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Background migrations: the SQL on a real PostgreSQL, waiting, and what is done about those that do not end."""

from __future__ import annotations

import pathlib
import re
import shlex
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _gitlab_migrations,
    _gitlab_migrations_act,
    _gitlab_psql,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_migrations import Migration, Places, State
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed
from testbed import postgresql
from unit.plugins.module_utils import migration_tables
from unit.plugins.module_utils.psql import Psql

NOWHERE = Places("/nonexistent", "/nonexistent")
SPLIT = """\
production:
  main:
    adapter: postgresql
    database: gitlabhq_production
    host: "/var/opt/gitlab/postgresql"
  ci:
    database: "gitlabhq_production_ci"
    database_tasks: true
  geo:
    database: gitlabhq_geo
"""


def migration(number: int = 1, status: str = "active", **more: t.Any) -> Migration:
    known: dict[str, t.Any] = {"database": "main", "rows": 0, "done": 0, "job_arguments": "[]", **more}
    return Migration(id=number, status=status, job_class_name="Backfill", table_name="notes", column_name="id", **known)


def test_what_is_left_is_asked_of_the_database(cluster: postgresql.Cluster, database: str, gitlab_psql: Psql) -> None:
    cluster.sql(migration_tables.TABLES, database)
    state = _gitlab_migrations.look(gitlab_psql, NOWHERE)
    assert state.counts == {"active": 1, "finished": 1, "failed": 1, "finalized": 2, "9": 1}
    assert [(one.id, one.status, one.rows, one.done, one.percent) for one in state.left] == [
        (4, "failed", 0, 0, None),
        (5, "9", 200, 0, 0),
        (6, "active", 200, 90, 45),
    ]
    assert state.left[0].job_arguments == r'[["id", "x|y"], "a\\b"]'
    assert state.queued_at == pytest.approx(_gitlab_migrations.seconds("2026-11-24 07:20:09+00"))
    assert state.failed == state.left[:1]
    assert state.stuck
    assert not state.ended
    assert len(gitlab_psql.calls) == 1


def test_every_database_is_asked(
    cluster: postgresql.Cluster, database: str, gitlab_psql: Psql, tmp_path: pathlib.Path
) -> None:
    cluster.sql(migration_tables.TABLES, database)
    cluster.sql("CREATE DATABASE gitlabhq_production_ci")
    try:
        cluster.sql(migration_tables.TABLES, "gitlabhq_production_ci")
        cluster.sql("DELETE FROM batched_background_migrations WHERE status <> 4", "gitlabhq_production_ci")
        (tmp_path / "database.yml").write_text(SPLIT)
        state = _gitlab_migrations.look(gitlab_psql, Places(str(tmp_path / "database.yml"), "/nonexistent"))
    finally:
        cluster.sql("DROP DATABASE gitlabhq_production_ci WITH (FORCE)")
    assert [(one.database, one.id) for one in state.left] == [("main", 4), ("main", 5), ("main", 6), ("ci", 4)]
    assert state.counts["failed"] == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {"main": None}, id="no-file"),
        pytest.param(
            "production:\n  adapter: postgresql\n  database: gitlabhq_production\n", {"main": None}, id="old-form"
        ),
        pytest.param(SPLIT, {"main": None, "ci": "gitlabhq_production_ci"}, id="split"),
        pytest.param(SPLIT.replace("production_ci", "production"), {"main": None}, id="two-connections-to-one"),
    ],
)
def test_databases(text: str, expected: dict[str, str | None]) -> None:
    assert _gitlab_migrations.databases(text) == expected


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("1970-01-01 00:00:10+00", 10.0),
        ("1970-01-01 01:00:10.5+01", 10.0),
        ("1970-01-01 05:30:10+05:30", 10.0),
        ("1969-12-31 19:00:10-05", 10.0),
        ("1970-01-01 00:00:10", 10.0),
    ],
)
def test_times_as_postgresql_prints_them(stamp: str, expected: float) -> None:
    assert _gitlab_migrations.seconds(stamp) == expected


def test_what_is_no_time_is_said() -> None:
    with pytest.raises(ValueError, match="'soon' is no time"):
        _gitlab_migrations.seconds("soon")


STATES = [
    pytest.param([], 0, True, False, id="none"),
    pytest.param([migration()], 0, False, False, id="active"),
    pytest.param([migration(), migration(2, "paused")], 0, False, False, id="one-paused"),
    pytest.param([migration(2, "paused")], 0, False, True, id="all-paused"),
    pytest.param([migration(), migration(2, "failed")], 0, False, True, id="one-failed"),
    pytest.param([migration(2, "finalizing")], 0, False, False, id="finalizing"),
    pytest.param([], 7, False, False, id="in-queues"),
    pytest.param([migration(2, "paused")], 7, False, False, id="paused-but-queues-move"),
]


@pytest.mark.parametrize(("left", "queues", "ended", "stuck"), STATES)
def test_whether_to_wait(left: list[Migration], queues: int, ended: bool, stuck: bool) -> None:
    state = State({}, tuple(left), None, queues)
    assert (state.ended, state.stuck) == (ended, stuck)


class Server:
    """gitlab-psql with an answer a look, and Rails."""

    def __init__(self, *answers: str, rails: t.Sequence[Completed] = ()) -> None:
        self.answers = list(answers)
        self.rails = list(rails)
        self.commands: list[t.Sequence[str]] = []

    def __call__(self, argv: t.Sequence[str], **_more: t.Any) -> Completed:
        if argv[0] == _gitlab_psql.GITLAB_PSQL:
            return Completed(0, self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        self.commands.append(argv)
        return self.rails.pop(0)


def row(number: int, status: int, done: int = 0) -> str:
    return f"left|{number}|{status}|100|{done}|Backfill|notes|id|[]\n"


def test_waiting_ends_when_nothing_is_left() -> None:
    server = Server(row(1, 1), row(1, 1, 50), "status|6|1|2026-11-24 07:20:09+00\n")
    said: list[State] = []
    state = _gitlab_migrations.wait(server, 60, said.append, pause=0, places=NOWHERE)
    assert state.ended
    assert [_gitlab_migrations.progress(one) for one in said] == [
        "background migrations left: 1, now Backfill on notes (0 %)",
        "background migrations left: 1, now Backfill on notes (50 %)",
        "no background migration is left",
    ]


def test_waiting_ends_when_one_fails() -> None:
    state = _gitlab_migrations.wait(Server(row(1, 1), row(1, 4)), 60, lambda _one: None, pause=0, places=NOWHERE)
    assert state.stuck


def test_waiting_ends_when_time_is_up() -> None:
    state = _gitlab_migrations.wait(Server(row(1, 1)), 0, lambda _one: None, places=NOWHERE)
    assert not state.ended
    assert not state.stuck
    assert _gitlab_migrations_act.remedy(state).startswith("Time is up, and background migrations left: 1")


def test_a_database_that_does_not_answer_is_no_end() -> None:
    with pytest.raises(_gitlab_psql.DatabaseError):
        _gitlab_migrations.wait(
            lambda *_argv, **_more: Completed(2, "", "could not connect"), 60, lambda _one: None, places=NOWHERE
        )


@pytest.mark.parametrize(
    ("version", "asked"), [("14.10.5", True), ("15.0.5-ee", True), ("15.1.0", False), ("18.8.11", False)]
)
def test_older_versions_also_have_them_in_queues(tmp_path: pathlib.Path, version: str, asked: bool) -> None:
    (tmp_path / "VERSION").write_text(version)
    server = Server("", rails=[Completed(0, "some warning\n3\n")])
    state = _gitlab_migrations.look(server, Places("/nonexistent", str(tmp_path / "VERSION")))
    assert state.in_queues == (3 if asked else 0)
    assert bool(server.commands) == asked


def test_rails_that_does_not_start_is_said(tmp_path: pathlib.Path) -> None:
    (tmp_path / "VERSION").write_text("14.10.5")
    with pytest.raises(OSError, match=r"exit status 1.*broken"):
        _gitlab_migrations.look(
            Server("", rails=[Completed(1, "", "broken")]), Places("/nonexistent", str(tmp_path / "VERSION"))
        )


def rake_splits(text: str) -> list[str]:
    """As Rake's parse_task_string reads what is between the brackets."""
    found: list[str] = []
    rest: str | None = re.fullmatch(r"[^\[]+\[(.*)\]", text)[1]  # type: ignore[index]
    while rest is not None:
        match = t.cast("re.Match[str]", re.match(r"\s*((?:[^\\,]|\\.)*?)\s*(?:,\s*(.*))?$", rest))
        found.append(re.sub(r"\\(.)", r"\1", match[1]))
        rest = match[2]
    return found


@pytest.mark.parametrize("arguments", ["[]", '["a", "b"]', r'[["id", "x|y"], "a\\b"]', '["it\'s", "[1,2]"]'])
def test_the_command_says_to_rake_what_is_meant(arguments: str) -> None:
    one = migration(status="failed", job_arguments=arguments)
    program, task = shlex.split(_gitlab_migrations_act.command(one))
    assert program == "gitlab-rake"
    assert task.startswith("gitlab:background_migrations:finalize[")
    assert rake_splits(task) == ["Backfill", "notes", "id", arguments]


def test_failed_ones_are_named_with_their_command() -> None:
    words = _gitlab_migrations_act.remedy(State({}, (migration(7, "failed", job_arguments='["a", "b"]'),)))
    assert 'Backfill on notes.id ["a", "b"]' in words
    assert r"""sudo gitlab-rake 'gitlab:background_migrations:finalize[Backfill,notes,id,["a"\, "b"]]'""" in words
    assert "resume: true" in words


def test_paused_ones_are_named() -> None:
    assert "Backfill on notes.id []" in _gitlab_migrations_act.remedy(State({}, (migration(7, "paused"),)))


def test_resuming_is_one_start_of_rails() -> None:
    state = State(
        {}, (migration(4, "failed"), migration(5), migration(6, "paused"), migration(9, "failed", database="ci"))
    )
    server = Server("", rails=[Completed(0, "")])
    assert [one.id for one in _gitlab_migrations_act.resume(server, state)] == [4, 6, 9]
    model = "Gitlab::Database::BackgroundMigration::BatchedMigration"
    assert server.commands[0][-1] == (
        f"{model}.find(4).retry_failed_jobs!; {model}.find(6).execute!; Gitlab::Database::SharedModel.using_connection("
        f"Gitlab::Database.database_base_models['ci'].connection) {{ {model}.find(9).retry_failed_jobs! }}"
    )
    assert _gitlab_migrations_act.resume(Server(""), State({}, (migration(),))) == []


def test_a_refused_resume_is_said() -> None:
    server = Server("", rails=[Completed(1, "", "no such model")])
    with pytest.raises(_gitlab_migrations_act.ActFailed, match="ended with 1: no such model"):
        _gitlab_migrations_act.resume(server, State({}, (migration(4, "failed"),)))


def test_finalizing_names_the_database_where_rake_asks_for_it() -> None:
    state = State({}, (migration(4), migration(5, database="ci")))
    server = Server(
        "", rails=[Completed(1, "Please specify the database\n"), Completed(0, "Done."), Completed(0, "Done.")]
    )
    said: list[str] = []
    assert _gitlab_migrations_act.finalize(server, state, said.append) == list(state.left)
    task = "gitlab:background_migrations:finalize"
    assert [command[1].partition("[")[0] for command in server.commands] == [task, f"{task}:main", f"{task}:ci"]
    assert len(said) == 2


def test_a_migration_that_cant_be_finalized_is_named() -> None:
    server = Server("", rails=[Completed(1, "rake aborted!\nan error in a batch")])
    with pytest.raises(
        _gitlab_migrations_act.ActFailed, match=r"finalize Backfill on notes\.id(?s:.*)an error in a batch"
    ):
        _gitlab_migrations_act.finalize(server, State({}, (migration(4, "failed"),)), lambda _words: None)
