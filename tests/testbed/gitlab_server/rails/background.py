# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Batched background migrations: what sidekiq does to them, and what it means for them to have ended."""

from __future__ import annotations

import typing as t

from . import config, database
from .faults import Faults
from .migrations import Queued, known_to, number_of
from .places import Places, places

PAUSED, ACTIVE, FINISHED, FAILED, FINALIZING, FINALIZED = 0, 1, 3, 4, 5, 6
STATUS: t.Mapping[int, str] = {
    PAUSED: "paused",
    ACTIVE: "active",
    FINISHED: "finished",
    FAILED: "failed",
    FINALIZING: "finalizing",
    FINALIZED: "finalized",
}
DONE = (FINISHED, FINALIZED)
SUCCEEDED = 3  # of a job
JOB_FAILED = 2
_BATCHES_A_SECOND = 4.0
_TABLE = "batched_background_migrations"
_JOBS = "batched_background_migration_jobs"


def queue(db: database.Database, wanted: Queued, by: str) -> None:
    """Queue one; on an empty table there is nothing to do, and it is finished at once."""
    known = db.value(
        f"SELECT id FROM {_TABLE} WHERE job_class_name = ? AND table_name = ? AND column_name = ?",
        *(wanted.job_class, wanted.table, wanted.column),
    )
    if known is not None:
        return
    rows, last = db.all(f"SELECT count(*), max(id) FROM {wanted.table}")[0]
    db.insert(
        _TABLE,
        job_class_name=wanted.job_class,
        table_name=wanted.table,
        column_name=wanted.column,
        job_arguments=wanted.arguments,
        status=ACTIVE if rows else FINISHED,
        max_value=last or 1,
        batch_size=max(100, (last or 1) // 20 + 1),
        total_tuple_count=rows,
        queued_migration_version=by,
        created_at=database.stamp(),
        updated_at=database.stamp(),
    )


def _run_batch(db: database.Database, number: int, start: int, size: int, last: int) -> None:
    """Run the next batch of one migration; after the last one it is finished."""
    end = min(start + size - 1, last)
    db.insert(
        _JOBS,
        batched_background_migration_id=number,
        min_value=start,
        max_value=end,
        batch_size=end - start + 1,
        status=SUCCEEDED,
        attempts=1,
        created_at=database.stamp(),
    )
    if end >= last:
        _end(db, number, FINISHED)


def _end(db: database.Database, number: int, status: int) -> None:
    sql = f"UPDATE {_TABLE} SET status = ?, finished_at = ?, updated_at = ? WHERE id = ?"
    db.raw.execute(sql, (status, database.stamp(), database.stamp(), number))


def _next_start(db: database.Database, number: int, first: int) -> int:
    last = db.value(f"SELECT max(max_value) FROM {_JOBS} WHERE batched_background_migration_id = ?", number)
    return first if last is None else int(last) + 1


def _step(db: database.Database, failing: t.Optional[str]) -> bool:
    """Run a batch of each of the oldest active ones, as many as may run at once; False when there is none."""
    limit = db.value("SELECT database_max_running_batched_background_migrations FROM application_settings") or 2
    fields = "id, job_class_name, min_value, max_value, batch_size"
    active = db.all(f"SELECT {fields} FROM {_TABLE} WHERE status = ? ORDER BY id LIMIT ?", ACTIVE, limit)
    for number, job_class, first, last, size in active:
        if failing == job_class:
            _end(db, number, FAILED)
        else:
            _run_batch(db, number, _next_start(db, number, first), size, last)
    return bool(active)


def spoil_newer_schema(db: database.Database, version: str) -> None:
    """Do what an older code base does to a newer schema: it does not find what it made, and makes it again.

    Rails passes over migrations that it does not know: nothing but the data tells. Done once a version.
    """
    newest = db.value("SELECT max(version) FROM schema_migrations") or ""
    name = f"ghost-{version}"
    if newest <= known_to(number_of(version))[-1].version:
        return
    if db.value("SELECT id FROM users WHERE username = ?", name) is None:
        db.insert("users", username=name, name="Ghost User", user_type=5, created_at=database.stamp())


def advance(seconds: float = 1.0, at: t.Optional[Places] = None) -> None:
    """Do what sidekiq does in that time. Nothing happens while the database can't be reached."""
    where = at or places()
    faults = Faults(where)
    if faults.on("migrations-stuck"):
        return
    try:
        db = database.connect(where)
    except database.Unreachable:
        return
    if db.value("SELECT name FROM sqlite_master WHERE name = ?", _TABLE) is None:
        return
    spoil_newer_schema(db, config.load(where).version)
    batches = max(1, round(seconds * float(faults.get("migrations-speed") or _BATCHES_A_SECOND)))
    if not db.value(f"SELECT count(*) FROM {_TABLE} WHERE status = ?", ACTIVE):
        return
    with db.transaction():
        for _number in range(batches):
            if not _step(db, faults.get("migrations-failed")):
                break


def finish(db: database.Database, number: int) -> None:
    """Run what is left of one at once (`finalize`)."""
    first, last, size = db.all(f"SELECT min_value, max_value, batch_size FROM {_TABLE} WHERE id = ?", number)[0]
    start = _next_start(db, number, first)
    while start <= last:
        _run_batch(db, number, start, size, last)
        start += size
    _end(db, number, FINALIZED)


def execute(db: database.Database, number: int) -> None:
    """Let one go on, whatever its status was (the model's `execute` event)."""
    db.raw.execute(f"UPDATE {_TABLE} SET status = ?, finished_at = NULL WHERE id = ?", (ACTIVE, number))


def retry_failed(db: database.Database, number: int) -> None:
    """Let a failed one go on where it stopped."""
    sql = f"UPDATE {_TABLE} SET status = ?, finished_at = NULL WHERE id = ? AND status = ?"
    db.raw.execute(sql, (ACTIVE, number, FAILED))
