# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups that are put back: equal data, refusals, what a failure leaves (server facts 2)."""

from __future__ import annotations

import hashlib
import typing as t
from pathlib import Path

import pytest
from testbed.gitlab_server.rails import damage

from .conftest import Instance

YES = {"GITLAB_ASSUME_YES": "1", "force": "yes"}


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refs(gitlab: Instance) -> dict[str, list[str]]:
    return {
        str(path.parent.relative_to(gitlab.places.repositories)): sorted(
            line for line in path.read_text().splitlines() if not line.startswith("#")
        )
        for path in gitlab.places.repositories.rglob("packed-refs")
    }


def state(gitlab: Instance) -> tuple[t.Any, ...]:
    """What a fingerprint sees, and the files."""
    tables = ("users", "projects", "issues", "notes", "p_ci_builds", "keys", "schema_migrations")
    counts = [gitlab.sql(f"SELECT count(*) FROM {table}") for table in tables]
    return counts, refs(gitlab), tree(gitlab.places.uploads), tree(gitlab.places.shared), tree(gitlab.places.builds)


@pytest.fixture
def loaded(gitlab: Instance) -> Instance:
    assert gitlab.rake("twin:load[5]").rc == 0
    return gitlab


@pytest.mark.parametrize("kind", ["database", "repositories", "files"])
def test_lost_and_restored(loaded: Instance, kind: str) -> None:
    before = state(loaded)
    assert len(before[1]) == 5
    assert loaded.rake("gitlab:backup:create", BACKUP="mine").rc == 0
    damage.inflict(kind, loaded.places)
    if kind == "database":
        assert loaded.psql("-c", "SELECT 1").rc == 2
        assert loaded.rake("gitlab:db:configure").rc == 0  # reconfigure
    assert state(loaded) != before
    done = loaded.rake("gitlab:backup:restore", BACKUP="mine", **YES)
    assert (done.rc, done.stderr) == (0, "")
    assert "Restore task is done." in done.messages
    assert state(loaded) == before
    assert [path.name for path in loaded.places.backups.iterdir()] == ["mine_gitlab_backup.tar"]


def test_later_things_are_gone_afterwards(loaded: Instance) -> None:
    before = state(loaded)
    loaded.rake("gitlab:backup:create", BACKUP="mine")
    loaded.rake("twin:load[2]")
    assert state(loaded) != before
    assert loaded.rake("gitlab:backup:restore", BACKUP="mine", **YES).rc == 0
    assert state(loaded) == before


def test_the_web_services_own_store_comes_back(gitlab: Instance) -> None:
    from testbed.gitlab_server.rails import database

    store = database.make(gitlab.places, "gitlab_api")
    store.raw.executescript(
        "CREATE TABLE tokens (id INTEGER PRIMARY KEY, token TEXT); INSERT INTO tokens VALUES (1, 'x')"
    )
    assert gitlab.rake("gitlab:backup:create", BACKUP="mine").rc == 0
    store.raw.execute("DELETE FROM tokens")
    assert gitlab.rake("gitlab:backup:restore", BACKUP="mine", **YES).rc == 0
    assert store.value("SELECT token FROM tokens") == "x"


def test_an_incremental_backup_is_whole(loaded: Instance) -> None:
    loaded.rake("gitlab:backup:create", BACKUP="full")
    loaded.rake("twin:load[2]")
    before = state(loaded)
    done = loaded.rake("gitlab:backup:create", INCREMENTAL="yes", PREVIOUS_BACKUP="full", BACKUP="more")
    assert (done.rc, done.stderr) == (0, "")
    assert "Unpacking backup ... done" in done.messages
    (loaded.places.backups / "full_gitlab_backup.tar").unlink()
    damage.inflict("repositories", loaded.places)
    assert loaded.rake("gitlab:backup:restore", **YES).rc == 0
    assert state(loaded) == before


