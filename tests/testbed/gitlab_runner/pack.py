# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays out the twin as an RPM installs it. Not part of what is packed."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import shutil
from pathlib import Path

from . import build

SOURCE = Path(__file__).resolve().parent
LEFT_OUT = frozenset(("pack.py", "__main__.py"))

# -I and -S: nothing of the caller's environment or of other packages' start-up code gets in. Compiled files go to a
# folder of their own kind of source: rpm gives the files of all versions the same date, by which Python would tell
# old from new, and what lies beside them would stay behind when the package goes.
LAUNCHER = """\
#!/usr/bin/python3 -IS
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys

prefix = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
if prefix == "/usr":
    sys.pycache_prefix = "/var/cache/gitlab-runner-twin/{digest}"
sys.path.insert(0, prefix + "/lib/gitlab-runner/twin")
from gitlab_runner import early

early.go_defaults()
from gitlab_runner.cli import start

start()
"""


def _digest(folder: Path) -> str:
    known = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        known.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return known.hexdigest()[:16]


def _copy_tomli(dest: Path) -> None:
    """Copy the plain Python sources: hosts before 3.11 have no TOML parser of their own."""
    found = importlib.util.find_spec("tomli")
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError("tomli is not installed here: it is packed for hosts with an older Python.")
    target = dest / "tomli"
    target.mkdir()
    for path in Path(found.submodule_search_locations[0]).iterdir():
        if path.suffix == ".py" or path.name == "py.typed":
            shutil.copyfile(path, target / path.name)


def pack(version: str, dest: Path) -> None:
    """Put the files of one version under the build root dest."""
    twin = dest / "usr/lib/gitlab-runner/twin"
    twin.mkdir(parents=True)
    for path in sorted(SOURCE.rglob("*.py")):
        place = path.relative_to(SOURCE)
        if str(place) not in LEFT_OUT:
            target = twin / "gitlab_runner" / place
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    _copy_tomli(twin)
    info = dataclasses.asdict(build.for_version(version))
    (twin / "build_info.json").write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    launcher = dest / "usr/bin/gitlab-runner"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    launcher.write_text(LAUNCHER.replace("{digest}", _digest(twin)), encoding="utf-8")
    launcher.chmod(0o755)
