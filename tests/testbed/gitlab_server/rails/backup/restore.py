# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab:backup:restore and :verify (server facts 2)."""

from __future__ import annotations

import shutil

from ..errors import Exit
from ..migrations import number_of
from ..tasks import shell
from . import manifest
from .run import SUFFIX, WARNING, Run, each

SPACE_CHECKED_AFTER = (19, 3)  # versions after that one look for space first


def _several(run: Run, names: list[str]) -> None:
    run.progress.line("Found more than one backup:")
    for name in names:
        run.progress.plain(f" {name}")
    run.progress.line("Please specify which one you want to restore:")
    run.progress.line("rake gitlab:backup:restore BACKUP=timestamp_of_backup")
    raise Exit(1)


def _chosen(run: Run) -> str:
    """Return the id of the archive to restore; empty for a backup that was left unpacked."""
    found = sorted(path.name[: -len(SUFFIX)] for path in run.path.glob(f"*{SUFFIX}"))
    name = run.options.backup_id
    if name is None:
        if (run.path / manifest.NAME).exists():
            run.progress.line(f"Non tarred backup found in {run.path}, using that")
            return ""
        if not found:
            run.progress.line(f"No backups found in {run.path}")
            run.progress.line("Please make sure that file name ends with _gitlab_backup.tar")
            raise Exit(1)
        if len(found) > 1:
            _several(run, found)
        name = found[0]
    if not (run.path / f"{name}{SUFFIX}").exists():
        run.progress.line(f"The backup file {name}{SUFFIX} does not exist!")
        raise Exit(1)
    return name


def _check_space(run: Run, name: str) -> None:
    if number_of(run.ctx.config.version) <= SPACE_CHECKED_AFTER or run.ctx.env.get("BACKUP_SKIP_STORAGE_CHECK"):
        return
    needed = 3 * (run.path / f"{name}{SUFFIX}").stat().st_size
    if shutil.disk_usage(run.path).free < needed:
        run.progress.line(f"Insufficient disk space in {run.path}: {needed} bytes are needed")
        raise Exit(1)


def restore(run: Run) -> None:
    """Put a backup back. Raises Abort and Exit."""
    run.path.mkdir(parents=True, exist_ok=True)
    name = _chosen(run)
    if name:
        _check_space(run, name)
        run.unpack(name)
    try:
        run.read_manifest()
        run.check_version()
        each(run, "Restoring", run.restore_part, failing=False)
        shell.rebuild(run.ctx, lambda: run.progress.ask(run.options))
        shell.clear_cache(run.ctx, ())
    finally:
        if name:
            run.clean_up()
        run.remove_scratch()
    run.progress.line(WARNING)
    run.progress.line("Restore task is done.")


def verify(run: Run) -> None:
    """Compare the archive's version with this one's. Raises Exit."""
    name = _chosen(run)
    if name:
        run.unpack(name)
    try:
        run.read_manifest()
        run.check_version()
        ours = run.ctx.config.version
        run.progress.line("GitLab version matches:")
        run.progress.plain(f"  Your current GitLab version ({ours}) matches the GitLab version in the backup.")
    finally:
        if name:
            run.clean_up()
