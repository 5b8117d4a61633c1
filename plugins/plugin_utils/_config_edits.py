# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The smallest edits that bring a table of config.toml to what is declared: pure functions."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_entries import Table, spelling, value_of
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import Key, Kind
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_same import same, same_as_absent
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._toml_edit import REMOVE, Edit, Path

# What tells the tables of one list apart, where they have it.
IDENTITY = ("name", "ip", "periods", "key")


def table_edits(
    current: Table, desired: Table, keys: t.Mapping[str, Key], path: Path, *, whole_lists: bool = False
) -> t.Iterator[Edit]:
    """The edits of one table; keys that are not declared stay, and null removes one.

    whole_lists: replace a list of tables whole where it differs, instead of editing inside it.
    """
    for name, value in desired.items():
        spelled = spelling(current, name)
        here: Path = (*path, spelled or name)
        key = keys.get(name)
        known = None if spelled is None else current[spelled]
        if value is None:
            if spelled is not None:
                yield Edit(here, REMOVE)
        elif isinstance(value, dict) and (spelled is None or isinstance(known, dict)):
            below = key.keys if key is not None else {}
            yield from table_edits(known or {}, value, below, here, whole_lists=whole_lists)
        elif spelled is None:
            if not same_as_absent(key, value):
                yield Edit(here, without_nulls(value))
        elif key is not None and key.kind is Kind.TABLES and _are_tables(known) and _are_tables(value):
            yield from _list_edits(known, value, key, here, whole_lists=whole_lists)
        elif not same(key, known, value):
            yield Edit(here, value)


def without_nulls(value: t.Any) -> t.Any:
    """A value to be written: a key that is null is not there."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _are_tables(value: t.Any) -> t.TypeGuard[list[dict[str, t.Any]]]:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _list_edits(
    current: t.Sequence[Table], desired: t.Sequence[Table], key: Key, path: Path, *, whole_lists: bool
) -> t.Iterator[Edit]:
    """The edits of a list of tables: each table inside, then those that go from the end, then new ones behind."""
    pairs = _pairs(current, desired)
    inside = [
        edit
        for number, table in pairs
        for edit in table_edits(current[number], table, key.keys, (*path, number), whole_lists=whole_lists)
    ]
    gone = sorted(set(range(len(current))) - {number for number, _table in pairs}, reverse=True)
    new = desired[len(pairs) :]
    if (inside or gone or new) and whole_lists:
        yield Edit(path, without_nulls(list(desired)))
        return
    yield from inside
    if gone and len(gone) == len(current) and new:
        yield Edit(path, without_nulls(list(desired)))
        return
    yield from (Edit((*path, number), REMOVE) for number in gone)
    start = len(current) - len(gone)
    yield from (Edit((*path, number), without_nulls(table)) for number, table in enumerate(new, start=start))


def _pairs(current: t.Sequence[Table], desired: t.Sequence[Table]) -> list[tuple[int, Table]]:
    """Which table of the file is meant by which declared one; declared ones behind the last pair are new.

    By what tells them apart, as long as the order is the same (the last matching policy wins, so order has a meaning);
    by their places where that doesn't work out.
    """
    for name in IDENTITY:
        known, wanted = _values(current, name), _values(desired, name)
        if known is None or wanted is None:
            continue
        numbers = [known.index(value) for value in wanted if value in known]
        if numbers == sorted(numbers) and all(value in known for value in wanted[: len(numbers)]):
            return list(zip(numbers, desired))
    return list(zip(range(len(current)), desired))


def _values(tables: t.Sequence[Table], name: str) -> list[t.Any] | None:
    """Every table's value of a key; None where one lacks it or two have the same."""
    found = [value_of(table, name) for table in tables]
    unique = all(value is not None and found.count(value) == 1 for value in found)
    return found if unique else None
