# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users get it: built by ansible-galaxy, installed under build/installed."""

from __future__ import annotations

import pathlib
import shutil
import sys

from gates import outcome, places, tree

ARTIFACT = places.BUILD / "artifact"
INSTALLED = places.BUILD / "installed"
SOURCE = places.BUILD / "source"


def build() -> tuple[pathlib.Path | None, str]:
    """Build and install the collection unless it is the one installed; return the tarball, or why there is none."""
    stamp = ARTIFACT / "made-from"
    made_from = tree.digest(SOURCE, tree.export(SOURCE))
    archive = next(ARTIFACT.glob("fleetwright-gitlab_aws-*.tar.gz"), None)
    installed = INSTALLED / places.COLLECTION / "MANIFEST.json"
    if archive and installed.exists() and stamp.exists() and stamp.read_text() == made_from:
        return archive, "already up to date"
    for old in (ARTIFACT, INSTALLED):
        shutil.rmtree(old, ignore_errors=True)
    status, text = outcome.captured(["ansible-galaxy", "collection", "build", SOURCE, "--output-path", ARTIFACT])
    archive = next(ARTIFACT.glob("fleetwright-gitlab_aws-*.tar.gz"), None)
    if status != 0 or archive is None:
        return None, text
    # The collections it depends on come with the ansible package: nothing is asked of Galaxy.
    install = ["ansible-galaxy", "collection", "install", "--offline", "--no-deps", "--force", "-p", INSTALLED, archive]
    status, text = outcome.captured(install)
    if status != 0:
        return None, text
    stamp.write_text(made_from)
    return archive, "built and installed"


def main() -> int:
    archive, text = build()
    if archive is None:
        print(text, file=sys.stderr)
        return 1
    print(f"{places.relative(archive)} and {places.relative(INSTALLED)}: {text}")
    return 0
