# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of versions, batched background migrations, upgrades that come too early (server facts 5.5)."""

from __future__ import annotations

import re

import pytest
from testbed.gitlab_server.rails import background
from testbed.gitlab_server.rails.migrations import STOPS, insisted_on_by, known_to, queued_by
from testbed.gitlab_server.releases import MINORS

from .conftest import Instance

OPEN = "SELECT count(*) FROM batched_background_migrations WHERE status NOT IN (3, 6)"


@pytest.fixture
def upgraded(gitlab: Instance) -> Instance:
    """A loaded 18.8 whose package became 18.11 just now."""
    assert gitlab.rake("twin:load[10]").rc == 0
    gitlab.install("18.11.9")
    assert gitlab.rake("db:migrate").rc == 0
    return gitlab


def let_sidekiq_work(gitlab: Instance, seconds: int = 60) -> None:
    for _second in range(seconds):
        background.advance(at=gitlab.places)


def test_every_minor_has_more_than_the_one_before() -> None:
    versions = [[one.version for one in known_to(minor.number)] for minor in MINORS]
    for older, newer in zip(versions, versions[1:]):
        assert newer[: len(older)] == older
        assert len(newer) > len(older)
    assert versions[-1] == sorted(set(versions[-1]))


def test_what_a_stop_queues_is_insisted_on_after_it() -> None:
    for stop in STOPS:
        after = next((minor.number for minor in MINORS if minor.number > stop), None)
        if after is not None:
            assert set(queued_by(stop)) <= set(insisted_on_by(after))


def test_a_fresh_instance_has_nothing_to_do(gitlab: Instance) -> None:
    assert gitlab.sql(OPEN) == "0"
    assert "down" not in gitlab.rake("db:migrate:status").stdout


def test_status_shows_what_is_not_applied(gitlab: Instance) -> None:
    gitlab.install("18.9.8")
    lines = gitlab.rake("db:migrate:status").stdout.splitlines()
    assert lines[1:4] == ["database: gitlabhq_production", "", " Status   Migration ID    Migration Name"]
    down = [line for line in lines if line.startswith("  down")]
    assert re.fullmatch(r"  down    \d{14}  FinalizeBackfillsBefore1809", down[0])
    assert len(down) == 5
    gitlab.rake("db:migrate")
    assert "down" not in gitlab.rake("db:migrate:status").stdout


def test_migrations_progress_while_sidekiq_runs(upgraded: Instance) -> None:
    before = int(upgraded.sql(OPEN))
    assert before > 0
    lines = upgraded.rake("gitlab:background_migrations:status").stdout.splitlines()
    assert lines[0] == "Database: main"
    assert "active   | BackfillMergeRequestsShardingKeyV1811,merge_requests,id,[]" in lines
    let_sidekiq_work(upgraded, 1)
    assert upgraded.sql("SELECT count(*) FROM batched_background_migration_jobs") != "0"
    let_sidekiq_work(upgraded)
    assert upgraded.sql(OPEN) == "0"


def test_nothing_progresses_without_a_database(upgraded: Instance) -> None:
    upgraded.places.socket.unlink()
    let_sidekiq_work(upgraded)
    upgraded.places.socket.touch()
    assert upgraded.sql(OPEN) != "0"


def test_too_early(upgraded: Instance) -> None:
    upgraded.install("19.0.2")
    done = upgraded.rake("db:migrate")
    assert done.rc == 1
    text = re.search(
        r"Expected batched background migration for the given configuration to be marked as 'finished', but it is "
        r"'active':\t(.*)\n\nFinalize it manually by running the following command in a `bash` or `sh` shell:\n\n"
        r"\tsudo gitlab-rake gitlab:background_migrations:finalize\[(.*)\]\n",
        done.stderr,
    )
    assert text is not None
    assert text.group(2) == r"BackfillEventsShardingKeyV189,events,id,'[]'"
    assert upgraded.sql("SELECT count(*) FROM schema_migrations WHERE version > '202605'") == "0"
    let_sidekiq_work(upgraded)
    assert upgraded.rake("db:migrate").rc == 0


