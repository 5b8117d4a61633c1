# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which releases there are, and what each one ships and accepts: one table (server facts 4.5)."""

from __future__ import annotations

import dataclasses
import re

Number = tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Minor:
    """A minor version.

    minimum: the oldest major.minor that its package accepts to be upgraded from; pg_minimum: the oldest PostgreSQL that
    it accepts; pg_shipped: the PostgreSQL majors in the package, oldest first; pg_auto: whether a package upgrade runs
    pg-upgrade by itself; patches: the patch levels there are packages of (the last one is the latest known, gaps are
    GitLab's own).
    """

    number: Number
    minimum: Number
    pg_minimum: int
    pg_shipped: tuple[int, ...]
    pg_auto: bool
    patches: tuple[int, ...]

    @property
    def name(self) -> str:
        """Return it as GitLab's messages say it."""
        return f"{self.number[0]}.{self.number[1]}"

    @property
    def pg_default(self) -> int:
        """The PostgreSQL major of a fresh install, and the one that pg-upgrade goes to when none is named."""
        return max(self.pg_shipped) if self.pg_auto else min(self.pg_shipped)


MINORS = (
    Minor((16, 11), (16, 7), 13, (13, 14), True, (0, 8, 10)),
    Minor((17, 1), (16, 11), 14, (14,), False, (0, 8)),
    Minor((17, 3), (16, 11), 14, (14,), False, (0, 6, 7)),
    Minor((17, 5), (17, 3), 14, (14, 16), False, (0, 4, 5)),
    Minor((17, 8), (17, 5), 14, (14, 16), False, (0, 1, 2, 7)),
    Minor((17, 11), (17, 8), 14, (14, 16), True, (0, 6, 7)),
    Minor((18, 0), (17, 11), 16, (16,), False, (0, 2, 6)),
    Minor((18, 1), (17, 11), 16, (16,), False, (0, 6)),
    Minor((18, 2), (17, 11), 16, (16,), False, (0, 7, 8)),
    Minor((18, 3), (18, 2), 16, (16,), False, (0, 6)),
    Minor((18, 4), (18, 2), 16, (16,), False, (0, 6)),
    Minor((18, 5), (18, 2), 16, (16,), False, (0, 1, 2, 7)),
    Minor((18, 6), (18, 5), 16, (16,), False, (0, 2, 8)),
    Minor((18, 7), (18, 5), 16, (16,), False, (0, 7)),
    Minor((18, 8), (18, 5), 16, (16,), False, (0, 7, 11)),
    Minor((18, 9), (18, 8), 16, (16, 17), False, (0, 3, 8)),
    Minor((18, 10), (18, 8), 16, (16, 17), False, (0, 8)),
    Minor((18, 11), (18, 8), 16, (16, 17), True, (0, 6, 7, 9, 11)),
    Minor((19, 0), (18, 11), 17, (17,), False, (0, 2, 8)),
    Minor((19, 1), (18, 11), 17, (17,), False, (0, 6)),
    Minor((19, 2), (18, 11), 17, (17,), False, (0, 2, 4)),
    Minor((19, 3), (19, 2), 17, (17, 18), False, (0, 1, 2)),
)

# Full versions of the PostgreSQL majors. 16.11 and 17.7 are from the transcripts of 18.11.9 (observed 8); the others
# only have their shape. One for each major is enough: the checks look at the major.
PG_VERSIONS = {13: "13.18", 14: "14.17", 16: "16.11", 17: "17.7", 18: "18.1"}

# Packages from before this one are signed with the former key (server facts 8: the key changed in February 2025).
PRESENT_KEY_SINCE = (17, 8, 2)

CE = "ce"
EE = "ee"


@dataclasses.dataclass(frozen=True)
class Release:
    """One version x.y.z with the facts of its minor."""

    minor: Minor
    patch: int

    @property
    def version(self) -> str:
        """Return x.y.z."""
        return f"{self.minor.name}.{self.patch}"

    @property
    def numbers(self) -> tuple[int, int, int]:
        """Return x.y.z as numbers."""
        return (*self.minor.number, self.patch)

    @property
    def former_key(self) -> bool:
        """Tell whether the package is signed with the key that GitLab no longer signs with."""
        return self.numbers < PRESENT_KEY_SINCE

    @property
    def pg_versions(self) -> tuple[str, ...]:
        """Return the full PostgreSQL versions in the package, oldest first."""
        return tuple(PG_VERSIONS[major] for major in self.minor.pg_shipped)


RELEASES = tuple(Release(minor, patch) for minor in MINORS for patch in minor.patches)
_BY_VERSION = {release.version: release for release in RELEASES}


def rails_version(version: str, edition: str = CE) -> str:
    """Return what the rails folder's VERSION says, and with it every backup: CE has no suffix (server facts 4.1)."""
    return f"{version}-ee" if edition == EE else version


def release(version: str) -> Release:
    """Return the release of a version x.y.z, with or without an edition's suffix; KeyError when there is none."""
    return _BY_VERSION[re.sub(r"-(ce|ee)(\.\d+.*)?$", "", version)]
