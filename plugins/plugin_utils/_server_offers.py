# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a repository offers of GitLab's packages, and which one a wish means: pure functions.

Versions are compared as numbers: dnf lists them as text, 18.11 before 18.8 (server observations 4).
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _server_releases
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_releases import Minor, Version

CE, EE = "ce", "ee"
NEWEST = "newest"
_PACKAGE = re.compile(r"(\d+)\.(\d+)\.(\d+)-(ce|ee)\.(\d+)\.([a-z0-9_]+)")
_TARGET = re.compile(r"(\d+)(?:\.(\d+)(?:\.(\d+)(?:-(ce|ee)\.\d+\.[a-z0-9_]+)?)?)?")
_SHOWN = 12


class OfferError(Exception):
    """What is wanted is not offered; the text says what is, and what to do."""


@dataclasses.dataclass(frozen=True, order=True)
class Package:
    """A package: version 18.8.11, its edition, the number of its build and the system it is for (el9)."""

    version: Version
    edition: str
    build: int = 0
    system: str = ""

    @property
    def minor(self) -> Minor:
        return self.version[:2]

    @property
    def name(self) -> str:
        return dotted(self.version)

    def __str__(self) -> str:
        """As rpm writes version and release: 18.8.11-ce.0.el9."""
        return f"{self.name}-{self.edition}.{self.build}.{self.system}"


def dotted(numbers: t.Sequence[int]) -> str:
    return ".".join(map(str, numbers))


def package(text: str) -> Package | None:
    """A version and release as rpm writes them; None for a release candidate or anything else."""
    found = _PACKAGE.fullmatch(text.strip())
    if not found:
        return None
    major, minor, patch, edition, build, system = found.groups()
    return Package((int(major), int(minor), int(patch)), edition, int(build), system)


def offered(listing: t.Iterable[str], like: Package) -> list[Package]:
    """The packages of a listing that fit where one is installed, oldest first.

    A repository may hold packages for several systems; only those for the installed one's count.
    """
    found = {one for one in map(package, listing) if one is not None}
    return sorted(one for one in found if one.system == like.system)


def best(offers: t.Iterable[Package], minor: Minor, edition: str) -> Package | None:
    """The newest patch of a minor, one without a known fault before all others; None where none is offered."""
    there = [one for one in offers if one.minor == minor and one.edition == edition]
    good = [one for one in there if not _server_releases.bad_patch(one.version)]
    return max(good or there, default=None)


def wanted(target: str, offers: t.Sequence[Package], edition: str) -> Package:
    """The package that a target means: an exact version, the best of a line (18.11 or 18), or of all.

    Raises OfferError.
    """
    target = "" if target == NEWEST else target
    line = tuple(int(part) for part in _checked(target)[:3] if part is not None) if target else ()
    fitting = [one for one in offers if one.edition == edition and one.version[: len(line)] == line]
    if not fitting:
        raise OfferError(
            f"The repository offers no gitlab-{edition} {target or 'at all'}. It offers "
            f"{_listed(offers, edition, line)}. Choose one of these, or look at gitlab_server_repo_baseurl."
        )
    if len(line) == 3:
        exact = [one for one in fitting if str(one) == target] or fitting
        return max(exact)
    return t.cast(Package, best(fitting, max(one.minor for one in fitting), edition))


def edition_of(target: str) -> str | None:
    """The edition that a full package names."""
    found = _TARGET.fullmatch(target)
    return found[4] if found else None


def _checked(target: str) -> tuple[str | None, ...]:
    found = _TARGET.fullmatch(target)
    if not found:
        raise OfferError(
            f"{target!r} is no version. Give an exact one (18.11.9 or 18.11.9-ce.0.el9), a line to stay in (18.11 or "
            f"18), or {NEWEST}."
        )
    return found.groups()


def _listed(offers: t.Sequence[Package], edition: str, line: t.Sequence[int]) -> str:
    """What is offered, and of that what is nearest to the line that was asked for."""
    there = [one for one in offers if one.edition == edition]
    near = [[one for one in there if one.version[:size] == tuple(line[:size])] for size in (2, 1) if len(line) > size]
    shown = next(filter(None, near), there)[-_SHOWN:]
    more = f" and {len(there) - len(shown)} others" if len(there) > len(shown) else ""
    return (", ".join(one.name for one in shown) or "none of it") + more
