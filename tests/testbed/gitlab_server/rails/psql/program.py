# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""psql: connects, runs what it was given, and tells by its exit status how that went.

0: all well (also after an error in a file or standard input, unless ON_ERROR_STOP); 1: an error in `-c`, a file that
is not there, a wrong option; 2: no connection; 3: stopped at an error by ON_ERROR_STOP.
"""

from __future__ import annotations

import sys
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .. import database, dialect
from ..places import Places, places
from .options import Options, UsageError, parse
from .output import show

BACKSLASH = ("\\gexec", "\\g", "\\timing", "\\set", "\\pset", "\\x", "\\t", "\\a")


@dataclass(frozen=True)
class Source:
    """One action: its text, the name that its errors carry, and whether it is one command (`-c`)."""

    text: str
    name: t.Optional[str] = None
    command: bool = False


def _sources(options: Options) -> t.Iterator[Source]:
    for kind, value in options.actions:
        if kind == "c":
            yield Source(value, command=True)
        elif value == "-":
            yield Source(sys.stdin.read(), "<stdin>")
        else:
            yield Source(Path(value).read_text(encoding="utf-8"), value)
    if not options.actions:
        yield Source(sys.stdin.read())


def _execute(db: database.Database, statement: dialect.Statement, source: Source, options: Options) -> str:
    """Run one statement and return what is printed; of `\\gexec` what the statements in its result print."""
    result = db.query(statement.text, source.text if source.command else f"{statement.text};")
    if statement.command.split()[:1] != ["\\gexec"]:
        return show(result, options)
    found = (str(cell) for row in result.rows for cell in row if cell is not None)
    return "".join(show(db.query(text), options) for text in found)


def _run(db: database.Database, source: Source, options: Options) -> int:
    """Run one source: 0, 1 for an error of a command, 3 for one that stopped it."""
    for statement in dialect.split(source.text):
        name = statement.command.split()[:1]
        if name and name[0] not in BACKSLASH:
            sys.stderr.write(f"invalid command {name[0]}\n")
            return 1 if source.command else 0
        if not statement.text:
            continue
        try:
            sys.stdout.write(_execute(db, statement, source, options))
        except database.SqlError as exc:
            where = f"psql:{source.name}:{statement.line}: " if source.name else ""
            sys.stdout.flush()
            sys.stderr.write(f"{where}ERROR:  {exc}\n")
            if source.command:
                return 1
            if options.stop_on_error:
                return 3
    return 0


def _all(db: database.Database, options: Options) -> int:
    status = 0
    try:
        for source in _sources(options):
            status = _run(db, source, options)
            if status == 3 or (status and options.stop_on_error):
                break
    except FileNotFoundError as exc:
        sys.stderr.write(f"psql: error: {exc.filename}: No such file or directory\n")
        return 1
    if options.single_transaction and not status:
        db.raw.execute("COMMIT")
    return status


def main(words: t.Sequence[str], at: t.Optional[Places] = None) -> int:
    """Run psql and return its exit status."""
    where = at or places()
    try:
        options = parse(words)
    except UsageError as exc:
        sys.stderr.write(f'psql: {exc}\npsql: hint: Try "psql --help" for more information.\n')
        return 1
    if options.version:
        sys.stdout.write(f"psql (PostgreSQL) {database.server_version(where)}\n")
        return 0
    try:
        db = database.connect(where, options.database, options.host, options.port)
    except database.Unreachable as exc:
        sys.stderr.write(f"psql: error: {exc}\n")
        return 2
    if options.single_transaction:
        db.raw.execute("BEGIN")
    return _all(db, options)
