# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything is: the package's own paths, below a root."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = "GITLAB_TWIN_ROOT"


@dataclass(frozen=True)
class Places:
    """The package's paths (server facts 1, 4.1; `gitlab_rails` defaults)."""

    root: Path = Path("/")

    @property
    def rails(self) -> Path:
        return self.root / "opt/gitlab/embedded/service/gitlab-rails"

    @property
    def pid_file(self) -> Path:
        return self.rails / "tmp/backup_restore.pid"

    @property
    def rails_etc(self) -> Path:
        """What reconfigure renders for Rails."""
        return self.root / "var/opt/gitlab/gitlab-rails/etc"

    @property
    def postgresql(self) -> Path:
        return self.root / "var/opt/gitlab/postgresql"

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
        return self.root / "var/opt/gitlab/git-data/repositories"

    @property
    def uploads(self) -> Path:
        return self.root / "var/opt/gitlab/gitlab-rails/uploads"

    @property
    def shared(self) -> Path:
        return self.root / "var/opt/gitlab/gitlab-rails/shared"

    @property
    def builds(self) -> Path:
        return self.root / "var/opt/gitlab/gitlab-ci/builds"

    @property
    def backups(self) -> Path:
        return self.root / "var/opt/gitlab/backups"

    @property
    def authorized_keys(self) -> Path:
        return self.root / "var/opt/gitlab/.ssh/authorized_keys"

    @property
    def twin(self) -> Path:
        """The twin's own: no part of what a package has."""
        return self.root / "var/opt/gitlab-twin"

    @property
    def faults(self) -> Path:
        return self.twin / "faults"

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
    return Places(Path(os.environ.get(ROOT) or "/"))
