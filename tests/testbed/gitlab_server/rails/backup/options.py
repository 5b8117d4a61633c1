# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the environment asks of a backup or restore (server facts 1.2)."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ..context import Context

TAR, REMOTE = "tar", "remote"


def _list(text: t.Optional[str]) -> tuple[str, ...]:
    return tuple(item for item in (text or "").split(",") if item)


@dataclass(frozen=True)
class Options:
    """One run's options."""

    backup_id: t.Optional[str]
    previous: t.Optional[str]
    incremental: bool
    skipped: frozenset[str]
    copy: bool
    compress: str
    decompress: str
    concurrency: int  # of gitaly-backup in one storage; there is one
    storages: tuple[str, ...]
    paths: tuple[str, ...]
    skip_paths: tuple[str, ...]
    server_side: bool
    directory: t.Optional[str]
    force: bool
    assume_yes: bool

    def skips(self, name: str) -> bool:
        return name in self.skipped


def read(ctx: Context) -> Options:
    """Read them from the variables of this run."""
    env = ctx.env
    rsyncable = " --rsyncable" if ctx.flag("GZIP_RSYNCABLE") else ""
    backup = env.get("BACKUP")
    previous = env.get("PREVIOUS_BACKUP")
    return Options(
        backup_id=Path(backup).name if backup else None,
        previous=Path(previous).name if previous else None,
        incremental=ctx.flag("INCREMENTAL"),
        skipped=frozenset(_list(env.get("SKIP"))),
        copy=env.get("STRATEGY") == "copy",
        compress=env.get("COMPRESS_CMD") or f"gzip{rsyncable} -c -1",
        decompress=env.get("DECOMPRESS_CMD") or "gzip -cd",
        concurrency=min(
            int(env.get("GITLAB_BACKUP_MAX_CONCURRENCY") or os.cpu_count() or 1),
            int(env.get("GITLAB_BACKUP_MAX_STORAGE_CONCURRENCY") or 2),
        ),
        storages=_list(env.get("REPOSITORIES_STORAGES")),
        paths=_list(env.get("REPOSITORIES_PATHS")),
        skip_paths=_list(env.get("SKIP_REPOSITORIES_PATHS")),
        server_side=ctx.flag("REPOSITORIES_SERVER_SIDE"),
        directory=env.get("DIRECTORY"),
        force="yes" in (env.get("force"), env.get("FORCE")),
        assume_yes=bool(env.get("GITLAB_ASSUME_YES")),
    )
