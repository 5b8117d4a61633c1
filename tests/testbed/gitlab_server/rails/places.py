# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Rails' things lie, beside those of the package."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from .. import places as package


@dataclasses.dataclass(frozen=True)
class Places(package.Places):
    """The paths of Rails' settings, data and backups below a root (server facts 1, 4.1)."""

    @property
    def pid_file(self) -> Path:
        return self.rails / "tmp/backup_restore.pid"

    @property
    def rails_etc(self) -> Path:
        """What reconfigure renders for Rails."""
        return self.var / "gitlab-rails/etc"

    @property
    def socket(self) -> Path:
        """There while the service postgresql runs."""
        return self.postgresql / ".s.PGSQL.5432"

    @property
    def data(self) -> Path:
        return self.postgresql / "data"

    def database(self, name: str = "gitlabhq_production") -> Path:
        return self.data / f"{name}.sqlite"

    @property
    def repositories(self) -> Path:
        return self.var / "git-data/repositories"

    @property
    def uploads(self) -> Path:
        return self.var / "gitlab-rails/uploads"

    @property
    def shared(self) -> Path:
        return self.var / "gitlab-rails/shared"

    @property
    def builds(self) -> Path:
        return self.var / "gitlab-ci/builds"

    @property
    def backups(self) -> Path:
        return self.var / "backups"

    @property
    def authorized_keys(self) -> Path:
        return self.var / ".ssh/authorized_keys"

    @property
    def remote(self) -> Path:
        """The twin's own: what stands for remote storages."""
        return self.faults.parent / "remote"

    def below(self, path: str) -> Path:
        """Return a path of the configuration below the root."""
        return self.root / path.lstrip("/")

    def folders(self) -> tuple[Path, ...]:
        """The folders that reconfigure makes for the user git before anything is stored."""
        shared = ("artifacts", "external-diffs", "lfs-objects", "packages", "pages", "registry")
        more = ("terraform_state", "ci_secure_files", "tmp")
        return (
            *(self.repositories, self.uploads, self.builds, self.backups),
            *(self.shared / name for name in (*shared, *more)),
            self.rails / "tmp",
        )


def places() -> Places:
    """Return the paths of this process."""
    return Places(package.here().root)
