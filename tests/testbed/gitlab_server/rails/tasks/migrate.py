# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The schema of a version: laid out, brought forward, shown (server facts 3.4, 5.5)."""

from __future__ import annotations

import json
import time

from .. import background, database
from ..context import Context
from ..errors import Abort, not_connected
from ..migrations import Migration, Queued, known_to, number_of
from . import seed

_FINALIZE = """\
Expected batched background migration for the given configuration to be marked as 'finished', but it is '{status}':\
\t{given}

Finalize it manually by running the following command in a `bash` or `sh` shell:

\tsudo gitlab-rake gitlab:background_migrations:finalize[{job_class},{table},{column},'{arguments}']

For more information, check the documentation

\thttps://docs.gitlab.com/update/background_migrations/#database-migrations-failing-because-of-batched-background-migration-not-finished
"""


def _applied(db: database.Database) -> set[str]:
    return {version for (version,) in db.all("SELECT version FROM schema_migrations")}


def _given(queued: Queued) -> str:
    arguments = json.dumps(json.loads(queued.arguments))
    return (
        f'{{:job_class_name=>"{queued.job_class}", :table_name=>"{queued.table}", '
        f':column_name=>"{queued.column}", :job_arguments=>{arguments}}}'
    )


def _insist(db: database.Database, queued: Queued) -> None:
    """Raise unless the batched background migration has ended."""
    found = db.value(
        "SELECT status FROM batched_background_migrations "
        "WHERE job_class_name = ? AND table_name = ? AND column_name = ?",
        *(queued.job_class, queued.table, queued.column),
    )
    if found is None or found in background.DONE:
        return
    text = _FINALIZE.format(
        status=background.STATUS[found],
        given=_given(queued),
        job_class=queued.job_class,
        table=queued.table,
        column=queued.column,
        arguments=queued.arguments.replace(",", "\\,"),
    )
    raise Abort("StandardError", f"An error has occurred, all later migrations canceled:\n\n{text}")


def _apply(ctx: Context, db: database.Database, migration: Migration) -> None:
    """Run one migration; each is whole or not at all."""
    line = f"main: == {migration.version} {migration.name}: "
    ctx.say(f"{line}migrating ".ljust(80, "="))
    started = time.monotonic()
    with db.transaction():
        for queued in migration.insists_on:
            _insist(db, queued)
        if migration.queues:
            background.queue(db, migration.queues, migration.version)
        db.raw.execute("INSERT INTO schema_migrations VALUES (?)", (migration.version,))
    ctx.say(f"{line}migrated ({time.monotonic() - started:.4f}s) ".ljust(80, "="))
    ctx.say()


def migrate(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """`db:migrate`: what is not applied yet, in order."""
    db = ctx.database()
    broken = ctx.faults.get("migrate")
    known = known_to(number_of(ctx.config.version))
    applied = _applied(db)
    for migration in known:
        if migration.version not in applied:
            if broken is not None:
                raise Abort("StandardError", f"An error has occurred, all later migrations canceled:\n\n{broken}")
            _apply(ctx, db, migration)
    background.spoil_newer_schema(db, ctx.config.version)


def configure(ctx: Context, arguments: tuple[str, ...]) -> None:
    """`gitlab:db:configure`: the schema and the first rows of an empty database, else db:migrate."""
    try:
        db = database.make(ctx.places)
    except database.Unreachable as exc:
        raise not_connected(str(exc)) from exc
    if not db.empty():
        migrate(ctx, arguments)
        return
    known = known_to(number_of(ctx.config.version))
    with db.transaction():
        db.create()
        db.raw.executemany("INSERT INTO schema_migrations VALUES (?)", [(one.version,) for one in known])
        for migration in known:
            if migration.queues:
                background.queue(db, migration.queues, migration.version)
        seed.sow(db, ctx)


def status(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """`db:migrate:status`."""
    applied = _applied(ctx.database())
    known = {one.version: one.name for one in known_to(number_of(ctx.config.version))}
    ctx.say(f"\ndatabase: {database.NAME}\n")
    ctx.say(" Status   Migration ID    Migration Name")
    ctx.say("-" * 50)
    for version in sorted(applied | set(known)):
        name = known.get(version, "********** NO FILE **********")
        ctx.say(f"{'up' if version in applied else 'down':^8}  {version:<14}  {name}")
    ctx.say()
