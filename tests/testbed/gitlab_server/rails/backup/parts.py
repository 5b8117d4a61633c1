# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a backup in their order: how they are called, where they come from, where they go."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

from ..config import Config


@dataclass(frozen=True)
class Part:
    """One part.

    name: as in SKIP; task: as in gitlab:backup:<task>:create; title: as in messages; destination: its member of the
    archive; feature: the section of gitlab.yml that can turn it off.
    """

    name: str
    task: str
    title: str
    destination: str
    folder: t.Optional[str] = None  # below shared/, or one of _FOLDERS
    excludes: tuple[str, ...] = ()
    feature: t.Optional[str] = None

    def source(self, config: Config) -> Path:
        """Return where its files are."""
        places = config.places
        own = {"uploads": places.uploads, "builds": places.builds}
        if self.folder is None:
            raise LookupError(f"{self.name} has no folder of files")
        set_path = config.section(self.feature or "").get("path")
        return places.below(set_path) if set_path else own.get(self.folder, places.shared / self.folder)

    def enabled(self, config: Config) -> bool:
        """Tell whether the feature is on; the registry is off unless set, as in the package."""
        return bool(config.section(self.feature or "").get("enabled", self.feature != "registry"))


def _files(name: str, title: str, folder: str, *excludes: str, **more: str) -> Part:
    return Part(name, name, title, f"{name}.tar.gz", folder, excludes, **more)


DATABASE = Part("db", "db", "database", "db")
REPOSITORIES = Part("repositories", "repo", "repositories", "repositories")
PARTS: t.Sequence[Part] = (
    DATABASE,
    REPOSITORIES,
    _files("uploads", "uploads", "uploads", "tmp"),
    _files("builds", "builds", "builds"),
    _files("artifacts", "artifacts", "artifacts", "tmp", feature="artifacts"),
    _files("pages", "pages", "pages", "@pages.tmp", feature="pages"),
    _files("lfs", "lfs objects", "lfs-objects", feature="lfs"),
    _files("terraform_state", "terraform states", "terraform_state", "tmp", feature="terraform_state"),
    _files("registry", "container registry images", "registry", feature="registry"),
    _files("packages", "packages", "packages", "tmp", feature="packages"),
    _files("ci_secure_files", "ci secure files", "ci_secure_files", "tmp", feature="ci_secure_files"),
    _files("external_diffs", "external diffs", "external-diffs", "tmp", feature="external_diffs"),
)


def by_task(name: str) -> Part:
    """Return the part that a task is for; LookupError when there is none."""
    for part in PARTS:
        if part.task == name:
            return part
    raise LookupError(f"no part of a backup has tasks called {name}")
