# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates that read the code without running it, other than plain commands."""

from __future__ import annotations

import re

from gates import collection, environments, outcome, places, tree

SHELL_SCRIPT = re.compile(rb"\A#!.*\b(ba)?sh\b")
# What is typed, beside tools/. The collection is named by its import path, so that imports between plugins resolve.
PACKAGES = {
    "plugins": "ansible_collections.fleetwright.gitlab_aws",
    "tests/testbed": "testbed",
    "tests/bench": "bench",
}


def mypy() -> outcome.Outcome:
    present = [name for folder, name in PACKAGES.items() if any((places.ROOT / folder).rglob("*.py"))]
    present += [init.parent.name for init in sorted((places.ROOT / "tools").glob("*/__init__.py"))]
    modules = [script.stem for script in sorted((places.ROOT / "tools").glob("*.py"))]
    named = [*(("-p", name) for name in present), *(("-m", name) for name in modules)]
    status, text = outcome.captured(["mypy", "--strict", *(word for words in named for word in words)])
    return outcome.judged(status == 0, text)


def shellcheck() -> outcome.Outcome:
    """Check every shell script that git knows, by its first line or its name."""
    scripts = [name for name in tree.files() if name.endswith(".sh") or _is_shell(name)]
    status, text = outcome.captured(["shellcheck", *scripts])
    return outcome.judged(status == 0, text)


def _is_shell(name: str) -> bool:
    with (places.ROOT / name).open("rb") as file:
        return SHELL_SCRIPT.match(file.readline(200)) is not None


def no_sanity_ignores() -> outcome.Outcome:
    """ansible-test's findings are mended, not listed."""
    ignores = [places.relative(path) for path in (places.ROOT / "tests" / "sanity").glob("ignore*.txt")]
    return outcome.judged(not ignores, "".join(f"{name}: mend what it ignores, and remove it\n" for name in ignores))


def galaxy_importer() -> outcome.Outcome:
    """Run Galaxy's own importer on the built collection: no warning, and no error."""
    archive, text = collection.build()
    if archive is None:
        return outcome.judged(False, text)
    programs = environments.environment("importer")
    work = places.BUILD / "importer"
    work.mkdir(parents=True, exist_ok=True)
    # The importer's lint finds collections beside its own Python: those of the ansible package.
    settings = {"GALAXY_IMPORTER_RUN_ANSIBLE_TEST": "false", "GALAXY_IMPORTER_OFFLINE_ANSIBLE_LINT": "true"}
    env = places.environment(settings, programs)
    status, text = outcome.captured([programs / "python", "-m", "galaxy_importer.main", archive], cwd=work, env=env)
    warned = re.search(r"^(WARNING|ERROR|CRITICAL)\b", text, re.MULTILINE)
    return outcome.judged(status == 0 and warned is None, text)
