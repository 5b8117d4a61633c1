# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a matrix has come, kept in a file so that it can go on after a break."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import typing as t


@dataclasses.dataclass
class Progress:
    """What a matrix has done so far, kept so that it can go on after a break; unkilled are cases without a kill."""

    name: str
    path: pathlib.Path
    done: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    unkilled: int = 0
    faults: int = 0
    jobs: int = 0
    lost: list[int] = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def resumed(cls, name: str, path: pathlib.Path) -> Progress:
        return cls(name, path, **json.loads(path.read_text())) if path.exists() else cls(name, path)

    def keep(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = dataclasses.asdict(self)
        del data["path"], data["name"]
        self.path.write_text(json.dumps(data, indent=1))

    def record(self, seed: int) -> dict[str, t.Any]:
        wrong = sum(len(found) for found in self.done.values())
        return {
            "scenario": self.name, "seed": seed, "kills": len(self.done) - self.unkilled, "faults": self.faults,
            "records_lost": 0, "jobs": self.jobs, "jobs_lost": len(self.lost), "unexplained": wrong,
            "seconds": round(self.seconds),
        }  # fmt: skip
