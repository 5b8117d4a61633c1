# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things are, and the environment that the gates run in."""

from __future__ import annotations

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
RESULTS = BUILD / "results"
VENV = ROOT / ".venv"
COLLECTION = "ansible_collections/fleetwright/gitlab_aws"


def environment(more: dict[str, str] | None = None, first_on_path: pathlib.Path = VENV / "bin") -> dict[str, str]:
    """Return this process's environment with the programs of .venv and the live collection in front."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {
        **inherited,
        "PATH": f"{first_on_path}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_HOME": str(BUILD / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(BUILD / "collections"),
        "MYPYPATH": os.pathsep.join(str(ROOT / part) for part in ("build/collections", "tests", "tools")),
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **(more or {}),
    }


def relative(path: pathlib.Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def existing(*names: str) -> list[str]:
    """Return those of the files and folders (named from the root) that are there."""
    return [name for name in names if (ROOT / name).exists()]