def test_an_incremental_backup_of_another_version(loaded: Instance) -> None:
    loaded.rake("gitlab:backup:create", BACKUP="full", SKIP="repositories")
    loaded.install("18.8.11")
    done = loaded.rake("gitlab:backup:create", INCREMENTAL="yes", PREVIOUS_BACKUP="full")
    assert (done.rc, done.stdout.count("GitLab version mismatch:")) == (1, 1)


def test_skipped_when_made_is_skipped_when_restored(loaded: Instance) -> None:
    loaded.rake("gitlab:backup:create", BACKUP="mine", SKIP="uploads")
    damage.inflict("files", loaded.places)
    done = loaded.rake("gitlab:backup:restore", BACKUP="mine", **YES)
    assert "Restoring uploads ... [SKIPPED]" in done.messages
    assert tree(loaded.places.uploads) == {}


def unpacked(gitlab: Instance) -> None:
    assert gitlab.rake("gitlab:backup:create", SKIP="tar").rc == 0


def one(gitlab: Instance) -> None:
    assert gitlab.rake("gitlab:backup:create", BACKUP="mine").rc == 0


def two(gitlab: Instance) -> None:
    one(gitlab)
    assert gitlab.rake("gitlab:backup:create", BACKUP="yours").rc == 0


def newer(gitlab: Instance) -> None:
    one(gitlab)
    gitlab.install("18.8.11")


def other_edition(gitlab: Instance) -> None:
    one(gitlab)
    gitlab.install("18.8.7-ee")


def broken(gitlab: Instance) -> None:
    one(gitlab)
    with gitlab.archives[0].open("r+b") as archive:
        archive.truncate(1000)


def nothing(_gitlab: Instance) -> None:
    pass


MISMATCH = ["GitLab version mismatch:", "  Please switch to the following version and try again:", "  version: 18.8.7"]
REFUSED = {
    "no-archive": (nothing, {}, ["No backups found in {backups}", "Please make sure that file name ends with"]),
    "which": (
        two,
        {},
        ["Found more than one backup:", " mine", " yours", "rake gitlab:backup:restore BACKUP=timestamp"],
    ),
    "whole-name": (
        one,
        {"BACKUP": "mine_gitlab_backup.tar"},
        ["The backup file mine_gitlab_backup.tar_gitlab_backup.tar does not exist!"],
    ),
    "version": (newer, {"BACKUP": "mine"}, [*MISMATCH, "Hint: git checkout v18.8.7"]),
    "edition": (other_edition, {"BACKUP": "mine"}, MISMATCH),
    "broken": (broken, {"BACKUP": "mine"}, ["Unpacking backup failed"]),
}


