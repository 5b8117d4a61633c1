# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Background migrations of GitLab: which are left, and waiting for their end. Standard library of Python 3.9.

They are counted by SQL, because GitLab's API shows only the newest twenty of them (server facts 5.5).
"""

from __future__ import annotations

import dataclasses
import datetime
import pathlib
import re
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_psql, _host_command

GITLAB_RAILS = "/opt/gitlab/bin/gitlab-rails"
# Codes of batched_background_migrations.status (server facts 5.5).
STATUSES = {"0": "paused", "1": "active", "3": "finished", "4": "failed", "5": "finalizing", "6": "finalized"}
DONE = ("3", "6")
JOB_SUCCEEDED = 3
# Up to this one there are background migrations of the older kind, which live in Sidekiq's queues.
LAST_WITH_QUEUES = (15, 0)
SQL_SECONDS = 120.0
RAILS_SECONDS = 900.0
PAUSE_SECONDS = 3.0
MAIN = "main"
_QUERIES = (
    "SELECT 'status', status, count(*), max(created_at) FROM batched_background_migrations GROUP BY status;",
    # The arguments come last: they may hold anything.
    "SELECT 'left', id, status, coalesce(total_tuple_count, 0), coalesce((SELECT sum(j.batch_size) FROM"
    " batched_background_migration_jobs AS j WHERE j.batched_background_migration_id = m.id AND"
    f" j.status = {JOB_SUCCEEDED}), 0), job_class_name, table_name, column_name, job_arguments FROM"
    f" batched_background_migrations AS m WHERE status NOT IN ({', '.join(DONE)}) ORDER BY id;",
)
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(?:([+-])(\d\d)(?::?(\d\d))?)?")


@dataclasses.dataclass(frozen=True)
class Places:
    """Where GitLab says what it is; other than the defaults only in tests."""

    databases: str = "/var/opt/gitlab/gitlab-rails/etc/database.yml"
    version: str = "/opt/gitlab/embedded/service/gitlab-rails/VERSION"


@dataclasses.dataclass(frozen=True)
class Migration:
    """A batched background migration that has not ended; rows are those of its table, done those that it did."""

    database: str
    id: int
    status: str
    rows: int
    done: int
    job_class_name: str
    table_name: str
    column_name: str
    job_arguments: str

    @property
    def name(self) -> str:
        return f"{self.job_class_name} on {self.table_name}.{self.column_name} {self.job_arguments}"

    @property
    def percent(self) -> int | None:
        """How far it is; None where GitLab did not count the table's rows."""
        return min(99, 100 * self.done // self.rows) if self.rows > 0 else None


@dataclasses.dataclass(frozen=True)
class State:
    """What one look found: counts by status over all databases, those that are left, and when one was queued last.

    queued_at is in seconds since 1970; in_queues counts jobs of the older kind.
    """

    counts: t.Mapping[str, int]
    left: tuple[Migration, ...] = ()
    queued_at: float | None = None
    in_queues: int = 0

    @property
    def ended(self) -> bool:
        return not self.left and not self.in_queues

    @property
    def failed(self) -> tuple[Migration, ...]:
        return tuple(one for one in self.left if one.status == "failed")

    @property
    def stuck(self) -> bool:
        """Whether waiting can't help: one has failed, or all that is left is paused."""
        moving = any(one.status != "paused" for one in self.left) or self.in_queues
        return bool(self.failed) or (bool(self.left) and not moving)

    def as_json(self) -> dict[str, t.Any]:
        return {
            "counts": dict(self.counts),
            "unfinished": [{**dataclasses.asdict(one), "progress": one.percent} for one in self.left],
            "in_queues": self.in_queues,
            "queued_at": self.queued_at,
        }


def look(run: _host_command.Run, places: Places | None = None) -> State:
    """Ask every database once. Raises DatabaseError, and OSError where Rails is needed and does not start."""
    where = places or Places()
    counts: dict[str, int] = {}
    left: list[Migration] = []
    stamps: list[float] = []
    for database, name in databases(_text(where.databases)).items():
        for kind, *row in _gitlab_psql.rows(run, _QUERIES, timeout=SQL_SECONDS, database=name):
            if kind == "left":
                left.append(_migration(database, row))
                continue
            status = STATUSES.get(row[0], row[0])
            counts[status] = counts.get(status, 0) + int(row[1])
            stamps += [seconds(row[2])] if row[2] else []
    queued = _in_queues(run) if _has_queues(_text(where.version)) else 0
    return State(counts, tuple(left), max(stamps, default=None), queued)


def _migration(database: str, row: t.Sequence[str]) -> Migration:
    number, status, rows, done, job_class, table, column, *arguments = row
    return Migration(
        database,
        int(number),
        STATUSES.get(status, status),
        int(rows),
        int(done),
        job_class,
        table,
        column,
        "|".join(arguments),  # psql's separator
    )


def databases(text: str) -> dict[str, str | None]:
    """GitLab's databases with migrations of their own, by GitLab's name; None is what gitlab-psql takes by itself.

    text is database.yml. A server has one, unless its CI tables were moved to another; what several connections share
    is one.
    """
    found: dict[str, str | None] = {MAIN: None}
    names: dict[str, str] = {}
    section = ""
    for line in text.splitlines():
        key, _colon, value = (part.strip() for part in line.partition(":"))
        indent = len(line) - len(line.lstrip())
        if indent == 2:
            section = key
        elif indent == 4 and key == "database":
            names[section] = value.strip("\"'")
    for section, name in names.items():
        if section not in (MAIN, "geo", "embedding") and name != names.get(MAIN, name):
            found[section] = name
    return found


def seconds(stamp: str) -> float:
    """A time as PostgreSQL prints it (2026-11-24 07:20:09.12+00) in seconds since 1970."""
    found = _STAMP.match(stamp)
    if not found:
        raise ValueError(f"{stamp!r} is no time")
    day, clock, sign, hours, minutes = found.groups()
    moment = datetime.datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S")
    offset = (int(hours or 0) * 60 + int(minutes or 0)) * 60 * (-1 if sign == "-" else 1)
    return moment.replace(tzinfo=datetime.timezone.utc).timestamp() - offset


def _in_queues(run: _host_command.Run) -> int:
    command = [GITLAB_RAILS, "runner", "-e", "production", "puts Gitlab::BackgroundMigration.remaining"]
    done = run(command, timeout=RAILS_SECONDS)
    last = (done.stdout.split() or [""])[-1]
    if done.rc != 0 or not last.isdigit():
        raise OSError(f"gitlab-rails could not count background migrations (exit status {done.rc}): {done.words}")
    return int(last)


def _has_queues(version: str) -> bool:
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    return bool(numbers) and numbers <= LAST_WITH_QUEUES


def _text(path: str) -> str:
    try:
        return pathlib.Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""


def wait(
    run: _host_command.Run,
    timeout: float,
    say: t.Callable[[State], None],
    *,
    pause: float = PAUSE_SECONDS,
    places: Places | None = None,
) -> State:
    """Look until all have ended, none can end by itself, or time is up; returns what the last look found.

    timeout is in seconds; say is called with every look. Raises what look raises.
    """
    until = time.monotonic() + timeout
    while True:
        state = look(run, places)
        say(state)
        if state.ended or state.stuck or time.monotonic() + pause > until:
            return state
        time.sleep(pause)


def progress(state: State) -> str:
    """One line for people."""
    if state.ended:
        return "no background migration is left"
    words = [f"background migrations left: {len(state.left)}"] if state.left else []
    words += [f"their jobs left in Sidekiq's queues: {state.in_queues}"] if state.in_queues else []
    moving = [one for one in state.left if one.done] or list(state.left)
    if moving:
        first = moving[0]
        far = "" if first.percent is None else f" ({first.percent} %)"
        words.append(f"now {first.job_class_name} on {first.table_name}{far}")
    return ", ".join(words)
