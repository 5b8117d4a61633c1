# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remote storage: a folder. `Local` is GitLab's own; other providers lie where the twin keeps its own things."""

from __future__ import annotations

import shutil
import typing as t
from pathlib import Path

from ..context import Context


def _folder(ctx: Context, upload: t.Mapping[str, t.Any]) -> Path:
    connection, bucket = upload["connection"], str(upload.get("remote_directory", ""))
    if str(connection.get("provider")).lower() == "local":
        return ctx.places.below(str(connection["local_root"])) / bucket
    return ctx.places.remote / bucket


def upload(ctx: Context, archive: Path, settings: t.Mapping[str, t.Any], directory: t.Optional[str]) -> bool:
    """Copy the archive; False when that failed.

    A local root that is the backup path makes it fail, and takes the archive with it (server facts 1.8).
    """
    target = _folder(ctx, settings) / (directory or "") / archive.name
    if ctx.faults.on("backup-upload"):
        return False
    if target.exists() and target.samefile(archive):
        archive.unlink()
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(archive, target)
    return True
