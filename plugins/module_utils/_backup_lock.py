# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups and restores of one host exclude each other: our own by a lock, GitLab's by its PID file.

Runs on a host: standard library of Python 3.9. The kernel lets go of a lock when its process ends, however it ends, so
none is ever stale; who has it is written inside, for people.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import time
import typing as t

LOCK = "lock"
RETRY_SECONDS = 0.2


class Busy(Exception):
    """Another backup or restore is at work; nothing was changed, and the text says which one."""


def process_started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None where there is no such process, or a dead one.

    With its number it names a process for good: numbers are given out again.
    """
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before may hold anything
    return None if fields[0] in ("Z", "X") else int(fields[19])


def is_alive(pid: int, started: int) -> bool:
    return process_started(pid) == started


@contextlib.contextmanager
def hold(state_path: str, words: str, wait: float = 0.0) -> t.Iterator[None]:
    """Hold the host's lock; words say for whom. Raises Busy after wait seconds, and OSError."""
    folder = pathlib.Path(state_path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(handle, wait)
        holder = {
            "pid": os.getpid(),
            "started": process_started(os.getpid()),
            "words": words,
            "since": int(time.time()),
        }
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(holder).encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _take(handle: int, wait: float) -> None:
    until = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise Busy(_who(handle)) from None
        time.sleep(RETRY_SECONDS)


def _who(handle: int) -> str:
    try:
        holder = json.loads(os.pread(handle, 4096, 0))
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(holder["since"]))
        who = f"{holder['words']} (process {holder['pid']}, since {since})"
    except (ValueError, KeyError, TypeError):
        who = "another backup or restore"
    return f"{who} is at work on this host. Nothing was changed. Run this again when it is done."


def gitlab_at_work(pid_file: str) -> str | None:
    """Words about a backup or restore of GitLab's own that runs; None where there is none (server facts 1.7).

    A file with the number of a dead process is no obstacle: GitLab says so and goes on.
    """
    try:
        text = pathlib.Path(pid_file).read_text("utf-8", "replace").strip()
    except OSError:
        return None
    if not text.isdigit() or process_started(int(text)) is None:
        return None
    try:
        command = (
            pathlib.Path(f"/proc/{text}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace").strip()
        )
    except OSError:
        return None
    return (
        f"GitLab's own backup or restore is at work: {pid_file} names the process {text} ({command[:120]}). Nothing "
        "was changed. Run this again when it has ended; if that process is none, remove the file."
    )
