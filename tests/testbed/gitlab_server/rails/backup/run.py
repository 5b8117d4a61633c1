# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What create, restore and the tasks of single parts share: a run over the folder of backups."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ..context import Context
from ..errors import Exit
from . import dump, files, manifest, options, parts, progress, repositories

SUFFIX = "_gitlab_backup.tar"
WARNING = """\
Warning: Your gitlab.rb and gitlab-secrets.json files contain sensitive data
and are not included in this backup. You will need these files to restore a backup.
Please back them up manually."""
MISMATCH = """\
GitLab version mismatch:
  Your current GitLab version ({ours}) differs from the GitLab version in the backup!
  Please switch to the following version and try again:
  version: {theirs}"""


@dataclass
class Run:
    """One run of a backup task."""

    ctx: Context
    options: options.Options
    progress: progress.Progress
    manifest: manifest.Manifest = field(default_factory=lambda: manifest.Manifest({}))

    @property
    def path(self) -> Path:
        return self.ctx.config.backup_path

    @property
    def scratch(self) -> Path:
        return self.path / "tmp"

    @property
    def store(self) -> repositories.Store:
        """Where the repositories of this backup are while it is not packed."""
        backup_id = self.manifest.get("backup_id")
        return repositories.Store(
            self.path / parts.REPOSITORIES.destination, backup_id, self.manifest.get("full_backup_id") or backup_id
        )

    def dump_part(self, part: parts.Part) -> None:
        """Store one part below the folder of backups. Raises PartFailed or Abort."""
        target = self.path / part.destination
        if part is parts.DATABASE:
            dump.dump(self.ctx, target, self.options, self.progress)
            target = target / dump.FILE
        elif part is parts.REPOSITORIES:
            repositories.dump(self.ctx, self.store, self.options, self.progress)
        else:
            source = part.source(self.ctx.config)
            if self.progress.fault("backup-part", part.name):
                source = source / "vanished"
            files.dump(source, target, part.excludes, self.options, self.progress)
        if self.progress.fault("backup-damage", part.name) and target.is_file():
            with target.open("r+b") as stored:
                stored.truncate(target.stat().st_size // 2)

    def restore_part(self, part: parts.Part) -> None:
        """Put one part back. Raises Abort."""
        stored = self.path / part.destination
        if part is parts.DATABASE:
            dump.restore(self.ctx, stored, self.options, self.progress)
        elif part is parts.REPOSITORIES:
            repositories.restore(self.ctx, self.store, self.options, self.progress)
        else:
            if self.progress.fault("restore-part", part.name):
                stored = self.path / "vanished"
            files.restore(stored, part.source(self.ctx.config), self.options, self.scratch)

    def unpack(self, name: str) -> None:
        """Unpack an archive into the folder of backups."""
        self.progress.line("Unpacking backup ... ")
        archive = self.path / f"{name}{SUFFIX}"
        if subprocess.run(["tar", "-xf", archive.name], cwd=self.path, check=False).returncode:
            self.progress.line("Unpacking backup failed")
            raise Exit(1)
        self.progress.line("Unpacking backup ... done")

    def read_manifest(self) -> None:
        self.manifest = manifest.read(self.path / manifest.NAME)

    def check_version(self) -> None:
        """End with 1 unless the backup is of this version and edition."""
        ours, theirs = self.ctx.config.version, self.manifest.get("gitlab_version")
        if ours == theirs:
            return
        self.progress.line(MISMATCH.format(ours=ours, theirs=theirs))
        self.progress.line(f"Hint: git checkout v{theirs}")
        raise Exit(1)

    def _remove(self, name: str) -> None:
        path = self.path / name
        if path.is_symlink() or path.is_file():
            self.progress.line(f"Cleaning up {path}")
            path.unlink()
        elif path.is_dir():
            self.progress.line(f"Cleaning up {path}")
            shutil.rmtree(path)

    def clean_up(self) -> None:
        """Remove what was staged."""
        self.progress.line("Deleting tar staging files ... ")
        for name in (manifest.NAME, *(part.destination for part in parts.PARTS)):
            self._remove(name)
        self.progress.line("Deleting tar staging files ... done")

    def remove_scratch(self) -> None:
        self.progress.line("Deleting backups/tmp ... ")
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.progress.line("Deleting backups/tmp ... done")


def begin(ctx: Context) -> Run:
    return Run(ctx, options.read(ctx), progress.Progress(ctx))


def each(run: Run, verb: str, act: t.Callable[[parts.Part], None], *, failing: bool) -> bool:
    """Act on every part that is neither off nor skipped; failing parts are told and passed over if they may fail."""
    skipped = run.options.skipped | run.manifest.skipped()
    good = True
    for part in parts.PARTS:
        if not part.enabled(run.ctx.config):
            run.progress.line(f"{verb} {part.title} ... [DISABLED]")
        elif part.name in skipped:
            run.progress.line(f"{verb} {part.title} ... [SKIPPED]")
        else:
            good = one(run, verb, part, act, failing=failing) and good
    return good


def one(run: Run, verb: str, part: parts.Part, act: t.Callable[[parts.Part], None], *, failing: bool) -> bool:
    """Act on one part, with the lines around it."""
    run.progress.line(f"{verb} {part.title} ... ")
    run.progress.reached(part.name if failing else f"restore:{part.name}")
    try:
        act(part)
    except progress.PartFailed as exc:
        run.progress.line(f"{verb} {part.title} failed: {exc}")
        return False
    run.progress.line(f"{verb} {part.title} ... done")
    return True
