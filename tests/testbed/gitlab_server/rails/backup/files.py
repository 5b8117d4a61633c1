# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""File parts: a folder into a compressed tar, and back; with the programs tar and gzip, as GitLab does it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

from ..errors import Abort
from .options import Options
from .progress import PartFailed, Progress


def piped(first: t.Sequence[str], compress: str, target: Path) -> bool:
    """Run `first | compress > target`; True when both ended well."""
    with target.open("wb") as out:
        os.fchmod(out.fileno(), 0o600)
        with subprocess.Popen(first, stdout=subprocess.PIPE) as source:
            done = subprocess.run(compress, shell=True, stdin=source.stdout, stdout=out, check=False)
            if source.stdout:
                source.stdout.close()  # lets tar end when the compressor is gone
    return source.returncode == 0 and done.returncode == 0


def dump(source: Path, target: Path, excludes: t.Iterable[str], options: Options, progress: Progress) -> None:
    """Store a folder. Raises PartFailed."""
    failed = f"Failed to create compressed file '{target}' when trying to backup the following paths: '{source}'"
    folder = source
    if options.copy:
        folder = target.parent / "tmp" / source.name
        progress.plain(f"Copying {source} to {folder}")
        try:
            shutil.copytree(source, folder, symlinks=True, dirs_exist_ok=True)
        except OSError as exc:
            raise PartFailed(failed) from exc
    left_out = [f"--exclude=./{name}" for name in excludes]
    words = ["tar", "--exclude=lost+found", *left_out, "-C", str(folder), "-cf", "-", "."]
    try:
        done = piped(words, options.compress, target)
    finally:
        if options.copy:
            shutil.rmtree(folder)
    if not done:
        raise PartFailed(failed)


def _set_aside(folder: Path, aside: Path) -> None:
    """Move what is there out of the way; a mount point can't be moved from (server facts 2.1)."""
    found = [path for path in folder.iterdir() if path.name != "lost+found"]
    for path in found:
        if path.is_mount():
            raise Abort("Errno::EBUSY", f"Device or resource busy @ dir_s_rmdir - {path}")
    if not found:
        return
    aside.mkdir(parents=True, exist_ok=True)
    for path in found:
        shutil.move(str(path), str(aside / path.name))


def restore(archive: Path, folder: Path, options: Options, scratch: Path) -> None:
    """Put a folder back; what was there goes to scratch first. Raises Abort."""
    if not archive.exists():
        raise Abort("Backup::Error", f"Restore operation failed: missing backup file {archive}")
    folder.mkdir(parents=True, exist_ok=True)
    _set_aside(folder, scratch / f"{folder.name}.{int(time.time())}")
    with (
        archive.open("rb") as stored,
        subprocess.Popen(options.decompress, shell=True, stdin=stored, stdout=subprocess.PIPE) as source,
    ):
        words = ["tar", "--unlink-first", "--recursive-unlink", "-C", str(folder), "-xf", "-"]
        done = subprocess.run(words, stdin=source.stdout, check=False)
        if source.stdout:
            source.stdout.close()
    if source.returncode or done.returncode:
        raise Abort("Backup::Error", f"Restore operation failed: {archive}")
