# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories: one is built by git, the others are copies of it with refs of their own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import typing as t
from pathlib import Path

COMMITS = 12
BRANCHES = 6


def _history() -> str:
    """Return a line of commits for git fast-import."""
    parts = []
    for number in range(1, COMMITS + 1):
        message, content = f"Change {number}\n", f"line {number}\n" * 20
        parent = f"from :{number - 1}\n" if number > 1 else ""
        parts.append(
            f"commit refs/heads/main\nmark :{number}\ncommitter Twin <twin@example.com> {1700000000 + number} +0000\n"
            f"data {len(message)}\n{message}{parent}M 644 inline file{number % 4}.txt\ndata {len(content)}\n{content}\n"
        )
    return "".join(parts)


def _template(folder: Path) -> list[str]:
    """Build the repository that the others are copies of, and return its commits."""

    def git(*words: str, text: str = "") -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            input=text,
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": "/usr/bin:/bin"},
        )
        return done.stdout

    git("init", "-q", "--bare", "--template=", ".")
    git("fast-import", "--quiet", text=_history())
    git("repack", "-a", "-d", "-q")
    commits = git("rev-list", "main").split()
    shutil.rmtree(folder / "refs")
    for name in ("refs/heads", "refs/tags"):
        (folder / name).mkdir(parents=True)
    (folder / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    return commits


def _refs(number: int, commits: t.Sequence[str]) -> str:
    """Return the packed refs of a project: no two projects have the same."""
    refs = {f"refs/heads/feature-{number}-{k}": commits[(number * 7 + k) % len(commits)] for k in range(BRANCHES)}
    refs["refs/heads/main"] = commits[number % len(commits)]
    refs[f"refs/tags/v{number}.0"] = commits[-1]
    lines = [f"{commit} {name}\n" for name, commit in sorted(refs.items())]
    return "# pack-refs with: peeled fully-peeled sorted \n" + "".join(lines)


def make(root: Path, numbers: t.Mapping[int, str]) -> None:
    """Make a repository for each number, at its path below root."""
    with tempfile.TemporaryDirectory() as scratch:
        template = Path(scratch)
        commits = _template(template)
        for number, relative in numbers.items():
            target = root / f"{relative}.git"
            shutil.copytree(template, target, copy_function=shutil.copyfile)
            (target / "packed-refs").write_text(_refs(number, commits), encoding="ascii")
