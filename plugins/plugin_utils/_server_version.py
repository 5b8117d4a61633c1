# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of the package gitlab-ce: how they are declared, and what may be installed where: pure functions."""

from __future__ import annotations

import dataclasses
import re
import typing as t

PROGRAM = "gitlab-ce"
# Packages from before February 2025 are signed by the former key (server facts 8); 17.9 is the first minor after that.
PRESENT_KEY_SINCE = (17, 9)
# The first minor with packages for an operating system (server facts 8).
FIRST_PACKAGES = {("amzn", "2023"): (16, 3), ("el", "9"): (16, 0), ("el", "10"): (18, 6)}
LAST_MINOR = 11
_VERSION = re.compile(r"\d+(\.\d+(\.\d+)?)?")
_RELEASE = re.compile(r"(\d+\.\d+\.\d+)-(ce|ee)\.\d+\.[a-z0-9]+")


@dataclasses.dataclass(frozen=True)
class There:
    """A host: its operating system (`el`, `9`), the installed version, and whether GitLab has had its data there."""

    system: tuple[str, str]
    installed: str | None
    data: bool


def faults(there: There, version: str) -> t.Iterator[str]:
    """What is wrong with a declared version on a host."""
    number = numbers(version)
    release = _RELEASE.fullmatch(version)
    if version and not release and not _VERSION.fullmatch(version):
        yield (
            f"gitlab_server_version is {version!r}; give a version (18.2.8), a line to stay in (18.2 or 18), or "
            "nothing for the newest."
        )
        return
    if release and release[2] == "ee":
        yield f"gitlab_server_version {version} is of the Enterprise Edition; this collection is for {PROGRAM}."
    first = FIRST_PACKAGES.get(there.system)
    if first and number and number[: len(first)] < first[: len(number)]:
        yield (
            f"GitLab has packages of {'.'.join(map(str, first))} and later for this operating system, but "
            f"gitlab_server_version is {version}. Give a later one, or use an older operating system."
        )
    if there.installed and not fits(there.installed, number):
        playbook = "gitlab_upgrade" if number > numbers(there.installed) else "gitlab_rollback"
        yield (
            f"GitLab {there.installed} is installed and gitlab_server_version is {version}: an installation never "
            f"changes the version of a server with data. Use the playbook {playbook}, or set gitlab_server_version to "
            f"{there.installed}."
        )
    if there.data and not there.installed and len(number) < 3:
        yield (
            "GitLab's data is here, but its package is not, and only the version that the data belongs to may be "
            "installed over it. Set gitlab_server_version to that exact version."
        )


def fits(installed: str, number: tuple[int, ...]) -> bool:
    return numbers(installed)[: len(number)] == number


def package_spec(version: str) -> str:
    """What dnf is asked for; release and operating system are the repository's to say."""
    if not version or _RELEASE.fullmatch(version):
        return "-".join(filter(None, (PROGRAM, version)))
    return f"{PROGRAM}-{version}-*" if version.count(".") == 2 else f"{PROGRAM}-{version}.*"


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def version_of(value: object) -> str:
    """The declared version as text; YAML reads 18.10 as a number, and a number forgets its last zero.

    Raises ValueError for such a number.
    """
    if isinstance(value, float):
        raise ValueError(f"gitlab_server_version is the number {value}; quote it, so that 18.10 does not become 18.1.")
    return "" if value is None else str(value)


def signed_by_former_key(number: tuple[int, ...]) -> bool:
    """Whether the former key may be needed.

    Otherwise it is left out: dnf imports every key that it is told of, and a revoked one may not go in.
    """
    return bool(number) and number < PRESENT_KEY_SINCE[: len(number)]
