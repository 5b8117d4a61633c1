# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host says of GitLab's package and PostgreSQL before and during an upgrade. Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Run

NAMES = ("gitlab-ce", "gitlab-ee")
RPM_SECONDS = 120
DNF_SECONDS = 900


@dataclasses.dataclass(frozen=True)
class Places:
    """Where GitLab's package keeps what an upgrade reads; others only in tests."""

    version: str = "/opt/gitlab/embedded/service/gitlab-rails/VERSION"
    embedded_postgresql: str = "/opt/gitlab/embedded/postgresql"
    postgresql: str = "/var/opt/gitlab/postgresql"
    old_version: str = "/var/opt/gitlab/postgresql-version.old"
    etc: str = "/etc/gitlab"
    os_release: str = "/etc/os-release"
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


def held(places: Places) -> str | None:
    """Words about what keeps the package from moving PostgreSQL by itself; None where nothing does."""
    if pathlib.Path(places.etc, "disable-postgresql-upgrade").exists():
        return f"{places.etc}/disable-postgresql-upgrade is there"
    try:
        text = pathlib.Path(places.etc, "gitlab.rb").read_text("utf-8", "replace")
    except OSError:
        return None
    if re.search(r"^\s*postgresql\['version'\]\s*=", text, re.MULTILINE):
        return "gitlab.rb sets postgresql['version']"
    return None


def size(folder: str) -> int:
    """Bytes that the files below a folder take."""
    total = 0
    for root, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += pathlib.Path(root, name).lstat().st_size
            except OSError:
                continue  # it went away meanwhile
    return total


def system(places: Places) -> tuple[str, str]:
    """ID and VERSION_ID of the operating system."""
    try:
        text = pathlib.Path(places.os_release).read_text("utf-8")
    except OSError:
        return "", ""
    found = dict(re.findall(r'^(ID|VERSION_ID)="?([^"\n]*)"?$', text, re.MULTILINE))
    return found.get("ID", ""), found.get("VERSION_ID", "")


def listing(run: Run, names: t.Sequence[str]) -> tuple[list[str], str]:
    """Versions and releases that the repositories offer, and words about why there are none."""
    # What a version lock hides is what an upgrade is about.
    argv = ["dnf", "-q", "--disableplugin=versionlock", "repoquery", "--showduplicates"]
    done = run([*argv, "--qf", "%{version}-%{release}\\n", *names], timeout=DNF_SECONDS)
    found = sorted({line.strip() for line in done.stdout.splitlines() if re.match(r"\d+\.\d+\.\d+-", line.strip())})
    return found, "" if found else f"dnf repoquery ended with {done.rc} and said: {done.words or 'nothing'}"


def look(run: Run, places: Places, *, edition: str | None = None) -> dict[str, t.Any]:
    """All that a plan is made from; package is None where GitLab is not installed."""
    there = installed(run)
    names = [there[0] if there else NAMES[0], *([f"gitlab-{edition}"] if edition else [])]
    offers, problem = listing(run, list(dict.fromkeys(names)))
    return {
        "name": there[0] if there else None,
        "package": there[1] if there else None,
        "postgresql": postgresql(places),
        "data_bytes": size(f"{places.postgresql}/data"),
        "held": held(places),
        "system": list(system(places)),
        "listing": offers,
        "listing_problem": problem,
    }
