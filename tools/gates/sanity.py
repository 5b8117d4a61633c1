# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-test sanity, on a copy of the project under the path that ansible-test wants."""

from __future__ import annotations

import os
import pathlib
import platform
import re
import subprocess
import types
import urllib.error
import urllib.request

import ansible_collections
from ansible_test._internal import python_requirements

from gates import environments, outcome, places, tree

AREA = places.BUILD / "sanity"
HOME = AREA / "home"
OLDEST = "3.9"
PYTHON = ".".join(platform.python_version_tuple()[:2])
# Progress and the pip installs between the findings.
NOISE = re.compile(
    r"Running sanity test|Installing |Using cached|Looking in|Processing |Collecting |Successfully "
    r"|\s+(Downloading|Using cached|━)"
)
BOOTSTRAP_URL = "https://ci-files.testing.ansible.com/ansible-test/get-pip-{version}.py"
# Python's bundled pip is enough: all it has to do is to install the requirements of the checks.
BOOTSTRAP = """\
import ensurepip
import sys

sys.exit(ensurepip._main(["--default-pip"]))
"""


def controller() -> outcome.Outcome:
    """Run every check on the controller's Python."""
    _copy()
    return _ansible_test(PYTHON)


def oldest_host() -> outcome.Outcome:
    """Check that what runs on a host compiles and imports on the oldest supported Python."""
    python = environments.find_python(OLDEST)
    if python is None:
        return outcome.Outcome(note=f"no Python {OLDEST} found")
    _copy()
    return _ansible_test(OLDEST, "--test", "compile", "--test", "import", also_on_path=pathlib.Path(python).parent)


def _copy() -> None:
    work = AREA / places.COLLECTION
    tree.export(work)
    _link_dependencies()
    # ansible-test asks git which files there are.
    subprocess.run(["git", "init", "--quiet"], cwd=work, check=True)
    _offer_pip()


def _link_dependencies() -> None:
    """The collections whose code and fragments ours use, as the ansible package brings them, beside it."""
    theirs = pathlib.Path(ansible_collections.__path__[0])
    for name in ("amazon/aws",):
        link = AREA / "ansible_collections" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(theirs / name)


def _ansible_test(python: str, *more: str, also_on_path: pathlib.Path | None = None) -> outcome.Outcome:
    env = _environment()
    if also_on_path and also_on_path.is_absolute():
        env["PATH"] = env["PATH"].replace(os.pathsep, f"{os.pathsep}{also_on_path}{os.pathsep}", 1)
    argv = ["ansible-test", "sanity", "--local", "--python", python, "--color", "no", *more]
    status, text = outcome.captured(argv, cwd=AREA / places.COLLECTION, env=env)
    return outcome.judged(status == 0, "\n".join(line for line in text.splitlines() if not NOISE.match(line)))


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
