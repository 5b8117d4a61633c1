# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The psql twin against psql itself: the same words, the same answers."""

from __future__ import annotations

import subprocess
import typing as t
from dataclasses import dataclass

import pytest
from testbed import postgresql

from .conftest import Done, Instance

TABLE = (
    "CREATE TABLE thing (id integer PRIMARY KEY, name text, active boolean);"
    "INSERT INTO thing VALUES (1, 'one', true), (20, NULL, false);"
)


@dataclass(frozen=True)
class Case:
    words: tuple[str, ...]
    stdin: str = ""


SCRIPT = "SELECT 1;\nSELECT nothere;\nSELECT 3;\n"
EACH_TABLE = (
    "SELECT 'SELECT ''' || table_name || ''', count(*), max(id) FROM ' || table_name FROM information_schema.columns "
    "WHERE table_schema = 'public' AND column_name = 'id' AND table_name IN ('thing', 'other') "
    "ORDER BY table_name \\gexec\n"
)
CASES = {
    "aligned": Case(("-c", "SELECT * FROM thing ORDER BY id")),
    "aligned-last-is-null": Case(("-c", "SELECT id, name FROM thing ORDER BY id")),
    "aligned-numbers-last": Case(("-c", "SELECT name, id FROM thing ORDER BY id")),
    "tuples-only": Case(("-t", "-c", "SELECT * FROM thing ORDER BY id")),
    "tuples-only-none": Case(("-t", "-c", "SELECT * FROM thing WHERE id = 7")),
    "none": Case(("-c", "SELECT * FROM thing WHERE id = 7")),
    "unaligned": Case(("-A", "-c", "SELECT * FROM thing ORDER BY id")),
    "for-scripts": Case(("-tAc", "SELECT * FROM thing ORDER BY id")),
    "separator": Case(("-tA", "-F", ",", "-c", "SELECT * FROM thing ORDER BY id")),
    "csv": Case(("--csv", "-c", "SELECT id, 'a,b' AS pair FROM thing ORDER BY id")),
    "count": Case(("-c", "SELECT count(*) FROM thing")),
    "boolean-in-where": Case(("-tAc", "SELECT id FROM thing WHERE active = true")),
    "bare-boolean": Case(("-tAc", "SELECT id FROM thing WHERE NOT active")),
    "cast-and-schema": Case(("-tAc", "SELECT max(id)::text, count(*)::bigint FROM public.thing")),
    "filter": Case(("-tAc", "SELECT count(*) FILTER (WHERE active) FROM thing")),
    "string-with-semicolon": Case(("-tAc", "SELECT 'a;b' || ';' AS x -- ; no end")),
    "update": Case(("-c", "UPDATE thing SET name = 'x'")),
    "insert": Case(("-c", "INSERT INTO thing VALUES (3, 'three', true)")),
    "delete-quietly": Case(("-q", "-c", "DELETE FROM thing")),
    "set": Case(("-c", "SET statement_timeout = 0; SELECT 1 AS one")),
    "transaction": Case(("-c", "BEGIN; DELETE FROM thing; ROLLBACK; SELECT count(*) FROM thing")),
    "two-commands": Case(("-tA", "-c", "SELECT 1", "-c", "SELECT 2")),
    "no-table": Case(("-c", "SELECT * FROM nothere")),
    "no-column": Case(("-c", "SELECT nothere FROM thing")),
    "no-syntax": Case(("-c", "SELEC 1")),
    "error-ends-a-command": Case(("-tAc", "SELECT 1; SELECT nothere; SELECT 3")),
    "drop-nothing": Case(("-c", "DROP TABLE nothere")),
    "stdin-goes-on-after-errors": Case(("-tA",), SCRIPT),
    "stdin-stops-at-errors": Case(("-tA", "-v", "ON_ERROR_STOP=1"), SCRIPT),
    "file-dash-names-the-line": Case(("-tA", "-v", "ON_ERROR_STOP=1", "-f", "-"), SCRIPT),
    "no-file": Case(("-f", "/nothere.sql")),
    "no-option": Case(("--nothere",)),
    "no-database": Case(("-d", "nothere", "-c", "SELECT 1")),
    "each-result-is-run": Case(("-XqAt", "-v", "ON_ERROR_STOP=1", "-f", "-"), f"BEGIN;\n{EACH_TABLE}COMMIT;\n"),
}


@pytest.fixture(scope="module")
def cluster() -> t.Iterator[postgresql.Cluster]:
    try:
        postgresql.newest_programs()
    except FileNotFoundError as exc:
        pytest.skip(str(exc))
    with postgresql.cluster() as running:
        yield running


@pytest.fixture
def real(cluster: postgresql.Cluster) -> t.Iterator[t.Callable[[Case], Done]]:
    cluster.sql("CREATE DATABASE twin")
    cluster.sql(TABLE, "twin")

    def run(case: Case) -> Done:
        argv = [*cluster.psql("twin"), *case.words]
        done = subprocess.run(argv, input=case.stdin, capture_output=True, text=True, check=False)
        return Done(
            done.returncode, done.stdout, done.stderr.replace(argv[0], "psql").replace(str(cluster.folder), "DIR")
        )

    yield run
    cluster.sql("DROP DATABASE twin")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_same_as_psql(gitlab: Instance, real: t.Callable[[Case], Done], case: Case) -> None:
    assert gitlab.psql("-qc", TABLE).rc == 0
    done = gitlab.psql(*case.words, stdin=case.stdin)
    assert Done(done.rc, done.stdout, done.stderr.replace(str(gitlab.places.postgresql), "DIR")) == real(case)


def test_no_server(gitlab: Instance) -> None:
    gitlab.places.socket.unlink()
    done = gitlab.psql("-c", "SELECT 1")
    assert (done.rc, done.stdout) == (2, "")
    assert done.stderr == (
        f'psql: error: connection to server on socket "{gitlab.places.socket}" failed: No such file or directory\n'
        "\tIs the server running locally and accepting connections on that socket?\n"
    )


def test_server_version_is_that_of_the_data_directory(gitlab: Instance) -> None:
    # As the package's pre-script asks it (observed 1).
    assert gitlab.psql("-d", "template1", "-c", "SHOW server_version", "-qt").stdout == " 16.11\n\n"
    (gitlab.places.data / "PG_VERSION").write_text("17\n")
    assert gitlab.sql("SHOW server_version") == "17.7"


def test_the_docs_query_of_migrations(gitlab: Instance) -> None:
    query = (
        "SELECT job_class_name, table_name, column_name, job_arguments FROM batched_background_migrations "
        "WHERE status NOT IN(3, 6);"
    )
    assert gitlab.psql("-t", "-A", "-c", query).stdout == ""
