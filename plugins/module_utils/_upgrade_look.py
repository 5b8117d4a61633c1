# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says of GitLab's package and PostgreSQL while an upgrade is at work. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import pathlib

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Run

NAMES = ("gitlab-ce", "gitlab-ee")
RPM_SECONDS = 120


@dataclasses.dataclass(frozen=True)
class Places:
    """Where GitLab's package keeps what an upgrade reads; others only in tests."""

    version: str = "/opt/gitlab/embedded/service/gitlab-rails/VERSION"
    embedded_postgresql: str = "/opt/gitlab/embedded/postgresql"
    postgresql: str = "/var/opt/gitlab/postgresql"
    old_version: str = "/var/opt/gitlab/postgresql-version.old"
    etc: str = "/etc/gitlab"
    locks: str = "/etc/dnf/plugins/versionlock.list"


def installed(run: Run) -> tuple[str, str] | None:
    """Name and version-release of GitLab's package (gitlab-ce, 18.8.11-ce.0.el9); None where there is none."""
    done = run(["rpm", "-q", "--qf", "%{NAME} %{VERSION}-%{RELEASE}\\n", *NAMES], timeout=RPM_SECONDS)
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in NAMES:
            return words[0], words[1]
    return None


def postgresql(places: Places) -> int | None:
    """The major of the package's own database cluster; None where it has none."""
    try:
        return int(pathlib.Path(places.postgresql, "data", "PG_VERSION").read_text("utf-8").strip().partition(".")[0])
    except (OSError, ValueError):
        return None
