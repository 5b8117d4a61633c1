# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database part: SQL text out, the same text in again."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from .. import database
from ..context import Context
from ..errors import Abort
from .options import Options
from .progress import PartFailed, Progress

FILE = "database.sql.gz"
API = "gitlab_api"  # what the web service keeps beside GitLab's own tables
_INSERT = re.compile(r'INSERT INTO "?(\w+)"?')
_FAILED = """\
Failed to create compressed file '{file}' when trying to backup the main database:
 - host: '{host}'
 - port: '5432'
 - database: 'gitlabhq_production'"""


def _lines(ctx: Context) -> t.Iterator[str]:
    """Yield the dump's text; one database is one moment of it."""
    yield "--\n-- PostgreSQL database dump\n--\n\n"
    for name in (database.NAME, API):
        if name == API and not ctx.places.database(name).exists():
            continue
        db = database.connect(ctx.places, name)
        if name == API:
            yield f"\\connect {name}\n"
        db.raw.execute("BEGIN")
        for statement in db.raw.iterdump():
            yield statement + "\n"
        db.raw.execute("ROLLBACK")
    yield "--\n-- PostgreSQL database dump complete\n--\n"


def dump(ctx: Context, folder: Path, options: Options, progress: Progress) -> None:
    """Store the database. Raises PartFailed."""
    progress.line(f"Dumping PostgreSQL database {database.NAME} ... ")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / FILE
    failed = PartFailed(_FAILED.format(file=target, host=ctx.places.postgresql))
    if progress.fault("backup-part", "db"):
        target.write_bytes(b"")
        progress.line("[FAILED]")
        raise failed
    try:
        done = _compressed(ctx, target, options)
    except (OSError, database.Unreachable) as exc:
        progress.line("[FAILED]")
        raise failed from exc
    if not done:
        progress.line("[FAILED]")
        raise failed
    progress.line("[DONE]")


def _compressed(ctx: Context, target: Path, options: Options) -> bool:
    with target.open("wb") as out:
        target.chmod(0o600)
        with subprocess.Popen(options.compress, shell=True, stdin=subprocess.PIPE, stdout=out, text=True) as packer:
            if packer.stdin is None:
                return False
            for line in _lines(ctx):
                packer.stdin.write(line)
    return packer.returncode == 0


@dataclass
class _Loader:
    """Feeds a dump's statements to a database, and says what psql says."""

    ctx: Context
    db: database.Database
    table: str = ""
    rows: int = 0
    errors: list[str] = field(default_factory=list)

    def _told(self) -> None:
        if self.rows:
            self.ctx.say(f"COPY {self.rows}")
        self.table, self.rows = "", 0

    def run(self, statement: str) -> None:
        """Run one statement; an error is noted, as psql goes on."""
        insert = _INSERT.match(statement)
        if insert is None or insert.group(1) != self.table:
            self._told()
        try:
            self.db.raw.execute(statement)
        except sqlite3.Error as exc:
            self.errors.append(f"ERROR:  {exc}")
            return
        if insert:
            self.table, self.rows = insert.group(1), self.rows + 1
        elif statement.startswith("CREATE"):
            self.ctx.say(" ".join(statement.split()[:2]))

    def connect(self, name: str) -> None:
        """Go on with another database."""
        self.end()
        self.db = database.make(self.ctx.places, name)
        self.db.clear()

    def end(self) -> None:
        """Keep what was read so far, even of a dump that is cut short."""
        self._told()
        if self.db.raw.in_transaction:
            self.db.raw.execute("COMMIT")


def _feed(loader: _Loader, lines: t.Iterable[str]) -> None:
    statement = ""
    for line in lines:
        if not statement and line.startswith("\\connect "):
            loader.connect(line.split()[1])
            continue
        if not statement and (line.startswith("--") or not line.strip()):
            continue
        statement += line
        if line.endswith(";\n") and sqlite3.complete_statement(statement):
            loader.run(statement)
            statement = ""
    loader.end()


def restore(ctx: Context, folder: Path, options: Options, progress: Progress) -> None:
    """Drop all tables and run the dump. Raises Abort."""
    source = folder / FILE
    if not source.exists():
        raise Abort("Backup::Error", f"Source database file does not exist {source}")
    if not options.force:
        progress.line("Be sure to stop Puma, Sidekiq, and any other process that connects to the database first.")
        progress.ask(options)
        progress.plain("Removing all tables. Press `Ctrl-C` within 5 seconds to abort")
        time.sleep(5)
    db = ctx.database()
    progress.line("Cleaning the database ... ")
    db.clear()
    progress.line("done")
    progress.line(f"Restoring PostgreSQL database {database.NAME} ... ")
    progress.reached("restore:db-cleaned")
    loader = _Loader(ctx, db)
    with (
        source.open("rb") as stored,
        subprocess.Popen(options.decompress, shell=True, stdin=stored, stdout=subprocess.PIPE, text=True) as unpacker,
    ):
        ctx.say("SET")
        _feed(loader, unpacker.stdout or ())
    if unpacker.returncode or progress.fault("restore-part", "db"):
        progress.line("[FAILED]")
        raise Abort("Backup::Error", "Restore failed")
    progress.line("[DONE]")
    _tell_errors(ctx, loader.errors, options, progress)


def _tell_errors(ctx: Context, errors: list[str], options: Options, progress: Progress) -> None:
    made_up = ctx.faults.get("restore-sql-errors")
    found = [*errors, *([f"ERROR:  {made_up}"] if made_up else [])]
    if not found:
        return
    for line in ("------ BEGIN ERRORS -----", *found, "------ END ERRORS -------"):
        progress.plain(line)
    progress.ask(options)
