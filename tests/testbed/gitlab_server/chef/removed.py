# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that GitLab has dropped (server facts 5.3, observed 5): read by reconfigure and by check-config."""

from __future__ import annotations

import dataclasses
import typing as t

Version = tuple[int, ...]
MATTERMOST = "Mattermost has been removed from the Linux package in 19.0."
# check-config of this one reports Mattermost to everybody (server facts 5.3).
MATTERMOST_FALSE = (18, 11, 7)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One setting.

    deprecated and removed are major.minor; known is the first package whose check-config knows of it; ignored says that
    a reconfigure goes on with it.
    """

    keys: tuple[str, ...]
    deprecated: str
    removed: str
    known: Version
    note: str
    ignored: bool = False

    @property
    def text(self) -> str:
        """Return the line of a report, without its bullet."""
        name = self.keys[0] + "".join(f"['{key}']" for key in self.keys[1:])
        how = "is ignored by" if self.ignored else f"was removed in {self.removed}."
        return f"{name} has been deprecated since {self.deprecated} and {how} {self.note}"


ENTRIES = (
    Entry(
        ("git_data_dirs",),
        "17.8",
        "18.0",
        (17, 8, 0),
        "See https://docs.gitlab.com/omnibus/settings/configuration.html#migrating-from-git_data_dirs",
    ),
    Entry(("mattermost",), "18.11", "19.0", MATTERMOST_FALSE, MATTERMOST),
    Entry(("spamcheck",), "19.0", "19.0", (18, 11, 0), "Spamcheck has been removed from the Linux package in 19.0."),
    Entry(("gitaly", "configuration", "git", "bin_path"), "18.3", "19.0", (18, 3, 0), "Gitaly.", ignored=True),
)


def numbers(text: str) -> Version:
    """Return a version's numbers."""
    return tuple(int(part) for part in text.split("."))


def is_set(attributes: t.Mapping[str, t.Any], keys: t.Sequence[str]) -> bool:
    """Tell whether the attributes have this setting."""
    found: t.Any = attributes
    for key in keys:
        if not isinstance(found, t.Mapping) or key not in found:
            return False
        found = found[key]
    return True


def removed(attributes: t.Mapping[str, t.Any], version: Version) -> list[Entry]:
    """Return the entries that are set and that a reconfigure of this version stops at."""
    return [
        entry
        for entry in ENTRIES
        if not entry.ignored and numbers(entry.removed) <= tuple(version[:2]) and is_set(attributes, entry.keys)
    ]


def findings(attributes: t.Mapping[str, t.Any], installed: Version, incoming: Version) -> list[Entry]:
    """Return what check-config of the installed version reports about an incoming one."""
    return [
        entry
        for entry in ENTRIES
        if entry.known <= installed
        and numbers(entry.removed) <= tuple(incoming[:2])
        and (is_set(attributes, entry.keys) or (entry.keys == ("mattermost",) and installed == MATTERMOST_FALSE))
    ]
