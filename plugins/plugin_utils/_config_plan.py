# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what config.toml should become: pure functions from (text, declaration) to a plan."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _masking, _toml_edit
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import Key, Kind
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_same import same, same_as_absent
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._toml_edit import REMOVE, Edit, Path

Table = t.Mapping[str, t.Any]


class PlanError(Exception):
    """The declaration can't be brought together with the file; the text says what to do."""


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


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What config.toml should say; entries that are not named stay unless purge is set."""

    settings: Table = dataclasses.field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    absent: frozenset[str] = frozenset()
    purge: bool = False


@dataclasses.dataclass(frozen=True)
class ConfigPlan:
    """What to write, and what a task reports of it."""

    text: str = dataclasses.field(repr=False)
    changed: bool
    changes: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    before: str = dataclasses.field(default="", repr=False)
    secrets_before: frozenset[str] = dataclasses.field(default=frozenset(), repr=False)
    secrets_after: frozenset[str] = dataclasses.field(default=frozenset(), repr=False)

    def diff(self, path: str) -> dict[str, str]:
        return _masking.masked_diff(self.before, self.text, set(self.secrets_before), set(self.secrets_after), path)


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
    return next((known for known in table if known.casefold() == name.casefold()), None)


def plan(text: str | None, wanted: Wanted, where: str) -> ConfigPlan:
    """Plan the file's new text.

    Raises TomlError for a broken file and PlanError where the declaration fits no single entry.
    """
    before = text or ""
    config = _toml_edit.parse(before, where)
    edits = [*_setting_edits(config, wanted.settings), *_entry_edits(config, wanted, where)]
    if not edits:
        return ConfigPlan(before, changed=False, before=before)
    from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _toml_write  # 50 ms: only for a change

    after = _toml_write.edited(before, edits, where)
    return ConfigPlan(
        after,
        changed=True,
        changes=tuple(_called(config, edit) for edit in edits),
        restart=tuple(_called(config, edit) for edit in edits if _needs_restart(edit)),
        before=before,
        secrets_before=frozenset(_masking.secrets(config)),
        secrets_after=frozenset(_masking.secrets(_toml_edit.expected(config, edits))),
    )


def find(disk: t.Sequence[Table], entry: Entry, where: str) -> int | None:
    """The position of the entry that a declaration means: by name, else by what GitLab knows it by."""
    named = [number for number, known in enumerate(disk) if value_of(known, "name") == entry.name]
    if len(named) > 1:
        named = [number for number in named if _same_runner(disk[number], entry)] or named
    if len(named) > 1:
        raise PlanError(
            f"{where} has {len(named)} entries named {entry.name!r}, so which one is meant is not known. "
            "Nothing was changed. Rename or remove the superfluous ones by hand."
        )
    if named:
        return named[0]
    return next((number for number, known in enumerate(disk) if _same_runner(known, entry)), None)


def _same_runner(known: Table, entry: Entry) -> bool:
    return any(entry.written.get(name) and value_of(known, name) == entry.written[name] for name in ("token", "id"))


def _setting_edits(config: Table, settings: Table) -> t.Iterator[Edit]:
    yield from _table_edits(config, settings, schema.GLOBAL, ())


def _entry_edits(config: Table, wanted: Wanted, where: str) -> t.Iterator[Edit]:
    disk = entries_of(config)
    runners = spelling(config, "runners") or "runners"
    kept, new = _matched(disk, wanted, where)
    for number, entry in kept.items():
        fields = {"name": entry.name, **entry.fields, **(entry.written if entry.rotate else {})}
        yield from _table_edits(disk[number], fields, schema.RUNNER, (runners, number))
    gone = [number for number in range(len(disk)) if _goes(disk[number], number, wanted, kept)]
    for number in reversed(gone):
        yield Edit((runners, number), REMOVE)
    for number, entry in enumerate(new, start=len(disk) - len(gone)):
        fields = {"name": entry.name, **entry.fields, **entry.written}
        yield Edit((runners, number), {name: value for name, value in fields.items() if value is not None})


def _matched(disk: t.Sequence[Table], wanted: Wanted, where: str) -> tuple[dict[int, Entry], list[Entry]]:
    kept: dict[int, Entry] = {}
    new: list[Entry] = []
    for entry in wanted.entries:
        number = find(disk, entry, where)
        if number is None:
            new.append(_complete(entry, where))
        elif number in kept:
            raise PlanError(
                f"{entry.name!r} and {kept[number].name!r} are the same entry in {where} (one runner, two "
                "declarations). Nothing was changed. Declare it once."
            )
        else:
            kept[number] = entry
    return kept, new


def _complete(entry: Entry, where: str) -> Entry:
    if not entry.written.get("token"):
        raise PlanError(
            f"{entry.name!r} is not in {where} and has no token. Register it first (gitlab_runner_registration, or the "
            "role's entry point register), or give its token."
        )
    return entry


def _goes(known: Table, number: int, wanted: Wanted, kept: t.Mapping[int, Entry]) -> bool:
    return number not in kept and (wanted.purge or value_of(known, "name") in wanted.absent)


def _table_edits(current: Table, desired: Table, keys: t.Mapping[str, Key], path: Path) -> t.Iterator[Edit]:
    for name, value in desired.items():
        spelled = spelling(current, name)
        here: Path = (*path, spelled or name)
        key = keys.get(name)
        if value is None:
            if spelled is not None:
                yield Edit(here, REMOVE)
        elif isinstance(value, dict) and (spelled is None or isinstance(current[spelled], dict)):
            below = key.keys if key is not None else {}
            yield from _table_edits(current[spelled] if spelled is not None else {}, value, below, here)
        elif spelled is None:
            if not same_as_absent(key, value):
                yield Edit(here, value)
        elif not _same(key, current[spelled], value):
            yield Edit(here, value)


def _same(key: Key | None, current: t.Any, desired: t.Any) -> bool:
    if key is None or key.kind is not Kind.TABLES or not isinstance(current, list) or len(current) != len(desired):
        return same(key, current, desired)
    return all(
        isinstance(known, dict) and not list(_table_edits(known, table, key.keys, ()))
        for known, table in zip(current, desired)
    )


def _called(config: Table, edit: Edit) -> str:
    """An edit's place as a message calls it: entries by name, never a value."""
    if len(edit.path) > 1 and isinstance(edit.path[1], int):
        disk = entries_of(config)
        new = edit.path[1] >= len(disk) or (len(edit.path) == 2 and isinstance(edit.value, dict))
        name = edit.value["name"] if new else value_of(disk[edit.path[1]], "name")
        verb = {True: "added", False: "removed"}[new] if len(edit.path) == 2 else ""
        rest = "".join(f".{step}" for step in edit.path[2:])
        return f"runners[{name}]{rest} {verb}".rstrip()
    return ".".join(str(step) for step in edit.path)


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
