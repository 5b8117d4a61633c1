# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy of what belongs to the project: the files git tracks and those it would (not the ignored ones)."""

from __future__ import annotations

import hashlib
import pathlib
import shutil
import subprocess

from gates import places


def files() -> list[str]:
    """Return the project's files, named from the root; one deleted but not yet committed is not among them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=places.ROOT,
        stdout=subprocess.PIPE,
        check=True,
    )
    names = sorted(set(listed.stdout.decode().split("\0")) - {""})
    return [name for name in names if (places.ROOT / name).is_file()]


def export(target: pathlib.Path) -> list[str]:
    """Make target a copy of the project's files, and of nothing else; return their names."""
    if target.exists():
        shutil.rmtree(target)
    copied = []
    for name in files():
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(places.ROOT / name, copy, follow_symlinks=False)
        except FileNotFoundError:  # deleted since git listed it
            continue
        copied.append(name)
    return copied


def digest(folder: pathlib.Path, names: list[str]) -> str:
    """Return a hash of the names, modes and content of the files."""
    whole = hashlib.sha256()
    for name in names:
        path = folder / name
        content = path.read_bytes() if not path.is_symlink() else str(path.readlink()).encode()
        whole.update(f"{name}\0{path.lstat().st_mode:o}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()
