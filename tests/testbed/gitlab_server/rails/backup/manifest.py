# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""backup_information.yml: Ruby symbols as keys, and a time that only Ruby's own loader takes (server facts 1.4)."""

from __future__ import annotations

import datetime
import re
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

NAME = "backup_information.yml"
KEYS = (
    *("backup_id", "db_version", "backup_created_at", "gitlab_version", "tar_version", "installation_type", "skipped"),
    *("repositories_storages", "repositories_paths", "skip_repositories_paths", "repositories_server_side"),
    "full_backup_id",
)


@dataclass
class Manifest:
    """What the archive says of itself; values as YAML writes them."""

    values: dict[str, str]

    def get(self, name: str) -> str:
        """Return a value without quotes; empty when it is not there."""
        return self.values.get(name, "").strip("'\"")

    def skipped(self) -> frozenset[str]:
        return frozenset(filter(None, self.get("skipped").split(",")))

    def text(self) -> str:
        return "---\n" + "".join(f":{key}: {self.values.get(key, '')}".rstrip(" ") + "\n" for key in KEYS)


def created_at(moment: datetime.datetime) -> str:
    """Return a time as Rails' YAML has it: an object of its own class."""
    stamp = moment.strftime("%Y-%m-%d %H:%M:%S.%f") + "000 Z"
    return (
        f"!ruby/object:ActiveSupport::TimeWithZone\n  utc: {stamp}\n"
        f"  zone: !ruby/object:ActiveSupport::TimeZone\n    name: Etc/UTC\n  time: {stamp}"
    )


def quoted(text: t.Optional[str]) -> str:
    """Return a string that YAML would take for something else, quoted; nil is nothing."""
    if text is None:
        return ""
    a_number = re.fullmatch(r"[\d_.]+", text) and text.count(".") < 2
    return f"'{text}'" if not text or a_number else text


def tar_version() -> str:
    """Return the first line of `tar --version`."""
    done = subprocess.run(["tar", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def read(path: Path) -> Manifest:
    """Read the file; FileNotFoundError when it is not there."""
    values: dict[str, str] = {}
    last = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r":(\w+):(?: (.*))?", line)
        if match:
            last = match.group(1)
            values[last] = match.group(2) or ""
        elif last and line.startswith(" "):
            values[last] += "\n" + line
    return Manifest(values)
