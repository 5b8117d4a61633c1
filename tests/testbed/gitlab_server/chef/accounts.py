# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts and folders of a node."""

from __future__ import annotations

import dataclasses
import grp
import pwd
import subprocess
import typing as t
from pathlib import Path

from ..places import Places
from .config import Config
from .files import folder


@dataclasses.dataclass(frozen=True)
class Account:
    """A system account, its home below /var/opt/gitlab."""

    name: str
    home: str
    shell: str = "/bin/false"


GIT = Account("git", "", "/bin/sh")
ACCOUNTS = (
    GIT,
    Account("gitlab-www", "nginx"),
    Account("gitlab-redis", "redis"),
    Account("gitlab-psql", "postgresql", "/bin/sh"),
    Account("gitlab-prometheus", "prometheus"),
    Account("registry", "registry"),
)

# Folders of the git user in shared/ of Rails.
SHARED = ("artifacts", "ci_secure_files", "external-diffs", "lfs-objects", "packages", "pages", "terraform_state")


def _known(find: t.Callable[[str], object], name: str) -> bool:
    try:
        find(name)
    except KeyError:
        return False
    return True


def ensure_accounts(places: Places, config: Config) -> None:
    """Make the accounts that are missing."""
    for account in ACCOUNTS:
        if account.name == "registry" and "registry" not in config.services():
            continue
        if _known(pwd.getpwnam, account.name):
            continue
        home = places.var / account.home if account.home else places.var
        if not _known(grp.getgrnam, account.name):
            subprocess.run(["groupadd", "--system", account.name], check=True)
        command = ["useradd", "--system", "--no-create-home", "--gid", account.name, "--shell", account.shell]
        subprocess.run([*command, "--home-dir", str(home), account.name], check=True)


def _below(places: Places, path: str) -> Path:
    return places.root / path.lstrip("/")


def ensure_folders(places: Places, config: Config) -> None:
    """Make the folders that services and Rails work in."""
    rails, git = places.var / "gitlab-rails", GIT.name
    folder(places.var)
    folder(places.log)
    folder(rails)
    for name in ("etc", "shared", "sockets", "upgrade-status", "working"):
        folder(rails / name, 0o755 if name != "shared" else 0o751, git)
    for name in SHARED:
        folder(rails / "shared" / name, 0o700, git)
    folder(rails / "uploads", 0o700, git)
    folder(places.var / "gitlab-ci/builds", 0o700, git)
    folder(places.rails / "tmp", 0o755, git)
    for name in ("gitlab-rails", "gitlab-shell", "puma", "sidekiq", "gitaly"):
        folder(places.log / name, 0o700, git)
    folder(_below(places, config.git_data).parent, 0o2770, git)
    folder(_below(places, config.git_data), 0o2770, git)
    if config.get("gitlab_rails", "manage_backup_path") is not False:
        folder(_below(places, config.backup_path), 0o700, git)
    folder(places.var / ".ssh", 0o700, git)
    folder(places.var / "gitaly", 0o700, git)
    folder(places.var / "redis", 0o750, "gitlab-redis", git)
    folder(places.var / "nginx/conf", 0o755)
    folder(places.postgresql, 0o755, "gitlab-psql")
    if "registry" in config.services():
        path = config.get("gitlab_rails", "registry_path") or "/var/opt/gitlab/gitlab-rails/shared/registry"
        folder(_below(places, str(path)), 0o770, "registry", git)