@pytest.mark.parametrize(("prepare", "env", "lines"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(
    gitlab: Instance, prepare: t.Callable[[Instance], None], env: dict[str, str], lines: list[str]
) -> None:
    prepare(gitlab)
    before = gitlab.sql("SELECT count(*) FROM users")
    done = gitlab.rake("gitlab:backup:restore", **YES, **env)
    assert done.rc == 1
    for line in lines:
        wanted = line.format(backups=gitlab.places.backups)
        assert any(said.startswith(wanted) for said in done.messages), done.stdout
    assert gitlab.sql("SELECT count(*) FROM users") == before
    assert not gitlab.places.pid_file.exists()


def test_what_was_left_unpacked_is_used(gitlab: Instance) -> None:
    unpacked(gitlab)
    done = gitlab.rake("gitlab:backup:restore", **YES)
    assert (done.rc, done.messages[0]) == (0, f"Non tarred backup found in {gitlab.places.backups}, using that")


@pytest.mark.parametrize(
    ("version", "rc", "line"), [("18.8.7", 0, "GitLab version matches:"), ("18.8.0", 1, MISMATCH[0])]
)
def test_verify(gitlab: Instance, version: str, rc: int, line: str) -> None:
    one(gitlab)
    gitlab.install(version)
    done = gitlab.rake("gitlab:backup:verify", BACKUP="mine")
    assert (done.rc, line in done.messages) == (rc, True)
    assert len(list(gitlab.places.backups.iterdir())) == 1


@pytest.mark.parametrize(
    ("answers", "rc", "said"),
    [
        pytest.param("no\n", 1, "Do you want to continue (yes/no)? Quitting...", id="no"),
        pytest.param("", 1, "Do you want to continue (yes/no)? ", id="closed"),
        pytest.param("maybe\nno\n", 1, "(yes/no)? Do you want to continue (yes/no)? Quitting...", id="again"),
    ],
)
def test_asked_before_the_tables_go(gitlab: Instance, answers: str, rc: int, said: str) -> None:
    one(gitlab)
    done = gitlab.rake("gitlab:backup:restore", BACKUP="mine", stdin=answers)
    assert (done.rc, said in done.stdout) == (rc, True)
    assert gitlab.sql("SELECT count(*) FROM users") == "1"


def test_force_alone_is_asked_before_authorized_keys(gitlab: Instance) -> None:
    one(gitlab)
    done = gitlab.rake("gitlab:backup:restore", BACKUP="mine", force="yes")
    assert done.rc == 1
    assert done.stderr.startswith("rake aborted!\nNoMethodError")


def test_authorized_keys_are_rebuilt(loaded: Instance) -> None:
    loaded.rake("gitlab:backup:create", BACKUP="mine")
    assert loaded.rake("gitlab:backup:restore", BACKUP="mine", **YES).rc == 0
    count = int(loaded.sql("SELECT count(*) FROM keys"))
    assert len(loaded.places.authorized_keys.read_text().splitlines()) == count


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (("restore-part", "db"), "Backup::Error: Restore failed"),
        (("restore-part", "repositories"), "gitaly-backup exit status 1"),
        (("restore-part", "uploads"), "Restore operation failed"),
    ],
)
def test_a_part_that_can_not_be_restored(gitlab: Instance, fault: tuple[str, str], said: str) -> None:
    one(gitlab)
    gitlab.fault(*fault)
    done = gitlab.rake("gitlab:backup:restore", BACKUP="mine", **YES)
    assert (done.rc, said in done.stderr) == (1, True)


def test_sql_errors_are_framed_and_asked_about(gitlab: Instance) -> None:
    one(gitlab)
    gitlab.fault("restore-sql-errors", "cannot drop extension")
    frame = ["------ BEGIN ERRORS -----", "ERROR:  cannot drop extension", "------ END ERRORS -------"]
    done = gitlab.rake("gitlab:backup:restore", BACKUP="mine", **YES)
    assert done.rc == 0
    start = done.messages.index(frame[0])
    assert done.messages[start : start + 3] == frame
    assert gitlab.rake("gitlab:backup:restore", BACKUP="mine", force="yes", stdin="no\n").rc == 1


def test_a_dump_that_is_cut_short_restores_what_it_has(loaded: Instance) -> None:
    loaded.fault("backup-damage", "db")
    assert loaded.rake("gitlab:backup:create", BACKUP="mine").rc == 0
    done = loaded.rake("gitlab:backup:restore", BACKUP="mine", **YES)
    assert (done.rc, "[FAILED]" in done.messages) == (1, True)


def test_old_files_are_moved_aside_and_go_at_the_end(loaded: Instance) -> None:
    loaded.rake("gitlab:backup:create", BACKUP="mine")
    extra = loaded.places.uploads / "later.txt"
    extra.write_text("later")
    assert loaded.rake("gitlab:backup:restore", BACKUP="mine", **YES).rc == 0
    assert not extra.exists()
    assert not (loaded.places.backups / "tmp").exists()


def test_parts_alone(loaded: Instance) -> None:
    before = state(loaded)
    assert loaded.rake("gitlab:backup:uploads:create").rc == 0
    damage.inflict("files", loaded.places)
    assert loaded.rake("gitlab:backup:uploads:restore").rc == 0
    assert state(loaded)[2] == before[2]
