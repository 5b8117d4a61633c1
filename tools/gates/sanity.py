# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test sanity, on a copy of the project under the path that ansible-test wants."""

from __future__ import annotations

import os
import pathlib
import platform
import subprocess
import types
import urllib.error
import urllib.request

from ansible_test._internal import python_requirements

from gates import outcome, places, tree

AREA = places.BUILD / "sanity"
HOME = AREA / "home"
PYTHON = ".".join(platform.python_version_tuple()[:2])
BOOTSTRAP_URL = "https://ci-files.testing.ansible.com/ansible-test/get-pip-{version}.py"
# Python's bundled pip is enough: all it has to do is to install the requirements of the checks.
BOOTSTRAP = """\
import ensurepip
import sys

sys.exit(ensurepip._main(["--default-pip"]))
"""


def run() -> outcome.Outcome:
    work = AREA / places.COLLECTION
    tree.export(work)
    # ansible-test asks git which files there are.
    subprocess.run(["git", "init", "--quiet"], cwd=work, check=True)
    _offer_pip()
    argv = ["ansible-test", "sanity", "--local", "--python", PYTHON, "--color", "no"]
    status, text = outcome.captured(argv, cwd=work, env=_environment())
    return outcome.judged(status == 0, text)


def _environment() -> dict[str, str]:
    """A home of its own keeps ansible-test's cache out of the user's; pip's settings and cache still count."""
    home = pathlib.Path.home()
    more = {"HOME": str(HOME), "PIP_CACHE_DIR": str(home / ".cache" / "pip")}
    settings = home / ".config" / "pip" / "pip.conf"
    if settings.exists():
        more["PIP_CONFIG_FILE"] = os.environ.get("PIP_CONFIG_FILE", str(settings))
    return places.environment(more)


def _offer_pip() -> None:
    """Where ansible-test could not download the script that puts pip into its environments, leave one for it."""
    python = types.SimpleNamespace(version=PYTHON)
    version = python_requirements.get_venv_packages(python)["pip"]
    script = HOME / ".ansible" / "test" / "cache" / f"get_pip_{version.replace('.', '_')}.py"
    if script.exists() or _can_be_had(BOOTSTRAP_URL.format(version=version)):
        return
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(BOOTSTRAP, encoding="utf-8")


def _can_be_had(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=10):
            return True
    except (urllib.error.URLError, OSError):
        return False
