# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Rake tasks of backups, each under the lock."""

from __future__ import annotations

import datetime

from ..context import Context
from ..errors import Abort, Exit
from . import create as creation
from . import lock, manifest, parts
from . import restore as restoration
from . import run as runs


def create(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:backup:create."""
    run = runs.begin(ctx)
    with lock.held(ctx, run.progress):
        if not creation.create(run):
            raise Exit(1)


def restore(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:backup:restore."""
    run = runs.begin(ctx)
    with lock.held(ctx, run.progress):
        restoration.restore(run)


def verify(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:backup:verify."""
    run = runs.begin(ctx)
    with lock.held(ctx, run.progress):
        restoration.verify(run)


def _part(name: str) -> parts.Part:
    try:
        return parts.by_task(name)
    except LookupError as exc:
        raise Abort("RuntimeError", str(exc)) from exc


def part_create(ctx: Context, arguments: tuple[str, ...]) -> None:
    """gitlab:backup:<part>:create: only staged, not packed."""
    run, part = runs.begin(ctx), _part(arguments[0])
    run.manifest = manifest.Manifest({"backup_id": creation.new_id(run, datetime.datetime.now(datetime.timezone.utc))})
    with lock.held(ctx, run.progress):
        run.path.mkdir(parents=True, exist_ok=True)
        if not runs.one(run, "Dumping", part, run.dump_part, failing=True):
            raise Exit(1)


def part_restore(ctx: Context, arguments: tuple[str, ...]) -> None:
    """gitlab:backup:<part>:restore: from what is staged."""
    run, part = runs.begin(ctx), _part(arguments[0])
    with lock.held(ctx, run.progress):
        if (run.path / manifest.NAME).exists():
            run.read_manifest()
        runs.one(run, "Restoring", part, run.restore_part, failing=False)