def test_no_stop_can_be_left_early(gitlab: Instance) -> None:
    gitlab.places.database().unlink()
    gitlab.install(f"{STOPS[0][0]}.{STOPS[0][1]}.0")
    assert gitlab.rake("gitlab:db:configure").rc == 0
    gitlab.rake("twin:load[3]")
    gitlab.install(f"{STOPS[1][0]}.{STOPS[1][1]}.0")
    # What was loaded came after the first stop's migrations: they had nothing to do.
    assert gitlab.rake("db:migrate").rc == 0
    for number in (*STOPS[2:], MINORS[-1].number):
        gitlab.install(f"{number[0]}.{number[1]}.0")
        assert gitlab.rake("db:migrate").rc == 1, number
        let_sidekiq_work(gitlab)
        assert gitlab.sql(OPEN) == "0"
        assert gitlab.rake("db:migrate").rc == 0, number


def test_finalize_as_the_message_says(upgraded: Instance) -> None:
    # The shell takes the quotes away; the commas of the arguments are escaped.
    task = r'gitlab:background_migrations:finalize[CopyUsersColumnToBigintV1811,users,id,[["id"]\,["id_to_bigint"]]]'
    done = upgraded.rake(task)
    assert (done.rc, done.stdout) == (0, "Done.\n")
    query = "SELECT status FROM batched_background_migrations WHERE job_class_name = 'CopyUsersColumnToBigintV1811'"
    assert upgraded.sql(query) == "6"
    assert upgraded.rake("gitlab:background_migrations:finalize[No,users,id,[]]").rc == 1
    assert upgraded.rake("gitlab:background_migrations:finalize[No]").rc == 1


def test_stuck(upgraded: Instance) -> None:
    upgraded.fault("migrations-stuck")
    before = upgraded.sql(OPEN)
    let_sidekiq_work(upgraded)
    assert upgraded.sql(OPEN) == before


def test_failed_and_retried(upgraded: Instance) -> None:
    upgraded.fault("migrations-failed", "BackfillEventsShardingKeyV189")
    let_sidekiq_work(upgraded)
    count = "puts Gitlab::Database::BackgroundMigration::BatchedMigration.with_status(:failed).count"
    assert upgraded.runner(count).stdout == "1\n"
    number = upgraded.sql("SELECT id FROM batched_background_migrations WHERE status = 4")
    upgraded.install("19.0.2")
    assert "but it is 'failed'" in upgraded.rake("db:migrate").stderr
    (upgraded.places.faults / "migrations-failed").unlink()
    upgraded.runner(f"Gitlab::Database::BackgroundMigration::BatchedMigration.find({number}).retry_failed_jobs!")
    let_sidekiq_work(upgraded)
    assert upgraded.rake("db:migrate").rc == 0


def test_runner_counts(upgraded: Instance) -> None:
    queued = "puts Gitlab::Database::BackgroundMigration::BatchedMigration.queued.count"
    assert upgraded.runner(queued).stdout == upgraded.sql(OPEN) + "\n"
    more = "ApplicationSetting.update_all(database_max_running_batched_background_migrations: 4)"
    assert upgraded.runner(more).rc == 0
    column = "database_max_running_batched_background_migrations"
    assert upgraded.sql(f"SELECT {column} FROM application_settings") == "4"
    assert upgraded.runner("puts Nothing.known").rc == 1


def test_a_migration_that_fails(gitlab: Instance) -> None:
    gitlab.install("18.9.8")
    gitlab.fault("migrate", "PG::LockNotAvailable: ERROR:  canceling statement due to lock timeout")
    done = gitlab.rake("gitlab:db:configure")
    assert done.rc == 1
    assert "all later migrations canceled:\n\nPG::LockNotAvailable" in done.stderr


@pytest.mark.parametrize("who", ["migrations", "sidekiq"])
def test_an_older_code_base_spoils_a_newer_schema(upgraded: Instance, who: str) -> None:
    before = upgraded.sql("SELECT count(*), max(id) FROM users")
    upgraded.install("18.8.7")
    if who == "migrations":
        assert upgraded.rake("gitlab:db:configure").rc == 0
    else:
        let_sidekiq_work(upgraded, 2)
    assert upgraded.sql("SELECT count(*), max(id) FROM users") != before
    assert "********** NO FILE **********" in upgraded.rake("db:migrate:status").stdout


def test_the_same_version_again_changes_nothing(gitlab: Instance) -> None:
    before = gitlab.sql("SELECT count(*), max(id) FROM users")
    done = gitlab.rake("gitlab:db:configure")
    assert (done.rc, done.stdout) == (0, "")
    assert gitlab.sql("SELECT count(*), max(id) FROM users") == before
