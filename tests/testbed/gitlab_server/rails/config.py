# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reconfigure wrote for Rails: gitlab.yml and secrets.yml (both are JSON here, which is YAML too)."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from .places import Places


def _production(path: Path) -> dict[str, t.Any]:
    try:
        data: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return dict(data.get("production") or {})


@dataclass(frozen=True)
class Config:
    """The settings that tasks look at; what is missing has the package's default."""

    places: Places
    settings: t.Mapping[str, t.Any]
    secrets: t.Mapping[str, t.Any]

    def section(self, name: str) -> dict[str, t.Any]:
        return dict(self.settings.get(name) or {})

    @property
    def backup_path(self) -> Path:
        path = self.section("backup").get("path")
        return self.places.below(str(path)) if path else self.places.backups

    @property
    def repositories(self) -> Path:
        """Where Gitaly's one storage is."""
        try:
            text = (self.places.var / "gitaly/config.toml").read_text(encoding="utf-8")
        except FileNotFoundError:
            return self.places.repositories
        found = re.search(r'^path = "(.*)"', text, re.MULTILINE)
        return self.places.below(found.group(1)) if found else self.places.repositories

    @property
    def url(self) -> str:
        gitlab = self.section("gitlab")
        scheme = "https" if gitlab.get("https") else "http"
        return f"{scheme}://{gitlab.get('host', 'gitlab.example.com')}"

    @property
    def db_key_base(self) -> str:
        return str(self.secrets.get("db_key_base", ""))

    def _line(self, name: str, default: str) -> str:
        try:
            return (self.places.rails / name).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return default

    @property
    def version(self) -> str:
        """What backups carry: x.y.z, with -ee in that edition (server facts 4.1)."""
        return self._line("VERSION", "18.6.2")

    @property
    def revision(self) -> str:
        return self._line("REVISION", "unknown")


def load(places: Places) -> Config:
    """Read what is configured now."""
    etc = places.rails_etc
    return Config(places, _production(etc / "gitlab.yml"), _production(etc / "secrets.yml"))
