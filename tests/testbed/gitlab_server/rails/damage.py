# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be lost: each kind is the files that are gone. Tests damage an instance by it, scenarios a host."""

from __future__ import annotations

import shutil
import typing as t

from .places import Places

_DATA = "var/opt/gitlab/postgresql/data"
# kind: what is gone, below the root; names may have *
KINDS: t.Mapping[str, tuple[str, ...]] = {
    "database": (f"{_DATA}/*.sqlite*",),
    "repositories": ("var/opt/gitlab/git-data/repositories/@*",),
    "secrets": ("etc/gitlab/gitlab-secrets.json", "var/opt/gitlab/gitlab-rails/etc/secrets.yml"),
    "files": ("var/opt/gitlab/gitlab-rails/uploads/*", "var/opt/gitlab/gitlab-rails/shared/*/*"),
    "host": ("etc/gitlab", "var/opt/gitlab", "opt/gitlab"),
}


def paths(kind: str) -> tuple[str, ...]:
    """Return the absolute paths that a kind of damage takes, for a shell on a host to expand."""
    return tuple(f"/{path}" for path in KINDS[kind])


def inflict(kind: str, places: Places) -> None:
    """Lose it, below the root of these places."""
    for pattern in KINDS[kind]:
        for path in places.root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
