# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab:background_migrations:* (server facts 5.5)."""

from __future__ import annotations

import json

from .. import background
from ..context import Context
from ..errors import Abort, Exit

_FIELDS = "id, status, job_class_name, table_name, column_name, job_arguments"


def status(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """List all of them."""
    rows = ctx.database().all(f"SELECT {_FIELDS} FROM batched_background_migrations ORDER BY id")
    ctx.say("Database: main")
    width = max((len(background.STATUS[row[1]]) for row in rows), default=0)
    for _number, state, job_class, table, column, arguments in rows:
        identity = ",".join((job_class, table, column, arguments))
        ctx.say(f"{background.STATUS[state].ljust(width)} | {identity}")


def finalize(ctx: Context, arguments: tuple[str, ...]) -> None:
    """Run what is left of one at once."""
    for place, name in enumerate(("job_class_name", "table_name", "column_name", "job_arguments")):
        if len(arguments) <= place or not arguments[place]:
            ctx.say(f"Must specify {name} as an argument")
            raise Exit(1)
    db = ctx.database()
    job_class, table, column, text = (word.strip("'") for word in arguments[:4])
    found = [
        row
        for row in db.all(f"SELECT {_FIELDS} FROM batched_background_migrations")
        if row[2:5] == (job_class, table, column) and json.loads(row[5]) == json.loads(text or "[]")
    ]
    if not found:
        raise Abort("RuntimeError", f"Could not find batched background migration for {job_class} on {table}.{column}")
    with db.transaction():
        background.finish(db, found[0][0])
    ctx.say("Done.")
