# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds declared entries in a config.toml that people edit by hand too: entries renamed, reordered or doubled."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

Table = t.Mapping[str, t.Any]


class PlanError(Exception):
    """The declaration can't be brought together with the file; the text says what to do."""


class Doubled(enum.Enum):
    """What becomes of entries that someone doubled by hand."""

    FAIL = "fail"
    REMOVE = "remove"


class Renamed(enum.Enum):
    """What becomes of an entry that someone renamed by hand."""

    RENAME = "rename"
    FAIL = "fail"


@dataclasses.dataclass(frozen=True)
class Entry:
    """One declared [[runners]] entry.

    fields are config.toml keys; None asks for a key's removal. written holds what the runner itself writes (id, token,
    token_obtained_at, token_expires_at): used for a new entry, and for one on disk only when rotate is set.
    """

    name: str
    fields: Table = dataclasses.field(default_factory=dict)
    written: Table = dataclasses.field(default_factory=dict, repr=False)
    rotate: bool = False


def entries_of(config: Table) -> list[dict[str, t.Any]]:
    """The [[runners]] entries of a parsed file, in their order."""
    found = value_of(config, "runners")
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def value_of(table: Table, name: str) -> t.Any:
    """A key's value; the runner itself takes keys in any case (runner facts 1.1)."""
    spelled = spelling(table, name)
    return None if spelled is None else table[spelled]


def spelling(table: Table, name: str) -> str | None:
    """How the key is spelled in the table, or None where it is absent."""
    if name in table:
        return name
    folded = name.casefold()
    return next((known for known in table if known.casefold() == folded), None)


class Disk:
    """The entries of one file, found by name, token or id in the same time however many there are."""

    def __init__(self, entries: t.Sequence[Table], where: str) -> None:
        self.entries = entries
        self.where = where
        self._names = self._by("name")
        self._tokens = self._by("token")
        self._ids = self._by("id")

    def _by(self, name: str) -> dict[t.Any, list[int]]:
        found: dict[t.Any, list[int]] = {}
        for number, entry in enumerate(self.entries):
            value = value_of(entry, name)
            if value and isinstance(value, (str, int)):
                found.setdefault(value, []).append(number)
        return found

    def name(self, number: int) -> str:
        return str(value_of(self.entries[number], "name") or "")

    def find(self, entry: Entry, doubled: Doubled = Doubled.FAIL) -> int | None:
        """The position of the entry that a declaration means: by name, else by what GitLab knows it by.

        Raises PlanError where someone doubled it, unless the doubles are to go.
        """
        named = self._names.get(entry.name, [])
        known = self._known(entry)
        candidates = [number for number in named if number in known] or named or sorted(known)
        if not candidates:
            return None
        if doubled is Doubled.FAIL:
            self._check_single(entry, candidates)
        return candidates[0]

    def doubles(self, number: int, entry: Entry) -> set[int]:
        """The other entries that are doubles of the one found: its token, or its name and nothing that tells apart."""
        token = value_of(self.entries[number], "token")
        same_token = self._tokens.get(token, []) if isinstance(token, str) else []
        named = [] if number in self._known(entry) else self._names.get(entry.name, [])
        return {*same_token, *named} - {number}

    def _known(self, entry: Entry) -> set[int]:
        token, runner_id = entry.written.get("token"), entry.written.get("id")
        return {*self._tokens.get(token, []), *self._ids.get(runner_id, [])}

    def _check_single(self, entry: Entry, candidates: t.Sequence[int]) -> None:
        others = self.doubles(candidates[0], entry)
        if not others:
            return
        names = sorted({self.name(number) for number in (candidates[0], *others)})
        what = f"named {entry.name!r}" if len(names) == 1 else f"with one token ({', '.join(map(repr, names))})"
        raise PlanError(
            f"{self.where} has {len(others) + 1} entries {what}, so which one is meant is not known, and entries with "
            "one token break the daemon's metrics. Nothing was changed. Remove the superfluous ones by hand, or set "
            "on_doubled_entry to remove."
        )
