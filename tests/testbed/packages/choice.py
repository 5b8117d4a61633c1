# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is packed as gitlab-runner: the twin in every version of the table, or genuine programs named by the caller."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from collections.abc import Mapping
from pathlib import Path

from testbed import programs
from testbed.errors import TestbedError
from testbed.packages.versions import VERSIONS, numbers

BINARIES = "TESTBED_RUNNER_BINARY"
BINARY_VERSIONS = "TESTBED_RUNNER_VERSIONS"
FOLDER = "TESTBED_PACKAGES"


@dataclasses.dataclass(frozen=True)
class Program:
    """One program to pack; without a binary it is the twin."""

    version: str
    binary: t.Optional[Path] = None


@dataclasses.dataclass(frozen=True)
class Choice:
    """What goes into the repository."""

    programs: tuple[Program, ...]
    folder: t.Optional[Path] = None


def reported_version(output: str) -> str:
    """Return what `--version` says on its line "Version:" (runner facts 4.1)."""
    found = re.search(r"^Version:\s+(.+?)\s*$", output, re.MULTILINE)
    return found[1] if found else ""


def _ask(binary: Path) -> str:
    if not binary.is_file():
        raise TestbedError(f"{BINARIES} names {binary}, which is not a file.")
    return reported_version(programs.run([binary, "--version"], f"ask {binary} for its version", timeout=30))


def _given_versions(env: Mapping[str, str], wanted: int) -> list[str]:
    given = [word for word in env.get(BINARY_VERSIONS, "").split(":") if word]
    if given and len(given) != wanted:
        raise TestbedError(f"{BINARY_VERSIONS} has {len(given)} versions for the {wanted} paths in {BINARIES}.")
    for version in given:
        numbers(version)
    return given


def _genuine(env: Mapping[str, str], ask: t.Callable[[Path], str]) -> tuple[Program, ...]:
    paths = [Path(word).resolve() for word in env[BINARIES].split(":") if word]
    given = _given_versions(env, len(paths))
    found = []
    for number, path in enumerate(paths):
        version = given[number] if given else ask(path)
        if not re.fullmatch(r"\d+\.\d+\.\d+", version):
            raise TestbedError(
                f"{path} reports '{version or 'nothing'}' as its version. Say what to pack it as: "
                f"{BINARY_VERSIONS}=x.y.z, one for each path, separated by colons."
            )
        found.append(Program(version, path))
    versions = [program.version for program in found]
    twice = sorted({version for version in versions if versions.count(version) > 1})
    if twice:
        raise TestbedError(f"{BINARIES} names more than one program of version {', '.join(twice)}.")
    return tuple(sorted(found, key=lambda program: numbers(program.version)))


def folder(env: Mapping[str, str]) -> t.Optional[Path]:
    """Return the folder with packages that take the twins' place."""
    found = Path(env[FOLDER]).resolve() if env.get(FOLDER) else None
    if found and not any(found.glob("*.rpm")):
        raise TestbedError(f"{FOLDER} names {found}, where there is no *.rpm file.")
    return found


def choose(env: Mapping[str, str], ask: t.Callable[[Path], str] = _ask) -> Choice:
    """Read the choice from the environment."""
    given = folder(env)
    if env.get(BINARIES, "").strip(":"):
        return Choice(_genuine(env, ask), given)
    return Choice(tuple(Program(version) for version in VERSIONS), given)
