# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rake twin:load[projects,MiB]."""

from __future__ import annotations

import time

from ..context import Context
from . import files, records, repositories

PROJECTS = 50


def load(ctx: Context, arguments: tuple[str, ...]) -> None:
    """Add projects (50 unless said) with all that belongs to them, and MiB of files (none unless said)."""
    count, mebibytes = (
        int(arguments[place]) if len(arguments) > place else default for place, default in ((0, PROJECTS), (1, 0))
    )
    started = time.monotonic()
    db = ctx.database()
    with db.transaction():
        loader = records.Loader(db, ctx.config.db_key_base)
        users = loader.users(max(3, count // 5))
        made = loader.projects(count, loader.groups(max(2, count // 10)), users) if count else []
        loader.work(made, users)
        loader.ci(made)
        loader.stored(made, files.make(ctx.places, made))
    repositories.make(ctx.config.repositories, {project.number: project.hashed for project in made})
    files.fill(ctx.places, mebibytes)
    rows = sum(db.value(f"SELECT count(*) FROM {name}") for name in ("notes", "issues", "events", "p_ci_builds"))
    ctx.say(f"{count} projects, {rows} notes, issues, events and jobs in all, {time.monotonic() - started:.1f} s")
