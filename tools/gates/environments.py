# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python environments that must not be mixed with the controller's; each is made when its gate first runs."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from gates import outcome, places

UV = places.BUILD / "uv" / "bin" / "uv"


class EnvironmentFailed(Exception):
    """uv could not make the environment; the text is what it said."""


def environment(name: str, python: str = sys.executable) -> pathlib.Path:
    """Return the bin folder of build/venvs/NAME, made from tools/requirements-NAME.txt."""
    folder = places.BUILD / "venvs" / name
    requirements = places.ROOT / "tools" / f"requirements-{name}.txt"
    stamp = folder / "made-from"
    made_from = f"{version(python)} {hashlib.sha256(requirements.read_bytes()).hexdigest()}"
    if not stamp.exists() or stamp.read_text() != made_from:
        print(f"       making build/venvs/{name} ...", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        for argv in (
            [UV, "venv", "--quiet", "--python", python, folder],
            [UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", "-r", requirements],
        ):
            status, text = outcome.captured(argv)
            if status != 0:
                raise EnvironmentFailed(f"Could not make build/venvs/{name}: {text}")
        stamp.write_text(made_from)
    return folder / "bin"


def version(python: str) -> str | None:
    """Return the version of a Python, or None where it does not really run (pyenv's shims exist and fail)."""
    report = [python, "-c", "import platform; print(platform.python_version())"]
    try:
        done = subprocess.run(report, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def find_python(minor: str) -> str | None:
    """Return a Python of that version (as 3.9) that really runs: from PATH, or pyenv's."""
    pyenv = pathlib.Path(os.environ.get("PYENV_ROOT") or pathlib.Path.home() / ".pyenv") / "versions"
    candidates = [f"python{minor}", *(str(path) for path in sorted(pyenv.glob(f"{minor}.*/bin/python")))]
    return next((python for python in candidates if (version(python) or "").startswith(f"{minor}.")), None)
