# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PID file that create, restore and verify share (server facts 1.7)."""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

from ..context import Context
from ..errors import Exit
from .progress import Progress


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _refuse_or_take_over(path: Path, progress: Progress) -> None:
    text = path.read_text(encoding="ascii").strip()
    if not text:
        return
    if text.isdigit() and _alive(int(text)):
        progress.plain("Backup and restore in progress:")
        progress.plain(f"There is a backup and restore task in progress (PID {text}).")
        progress.plain("Try to run the current task once the previous one ends.")
        raise Exit(1)
    progress.plain(f"The PID file {path} exists and contains {text}, but the process is not running.")
    progress.plain(f"The PID file will be rewritten with the current process ID {os.getpid()}.")


@contextlib.contextmanager
def held(ctx: Context, progress: Progress) -> t.Iterator[None]:
    """Hold the lock; another task that holds it ends this one with 1."""
    path = ctx.places.pid_file
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _refuse_or_take_over(path, progress)
    path.write_text(str(os.getpid()), encoding="ascii")
    try:
        yield
    finally:
        progress.line(f"Deleting backup and restore PID file at [{path}] ... done")
        path.unlink()
