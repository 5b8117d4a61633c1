# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin's memory: one SQLite file behind one lock.

Every request runs in one transaction under the lock: as in GitLab's database, two runners can't take the same job.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import typing as t
from pathlib import Path

Row = dict[str, t.Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, username TEXT UNIQUE, name TEXT, admin INTEGER, state TEXT,
  created_at REAL);
CREATE TABLE IF NOT EXISTS tokens (id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT UNIQUE, user_id INTEGER, name TEXT,
  scopes TEXT, expires_at TEXT, revoked INTEGER, created_at REAL, last_used_at REAL);
CREATE TABLE IF NOT EXISTS groups (id INTEGER PRIMARY KEY, parent_id INTEGER, name TEXT, path TEXT,
  full_path TEXT UNIQUE, runners_token TEXT, created_at REAL);
CREATE TABLE IF NOT EXISTS projects (id INTEGER PRIMARY KEY, group_id INTEGER, name TEXT, path TEXT,
  full_path TEXT UNIQUE, old_path TEXT, runners_token TEXT, shared_runners_enabled INTEGER, archived INTEGER,
  created_at REAL);
CREATE TABLE IF NOT EXISTS members (user_id INTEGER, kind TEXT, object_id INTEGER, access INTEGER);
CREATE TABLE IF NOT EXISTS runners (id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT UNIQUE, token_expires_at REAL,
  registered INTEGER DEFAULT 0, runner_type TEXT, group_id INTEGER, description TEXT, maintenance_note TEXT,
  active INTEGER DEFAULT 1, locked INTEGER DEFAULT 0, run_untagged INTEGER DEFAULT 1,
  access_level TEXT DEFAULT 'not_protected', maximum_timeout INTEGER, tag_list TEXT DEFAULT '[]', creator_id INTEGER,
  created_at REAL, updated_at REAL, contacted_at REAL, ip_address TEXT, orphaned INTEGER DEFAULT 0, queue_value TEXT,
  queue_value_at REAL);
CREATE TABLE IF NOT EXISTS runner_projects (id INTEGER PRIMARY KEY AUTOINCREMENT, runner_id INTEGER,
  project_id INTEGER, UNIQUE (runner_id, project_id));
CREATE TABLE IF NOT EXISTS managers (id INTEGER PRIMARY KEY AUTOINCREMENT, runner_id INTEGER, system_id TEXT,
  version TEXT, revision TEXT, platform TEXT, architecture TEXT, created_at REAL, contacted_at REAL, ip_address TEXT,
  UNIQUE (runner_id, system_id));
CREATE TABLE IF NOT EXISTS pipelines (id INTEGER PRIMARY KEY AUTOINCREMENT, iid INTEGER, project_id INTEGER, ref TEXT,
  sha TEXT, source TEXT, user_id INTEGER, created_at REAL, updated_at REAL);
CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline_id INTEGER, project_id INTEGER,
  name TEXT, stage TEXT, ref TEXT, protected INTEGER, status TEXT, token TEXT, script TEXT, after_script TEXT,
  variables TEXT, tag_list TEXT, timeout INTEGER, cancel_gracefully INTEGER DEFAULT 0, flushed INTEGER DEFAULT 0,
  runner_id INTEGER, manager_id INTEGER, system_id TEXT, handed_out INTEGER DEFAULT 0, handed_out_at REAL,
  created_at REAL, queued_at REAL, started_at REAL, finished_at REAL, erased_at REAL, failure_reason TEXT,
  exit_code INTEGER, trace_size INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS jobs_by_status ON jobs (status, id);
CREATE INDEX IF NOT EXISTS jobs_by_runner ON jobs (runner_id, status);
CREATE TABLE IF NOT EXISTS trace_chunks (job_id INTEGER, start INTEGER, data BLOB, PRIMARY KEY (job_id, start));
CREATE TABLE IF NOT EXISTS artifacts (job_id INTEGER, file_type TEXT, file_format TEXT, filename TEXT, data BLOB,
  expire_at REAL, PRIMARY KEY (job_id, file_type));
"""
TABLES = (
    "settings",
    "users",
    "tokens",
    "groups",
    "projects",
    "members",
    "runners",
    "runner_projects",
    "managers",
    "pipelines",
    "jobs",
    "trace_chunks",
    "artifacts",
)


class Store:
    """Rows as dictionaries; the lock's condition tells waiting runners of news."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, check_same_thread=False)
        self._db.row_factory = _as_dict
        if path != ":memory:":
            Path(path).chmod(0o600)  # it holds tokens
            self._db.execute("PRAGMA journal_mode=WAL")
        # The process may be killed at any time, the machine is not expected to: no fsync.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.executescript(SCHEMA)
        self.changed = threading.Condition(threading.RLock())

    @contextlib.contextmanager
    def transaction(self) -> t.Iterator[None]:
        """Keep everybody else out; commit, or roll back when the code inside crashes."""
        with self.changed:
            try:
                yield
            except BaseException:
                self._db.rollback()
                raise
            self._db.commit()

    def wait(self, seconds: float) -> None:
        """Save, let the others work, and return on news or when the time is over."""
        self._db.commit()
        self.changed.wait(seconds)

    def one(self, sql: str, *values: t.Any) -> Row | None:
        """Return the first row of the answer."""
        row: Row | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: t.Any) -> list[Row]:
        """Return every row of the answer."""
        return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: t.Any) -> int:
        """Change something and return the number of rows it touched."""
        return self._db.execute(sql, values).rowcount

    def get(self, table: str, row_id: int) -> Row | None:
        """Return the row with this id."""
        return self.one(f"SELECT * FROM {table} WHERE id = ?", row_id)

    def must(self, table: str, row_id: int) -> Row:
        """Return the row with this id, which the caller knows to exist."""
        row = self.get(table, row_id)
        if row is None:
            raise LookupError(f"no row {row_id} in {table}")
        return row

    def insert(self, table: str, **values: t.Any) -> int:
        """Add a row and return its id."""
        marks = ", ".join("?" * len(values))
        sql = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})"
        return self._db.execute(sql, tuple(values.values())).lastrowid or 0

    def update(self, table: str, row_id: int, **values: t.Any) -> None:
        """Change the row with this id."""
        names = ", ".join(f"{name} = ?" for name in values)
        self._db.execute(f"UPDATE {table} SET {names} WHERE id = ?", (*values.values(), row_id))

    def settings(self) -> dict[str, t.Any]:
        """Return what was set, without defaults."""
        return {row["key"]: json.loads(row["value"]) for row in self.all("SELECT * FROM settings")}

    def set(self, key: str, value: t.Any) -> None:
        """Remember a setting."""
        self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", key, json.dumps(value))

    def empty(self) -> None:
        """Forget every row, and the numbers already used."""
        for table in TABLES:
            self.run(f"DELETE FROM {table}")
        self.run("DELETE FROM sqlite_sequence")

    def close(self) -> None:
        """Let go of the file."""
        with self.changed:
            self._db.close()


def _as_dict(cursor: sqlite3.Cursor, row: tuple[t.Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, row)}
