# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database: reached while the service postgresql runs, asked in PostgreSQL's SQL, answered by SQLite."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import time
import typing as t
import weakref
from dataclasses import dataclass
from pathlib import Path

from . import dialect, schema
from .places import Places

NAME = "gitlabhq_production"
PORT = 5432
_EMPTY = ("template1", "postgres")
_WAIT = 30.0  # seconds for another writer


class Unreachable(Exception):
    """No connection; the text is libpq's."""


class SqlError(Exception):
    """A statement failed; the text is PostgreSQL's, without its ERROR."""


@dataclass(frozen=True)
class Result:
    """What a statement gave: rows, or the tag of a command."""

    tag: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[t.Any, ...], ...] = ()


def check_running(places: Places, host: t.Optional[str] = None, port: int = PORT) -> None:
    """Raise Unreachable unless the server's socket is there."""
    socket = places.socket if host is None else Path(host) / f".s.PGSQL.{port}"
    if not socket.exists():
        raise Unreachable(
            f'connection to server on socket "{socket}" failed: No such file or directory\n'
            "\tIs the server running locally and accepting connections on that socket?"
        )


class Database:
    """One connection."""

    def __init__(self, path: Path | str, version: t.Callable[[], str] = lambda: "16.11") -> None:
        self.raw = sqlite3.connect(str(path), timeout=_WAIT, isolation_level=None)
        self.raw.execute("PRAGMA synchronous=OFF")  # the process may be killed at any time, the machine is not
        self._settings: dict[str, t.Callable[[], str]] = {"server_version": version}
        self.raw.execute("ATTACH ':memory:' AS information_schema")
        self.raw.create_function("now", 0, stamp)
        self.raw.create_function("version", 0, lambda: f"PostgreSQL {version()} on x86_64-pc-linux-gnu")
        self.raw.create_function("current_database", 0, lambda: NAME)
        # SQLite holds its functions where Python's collector can't see them: one that held us would keep the file open.
        us: Database = weakref.proxy(self)
        self.raw.create_function("pg_database_size", 1, lambda _name: us.size())

        def relation(name: str) -> t.Optional[str]:
            return us._relation(name)

        self.raw.create_function("to_regclass", 1, relation)

    def size(self) -> int:
        pages, size = (self.raw.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
        return int(pages) * int(size)

    def _relation(self, name: str) -> t.Optional[str]:
        plain = name.replace("public.", "")
        found = self.raw.execute("SELECT name FROM sqlite_master WHERE name = ?", (plain,)).fetchone()
        return found and str(found[0])

    def _catalogue(self) -> None:
        """Fill information_schema.columns and .tables with what there is now."""
        tables = "SELECT 'public' AS table_schema, name AS table_name FROM main.sqlite_master"
        columns = "SELECT 'public' AS table_schema, m.name AS table_name, p.name AS column_name"
        for name, query in (
            ("tables", tables),
            ("columns", f"{columns} FROM main.sqlite_master m JOIN pragma_table_info(m.name) p"),
        ):
            self.raw.execute(f"DROP TABLE IF EXISTS information_schema.{name}")
            self.raw.execute(f"CREATE TABLE information_schema.{name} AS {query}")

    def query(self, statement: str, sent: str = "") -> Result:
        """Run one statement of a text that was sent. Raises SqlError."""
        verb = dialect.verb(statement)
        if verb in ("SET", "RESET", "LOCK"):
            return Result(verb)
        if verb == "SHOW":
            return self._show(statement)
        if "information_schema." in statement:
            self._catalogue()
        try:
            cursor = self.raw.execute(dialect.translate(statement))
        except sqlite3.Error as exc:
            raise SqlError(dialect.error(str(exc), statement, sent or statement)) from exc
        if cursor.description:
            names = tuple(column[0] for column in cursor.description)
            rows = tuple(tuple(map(_value, names, row)) for row in cursor.fetchall())
            return Result(f"SELECT {len(rows)}", tuple(map(dialect.column, names)), rows)
        counted = {"INSERT": f"INSERT 0 {cursor.rowcount}"}
        if verb in ("UPDATE", "DELETE"):
            counted[verb] = f"{verb} {cursor.rowcount}"
        return Result(counted.get(verb, verb))

    def _show(self, statement: str) -> Result:
        name = statement.split()[-1].lower()
        if name not in self._settings:
            raise SqlError(f'unrecognized configuration parameter "{name}"')
        return Result("SHOW", (name,), ((self._settings[name](),),))

    def all(self, sql: str, *values: t.Any) -> list[tuple[t.Any, ...]]:
        """Return the rows of the twin's own SQL."""
        return self.raw.execute(sql, values).fetchall()

    def value(self, sql: str, *values: t.Any) -> t.Any:
        """Return the first value of the twin's own SQL, or None."""
        row = self.raw.execute(sql, values).fetchone()
        return row[0] if row else None

    def insert(self, table: str, **values: t.Any) -> int:
        """Add a row and return its id."""
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
        return self.raw.execute(sql, tuple(values.values())).lastrowid or 0

    @contextlib.contextmanager
    def transaction(self) -> t.Iterator[None]:
        """Commit, or roll back when the code inside raises."""
        self.raw.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.raw.execute("ROLLBACK")
            raise
        self.raw.execute("COMMIT")

    def empty(self) -> bool:
        return not self.value("SELECT count(*) FROM sqlite_master")

    def create(self) -> None:
        """Lay out the tables; the caller holds a transaction."""
        for statement in schema.statements():
            self.raw.execute(statement)

    def clear(self) -> None:
        """Drop everything."""
        with self.transaction():
            for kind in ("view", "table"):
                for (name,) in self.all("SELECT name FROM sqlite_master WHERE type = ?", kind):
                    if not name.startswith("sqlite_"):
                        self.raw.execute(f'DROP {kind} "{name}"')


def _value(name: str, value: t.Any) -> t.Any:
    """Booleans are numbers here: show those of boolean columns as PostgreSQL does."""
    if value in (0, 1) and name.rpartition(".")[2] in schema.BOOLEANS:
        return "t" if value else "f"
    return value


def stamp(at: t.Optional[float] = None) -> str:
    """Return a time as PostgreSQL shows a timestamp."""
    moment = datetime.datetime.fromtimestamp(time.time() if at is None else at, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def connect(places: Places, name: str = NAME, host: t.Optional[str] = None, port: int = PORT) -> Database:
    """Connect as libpq would; raises Unreachable with its text."""
    check_running(places, host, port)
    if name in _EMPTY:
        return Database(":memory:", lambda: server_version(places))
    path = places.database(name)
    if not path.exists():
        socket = places.socket if host is None else Path(host) / f".s.PGSQL.{port}"
        raise Unreachable(f'connection to server on socket "{socket}" failed: FATAL:  database "{name}" does not exist')
    return Database(path, lambda: server_version(places))


def server_version(places: Places) -> str:
    """Return the full version of the PostgreSQL whose data directory this is."""
    from ..releases import PG_VERSIONS

    major = int((places.data / "PG_VERSION").read_text(encoding="ascii"))
    return PG_VERSIONS[major]


def make(places: Places, name: str = NAME) -> Database:
    """Make the database's file if it is not there, so that git and gitlab-psql both can write, and connect."""
    check_running(places)
    path = places.database(name)
    if not path.exists():
        path.touch()
        path.chmod(0o660)
    return connect(places, name)
