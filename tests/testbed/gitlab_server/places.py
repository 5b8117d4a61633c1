# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie on a host. Tests move everything below another root."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

# What begins the line in nginx's file that the stand-in reads.
SETTINGS = "# stand-in: "


@dataclasses.dataclass(frozen=True)
class Places:
    """The paths of one GitLab installation below a root."""

    root: Path

    @property
    def opt(self) -> Path:
        return self.root / "opt/gitlab"

    @property
    def embedded(self) -> Path:
        return self.opt / "embedded"

    @property
    def rails(self) -> Path:
        return self.embedded / "service/gitlab-rails"

    @property
    def nodes(self) -> Path:
        """The node JSON of the last reconfigure; removed before each."""
        return self.embedded / "nodes"

    @property
    def services(self) -> Path:
        return self.opt / "service"

    @property
    def etc(self) -> Path:
        return self.root / "etc/gitlab"

    @property
    def gitlab_rb(self) -> Path:
        return self.etc / "gitlab.rb"

    @property
    def secrets(self) -> Path:
        return self.etc / "gitlab-secrets.json"

    @property
    def var(self) -> Path:
        return self.root / "var/opt/gitlab"

    @property
    def postgresql(self) -> Path:
        return self.var / "postgresql"

    @property
    def bootstrapped(self) -> Path:
        """Exists after the first reconfigure that succeeded."""
        return self.var / "bootstrapped"

    @property
    def public_attributes(self) -> Path:
        return self.var / "public_attributes.json"

    @property
    def log(self) -> Path:
        return self.root / "var/log/gitlab"

    @property
    def faults(self) -> Path:
        """The twin's own: a file named after a fault switches it on."""
        return self.root / "var/opt/gitlab-twin/faults"


def here() -> Places:
    """Return the places of this process: below GITLAB_TWIN_ROOT, or of the host itself."""
    return Places(Path(os.environ.get("GITLAB_TWIN_ROOT") or "/"))
