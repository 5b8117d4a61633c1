# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of gitlab-runner the twin is."""

from __future__ import annotations

import json
import platform
import typing as t
from dataclasses import dataclass
from pathlib import Path

INFO_FILE = Path(__file__).resolve().parent.parent / "build_info.json"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Build:
    """What `--version` tells."""

    version: str = "18.0.3"
    revision: str = "abcdef01"
    branch: str = "18-0-stable"
    built: str = "2026-11-24T00:00:00Z"
    go_version: str = "go1.24.4"

    @property
    def architecture(self) -> str:
        machine = platform.machine()
        return ARCHITECTURES.get(machine, machine)

    @property
    def user_agent(self) -> str:
        return f"gitlab-runner {self.version} ({self.branch}; {self.go_version}; linux/{self.architecture})"

    def version_text(self) -> str:
        """Return the six lines of `--version` (runner facts 4.1)."""
        rows = (
            ("Version", self.version),
            ("Git revision", self.revision),
            ("Git branch", self.branch),
            ("GO version", self.go_version),
            ("Built", self.built),
            ("OS/Arch", f"linux/{self.architecture}"),
        )
        return "".join(f"{name + ':':<13} {value}\n" for name, value in rows)


def load(path: Path = INFO_FILE) -> Build:
    """Return the build that was packed; without one, the version that was looked at most closely."""
    if not path.exists():
        return Build()
    data: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
    return Build(**data)


def for_version(version: str) -> Build:
    """Return the build of a version."""
    return Build(version=version, branch="-".join(version.split(".")[:2]) + "-stable")
