# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files as Chef writes them: only when they differ."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path


def owned(path: Path, owner: str, group: str = "") -> None:
    """Give a path away, where that is possible: a test is not root, or has no such accounts."""
    if os.geteuid() == 0:
        with contextlib.suppress(LookupError):
            shutil.chown(path, owner, group or owner)


def write(path: Path, text: str, *, mode: int = 0o644, owner: str = "", group: str = "") -> bool:
    """Write a file in one move; returns whether its content changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    changed = not path.exists() or path.read_text(encoding="utf-8") != text
    if changed:
        part = path.with_name(f".chef-{path.name}")
        part.touch(mode=0o600)
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    path.chmod(mode)
    if owner:
        owned(path, owner, group)
    return changed


def folder(path: Path, mode: int = 0o755, owner: str = "", group: str = "") -> None:
    """Make a folder with this mode and owner."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    if owner:
        owned(path, owner, group)


def link(path: Path, target: str) -> None:
    """Make a symbolic link, in place of another one."""
    if path.is_symlink() and str(path.readlink()) == target:
        return
    path.unlink(missing_ok=True)
    path.symlink_to(target)
