# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-ctl backup-etc (observed 6)."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import re
import sys
import time
import typing as t
from pathlib import Path

from .node import Node, say

# Ten digits: what was made by hand under another number is never removed.
NAME = re.compile(r"gitlab_config_(\d{10})_\d{4}_\d{2}_\d{2}\.tar")
USAGE = """\
Usage: gitlab-ctl backup-etc [options]
    -p, --backup-path PATH           Path where the configuration backup is put
        --[no-]delete-old-backups    Delete old backups, if backup_keep_time is set (default)
    -h, --help                       Prints this help"""


@dataclasses.dataclass(frozen=True)
class Options:
    """What the command line says."""

    path: t.Optional[str] = None
    delete: bool = True
    help: bool = False


def options(arguments: t.Sequence[str]) -> Options:
    """Read the command line; ValueError names what is not an option."""
    found, words = Options(), list(arguments)
    while words:
        word = words.pop(0)
        if word in ("-h", "--help"):
            found = dataclasses.replace(found, help=True)
        elif word in ("-p", "--backup-path") and words:
            found = dataclasses.replace(found, path=words.pop(0))
        elif word.startswith("--backup-path="):
            found = dataclasses.replace(found, path=word.partition("=")[2])
        elif word in ("--delete-old-backups", "--no-delete-old-backups"):
            found = dataclasses.replace(found, delete=not word.startswith("--no-"))
        elif word.startswith("-"):
            raise ValueError(f"invalid option: {word}")
        else:
            say("WARNING: a path without --backup-path is deprecated")
            found = dataclasses.replace(found, path=word)
    return found


def archive_name(now: float) -> str:
    """Return the name of an archive made at this moment."""
    return f"gitlab_config_{int(now)}_{datetime.datetime.fromtimestamp(now):%Y_%m_%d}.tar"


def outdated(names: t.Iterable[str], before: float) -> list[str]:
    """Return the archives that are older by the number in their name, whatever the file's own time is."""
    return sorted(name for name in names if (match := NAME.fullmatch(name)) and int(match[1]) < before)


def _complain(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def keep_seconds(node: Node) -> int:
    """Return backup_keep_time of the last reconfigure; 0 keeps everything."""
    files = sorted(node.places.nodes.glob("*.json")) if node.places.nodes.is_dir() else []
    problem = ""
    if not files:
        problem = f"Node attributes JSON file not found in {node.places.nodes}, has reconfigure been run yet?"
    else:
        try:
            content = json.loads(files[0].read_text(encoding="utf-8"))
        except ValueError:
            problem = f"Error reading {files[0]}, has reconfigure been run yet?"
        else:
            if "normal" in content:
                return int(content["normal"].get("gitlab_rails", {}).get("backup_keep_time") or 0)
            problem = f"Attributes not found in {files[0]}, has reconfigure been run yet?"
    for _twice in range(2):
        _complain(problem)
    _complain("Defaulting to keeping all backups")
    return 0


def _folder(path: Path) -> bool:
    """Have the folder, made without its parents; returns False where that fails."""
    if not path.is_dir():
        say(f"Could not find '{path}' directory. Creating.")
        try:
            path.mkdir(mode=0o700)
        except OSError as exc:
            _complain(f"mkdir: {exc.strerror} @ dir_s_mkdir - {path} (Errno)")
            return False
    stat = path.stat()
    if stat.st_uid != 0 or stat.st_mode & 0o077:
        _complain(f"WARNING: {path} may be read by non-root users")
    return True


def _archive(node: Node, folder: Path) -> bool:
    target = folder / archive_name(time.time())
    say(f"Running configuration backup\nCreating configuration backup archive: {target.name}")
    words = ["tar", "--absolute-names", "--dereference", "--verbose", "--create", f"--file={target}"]
    before = os.umask(0o077)
    try:
        done = node.show([*words, f"--exclude={folder}", "--", str(node.places.etc)])
    finally:
        os.umask(before)
    if target.exists():
        target.chmod(0o600)
    if done.returncode:
        return False
    say(f"Configuration backup archive complete: {target}")
    return True


def _remove_old(folder: Path, seconds: int) -> None:
    before = time.time() - seconds
    stamp = datetime.datetime.fromtimestamp(before, datetime.timezone.utc)
    say(f"Removing configuration backups older than {stamp:%Y-%m-%d %H:%M:%S +0000} ...")
    names = outdated((path.name for path in folder.iterdir()), before)
    for name in names:
        (folder / name).unlink()
        say(f"  Removed {folder / name}")
    say(f"done. Removed {len(names)} older configuration backups.")


def backup_etc(node: Node, arguments: t.Sequence[str]) -> int:
    """Put /etc/gitlab into an archive."""
    try:
        wanted = options(arguments)
    except ValueError as exc:
        _complain(f"parse: {exc} (OptionParser::InvalidOption)")
        return 1
    if wanted.help:
        say(USAGE)
        return 0
    if not node.places.etc.is_dir():
        _complain(f"Could not find '{node.places.etc}' directory. Is your package installed correctly?")
        return 1
    folder = Path(wanted.path) if wanted.path else node.places.etc / "config_backup"
    if not _folder(folder) or not _archive(node, folder):
        return 1
    seconds = keep_seconds(node) if wanted.delete else 0
    if seconds > 0:
        _remove_old(folder, seconds)
    else:
        say("Keeping all older configuration backups")
    return 0
