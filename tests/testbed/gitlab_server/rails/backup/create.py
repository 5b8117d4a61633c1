# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab:backup:create (server facts 1.4 to 1.7).

A failed database or file part does not stop it: the archive is made, uploaded, old ones are removed, and "is done" is
said; only the exit status tells. A failed repositories part ends it at once, without an archive.
"""

from __future__ import annotations

import datetime
import os
import re
import subprocess
import time
from pathlib import Path

from ..errors import Abort
from ..migrations import known_to, number_of
from . import manifest, parts, remote
from .options import REMOTE, TAR
from .run import SUFFIX, WARNING, Run, each

PRUNABLE = re.compile(r"(\d{10})(?:_\d{4}_\d{2}_\d{2}(_\d+\.\d+\.\d+((-|\.)(pre|rc\d))?(-ee)?)?)?_gitlab_backup\.tar")


def new_id(run: Run, moment: datetime.datetime) -> str:
    return run.options.backup_id or f"{int(moment.timestamp())}_{moment:%Y_%m_%d}_{run.ctx.config.version}"


def _build_manifest(run: Run, full_id: str) -> None:
    moment = datetime.datetime.now(datetime.timezone.utc)
    known = known_to(number_of(run.ctx.config.version))
    newest = run.ctx.database().value("SELECT max(version) FROM schema_migrations") or known[-1].version
    backup_id, options, quoted = new_id(run, moment), run.options, manifest.quoted
    run.manifest = manifest.Manifest(
        {
            "backup_id": backup_id,
            "db_version": quoted(newest),
            "backup_created_at": manifest.created_at(moment),
            "gitlab_version": run.ctx.config.version,
            "tar_version": manifest.tar_version(),
            "installation_type": "omnibus-gitlab",
            "skipped": quoted(run.ctx.env.get("SKIP")),
            "repositories_storages": quoted(",".join(options.storages)),
            "repositories_paths": quoted(",".join(options.paths)),
            "skip_repositories_paths": quoted(",".join(options.skip_paths)),
            "repositories_server_side": "true" if options.server_side else "false",
            "full_backup_id": full_id or backup_id,
        }
    )


def _previous(run: Run) -> str:
    """Unpack the backup that an incremental one goes on from, and return the id of its full one."""
    name = run.options.previous or run.options.backup_id
    if name is None:
        found = sorted(path.name[: -len(SUFFIX)] for path in run.path.glob(f"*{SUFFIX}"))
        name = found[-1] if found else ""
    if not (run.path / f"{name}{SUFFIX}").exists():
        run.progress.line(f"The backup file {name}{SUFFIX} does not exist!")
        raise Abort("SystemExit", "exit")
    run.unpack(name)
    run.read_manifest()
    run.check_version()
    return run.manifest.get("full_backup_id") or run.manifest.get("backup_id")


def _pack(run: Run) -> Path:
    """Make the archive, under its final name from the first byte on; the manifest is its first member."""
    archive = run.path / f"{run.manifest.get('backup_id')}{SUFFIX}"
    mode = run.ctx.config.section("backup").get("archive_permissions") or 0o600
    run.progress.line(f"Creating backup archive: {archive.name} ... ")
    names = [manifest.NAME, *(part.destination for part in parts.PARTS if (run.path / part.destination).exists())]
    if run.ctx.faults.on("backup-archive"):
        names = ["vanished"]
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        os.fchmod(out.fileno(), int(str(mode), 8) if isinstance(mode, str) else mode)
        done = subprocess.run(["tar", "-cf", "-", *names], cwd=run.path, stdout=out, check=False)
    if done.returncode:
        run.progress.line(f"Creating archive {archive.name} failed")
        raise Abort("Backup::Error", "Backup failed")
    if run.progress.fault("backup-kill", "archive-half"):
        os.truncate(archive, archive.stat().st_size // 2)
    for point in ("archive-half", "archive"):
        run.progress.reached(point)
    run.progress.line(f"Creating backup archive: {archive.name} ... done")
    return archive


def _upload(run: Run, archive: Path) -> None:
    upload = run.ctx.config.section("backup").get("upload") or {}
    bucket = upload.get("remote_directory") or ""
    text = f"Uploading backup archive to remote storage {bucket} ... "
    if not upload.get("connection") or run.options.skips(REMOTE):
        run.progress.line(f"{text}[SKIPPED]")
        return
    run.progress.line(text)
    run.progress.reached("upload")
    if not remote.upload(run.ctx, archive, upload, run.options.directory):
        run.progress.line(f"Uploading backup to {bucket} failed")
        raise Abort("Backup::Error", "Backup failed")
    encryption = upload.get("encryption")
    run.progress.line(f"{text}done" + (f" (encrypted with {encryption})" if encryption else ""))


def _remove_old(run: Run) -> None:
    """Remove archives that are older than backup_keep_time by the time in their names."""
    keep = int(run.ctx.config.section("backup").get("keep_time") or 0)
    if keep <= 0:
        run.progress.line("Deleting old backups ... [SKIPPED]")
        return
    run.progress.line("Deleting old backups ... ")
    removed = 0
    for path in sorted(run.path.iterdir()):
        match = PRUNABLE.fullmatch(path.name)
        if match and int(match.group(1)) < time.time() - keep:
            try:
                path.unlink()
                removed += 1
            except OSError as exc:
                run.progress.line(f"Deleting {path.name} failed: {exc.strerror}")
    run.progress.line(f"Deleting old backups ... done. ({removed} removed)")


def create(run: Run) -> bool:
    """Make a backup; False when a part failed. Raises Abort and Exit."""
    run.path.mkdir(parents=True, exist_ok=True)
    packed = not run.options.skips(TAR)
    try:
        full_id = _previous(run) if run.options.incremental else ""
        _build_manifest(run, full_id)
        good = each(run, "Dumping", run.dump_part, failing=True)
        (run.path / manifest.NAME).write_text(run.manifest.text(), encoding="utf-8")
        if packed:
            _upload(run, _pack(run))
            _remove_old(run)
    finally:
        if packed:
            run.clean_up()
        run.remove_scratch()
    run.progress.line(WARNING)
    run.progress.line(f"Backup {run.manifest.get('backup_id')} is done.")
    return good
