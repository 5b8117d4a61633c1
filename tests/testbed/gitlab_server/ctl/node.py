# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every command is given: the places, the installed release, and a way to run programs."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import time
import typing as t

from ..places import Places
from ..releases import Release, release

Run = t.Callable[..., "subprocess.CompletedProcess[str]"]


def run(words: t.Sequence[str], *, env: t.Optional[t.Mapping[str, str]] = None) -> subprocess.CompletedProcess[str]:
    """Run a program quietly and return what it said."""
    given = None if env is None else {**os.environ, **env}
    return subprocess.run(list(words), env=given, text=True, capture_output=True, check=False)


def show(words: t.Sequence[str], *, env: t.Optional[t.Mapping[str, str]] = None) -> subprocess.CompletedProcess[str]:
    """Run a program whose output is the command's own."""
    given = None if env is None else {**os.environ, **env}
    return subprocess.run(list(words), env=given, text=True, check=False)


@dataclasses.dataclass(frozen=True)
class Node:
    """The node that a command works on. Tests hand in other ways to run programs."""

    places: Places
    run: Run = run
    show: Run = show
    pause: t.Callable[[float], None] = time.sleep
    is_root: bool = dataclasses.field(default_factory=lambda: os.geteuid() == 0)

    @property
    def version(self) -> str:
        """The installed version as Rails' folder says it, with -ee for that edition."""
        return (self.places.rails / "VERSION").read_text(encoding="utf-8").strip()

    @property
    def release(self) -> Release:
        return release(self.version)

    def chef(self, recipe: str) -> subprocess.CompletedProcess[str]:
        """Run Chef's stand-in on a recipe, its output shown."""
        books = self.places.embedded / "cookbooks"
        program = str(self.places.embedded / "bin/cinc-client")
        return self.show([program, "-z", "-c", str(books / "solo.rb"), "-j", str(books / recipe)])


def progress(text: str, work: t.Callable[[], bool]) -> bool:
    """Show a step as GitLab does: rewritten in place, in colours, into a pipe too (observed 3, 8)."""
    print(f"\r{text}:", end="", flush=True)
    good = work()
    print(f"\r{text}: \033[{'32mOK' if good else '31mNOT OK'}\033[0m", flush=True)
    return good


def say(text: str = "") -> None:
    """Print a line at once: other programs write to the same place."""
    print(text, flush=True)
