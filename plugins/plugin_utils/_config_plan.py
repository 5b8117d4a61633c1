# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what config.toml should become: pure functions from (text, declaration) to a plan."""

from __future__ import annotations

import dataclasses
import functools
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_edits, _masking, _toml_edit
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_entries import (
    Disk,
    Doubled,
    Entry,
    PlanError,
    Renamed,
    Table,
    entries_of,
    spelling,
    value_of,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import Key
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._toml_edit import REMOVE, Edit, Path

__all__ = ["ConfigPlan", "Disk", "Doubled", "Entry", "PlanError", "Renamed", "Wanted", "entries_of", "plan", "value_of"]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What config.toml should say; entries that are not named stay unless purge is set.

    doubled and renamed say what becomes of entries that someone doubled or renamed by hand.
    """

    settings: Table = dataclasses.field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    absent: frozenset[str] = frozenset()
    purge: bool = False
    doubled: Doubled = Doubled.FAIL
    renamed: Renamed = Renamed.RENAME


@dataclasses.dataclass(frozen=True)
class ConfigPlan:
    """What to write, and what a task reports of it; config is what the file means before, wanted after."""

    text: str = dataclasses.field(repr=False)
    changed: bool
    changes: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    before: str = dataclasses.field(default="", repr=False)
    config: Table = dataclasses.field(default_factory=dict, repr=False)
    wanted: Table = dataclasses.field(default_factory=dict, repr=False)

    def diff(self, path: str) -> dict[str, str]:
        known, wanted = _masking.secrets(self.config), _masking.secrets(self.wanted)
        return _masking.masked_diff(self.before, self.text, known, wanted, path)


def plan(text: str | None, wanted: Wanted, where: str) -> ConfigPlan:
    """Plan the file's new text.

    Raises TomlError for a broken file and PlanError where the declaration fits no single entry.
    """
    before = text or ""
    config = _toml_edit.parse(before, where)
    edits = _edits(config, wanted, where)
    if not edits:
        return ConfigPlan(before, changed=False, before=before, config=config, wanted=config)
    after, edits = _edited(before, config, edits, wanted, where)
    return ConfigPlan(
        after,
        changed=True,
        changes=tuple(dict.fromkeys(_called(config, edit) for edit in edits)),
        restart=tuple(dict.fromkeys(_called(config, edit) for edit in edits if _needs_restart(edit))),
        before=before,
        config=config,
        wanted=_toml_edit.expected(config, edits),
    )


def _edited(before: str, config: Table, edits: list[Edit], wanted: Wanted, where: str) -> tuple[str, list[Edit]]:
    """The text, by the smallest edits; lists of tables are replaced whole where their text can't be edited inside."""
    from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _toml_write  # 50 ms: only for a change

    try:
        return _toml_write.edited(before, edits, where, config), edits
    except _toml_edit.TomlError:
        whole = _edits(config, wanted, where, whole_lists=True)
        if whole == edits:
            raise
        return _toml_write.edited(before, whole, where, config), whole


def _edits(config: Table, wanted: Wanted, where: str, *, whole_lists: bool = False) -> list[Edit]:
    edit = functools.partial(_config_edits.table_edits, whole_lists=whole_lists)
    disk = Disk(entries_of(config), where)
    runners = spelling(config, "runners") or "runners"
    kept, doubles, new = _matched(disk, wanted)
    edits = list(edit(config, wanted.settings, schema.GLOBAL, ()))
    for number, entry in kept.items():
        fields = {"name": entry.name, **entry.fields, **(entry.written if entry.rotate else {})}
        edits += edit(disk.entries[number], fields, schema.RUNNER, (runners, number))
    gone = [number for number in range(len(disk.entries)) if number in doubles or _goes(disk, number, wanted, kept)]
    edits += [Edit((runners, number), REMOVE) for number in reversed(gone)]
    for number, entry in enumerate(new, start=len(disk.entries) - len(gone)):
        fields = {"name": entry.name, **entry.fields, **entry.written}
        edits.append(Edit((runners, number), _config_edits.without_nulls(fields)))
    return edits


def _matched(disk: Disk, wanted: Wanted) -> tuple[dict[int, Entry], set[int], list[Entry]]:
    """The entries on disk that are declared, doubles of them that go, and declared ones that are new."""
    kept: dict[int, Entry] = {}
    doubles: set[int] = set()
    new: list[Entry] = []
    for entry in wanted.entries:
        number = disk.find(entry, wanted.doubled)
        if number is None:
            new.append(_complete(entry, disk.where))
            continue
        if number in kept:
            raise _twice(entry, kept[number], disk.where)
        kept[number] = _renamed(entry, disk, number, wanted.renamed)
        doubles |= disk.doubles(number, entry)
    for number in doubles & set(kept):
        other = next(found for found, entry in kept.items() if number in disk.doubles(found, entry))
        raise _twice(kept[number], kept[other], disk.where)
    return kept, doubles, new


def _twice(entry: Entry, other: Entry, where: str) -> PlanError:
    return PlanError(
        f"{entry.name!r} and {other.name!r} are the same entry in {where} (one runner, two declarations). "
        "Nothing was changed. Declare it once."
    )


def _renamed(entry: Entry, disk: Disk, number: int, choice: Renamed) -> Entry:
    name = disk.name(number)
    if name != entry.name and choice is Renamed.FAIL:
        raise PlanError(
            f"{entry.name!r} is called {name!r} in {disk.where}: it was renamed by hand. Nothing was changed. "
            "Declare it under that name, rename it back by hand, or set on_renamed_entry to rename."
        )
    return entry


def _complete(entry: Entry, where: str) -> Entry:
    if not entry.written.get("token"):
        raise PlanError(
            f"{entry.name!r} is not in {where} and has no token. Nothing was changed. Register it first "
            "(gitlab_runner_registration, or the role's entry point register), or give its token."
        )
    return entry


def _goes(disk: Disk, number: int, wanted: Wanted, kept: t.Mapping[int, Entry]) -> bool:
    return number not in kept and (wanted.purge or disk.name(number) in wanted.absent)


def _called(config: Table, edit: Edit) -> str:
    """An edit's place as a message calls it: entries by name, never a value."""
    if len(edit.path) < 2 or not isinstance(edit.path[1], int):
        return _steps(edit.path)
    disk = entries_of(config)
    if edit.path[1] >= len(disk) or (len(edit.path) == 2 and isinstance(edit.value, dict)):
        return f"runners[{edit.value['name']}] added"
    name = value_of(disk[edit.path[1]], "name")
    if len(edit.path) == 2:
        return f"runners[{name}] removed"
    if str(edit.path[2]).casefold() == "name":
        return f"runners[{name}] renamed to {edit.value}"
    return f"runners[{name}].{_steps(edit.path[2:])}"


def _steps(path: Path) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.lstrip(".")


def _needs_restart(edit: Edit) -> bool:
    """Whether only a new process takes this up (runner facts 2)."""
    keys: t.Mapping[str, Key] = schema.GLOBAL
    path = [step.casefold() for step in edit.path if isinstance(step, str)]
    if path[0] == "runners":
        keys, path = schema.RUNNER, path[1:]
    if not path or tuple(path[:2]) in schema.RELOADED_IN_RESTART_TABLES:
        return False
    key = keys.get(path[0])
    return key is not None and key.restart
