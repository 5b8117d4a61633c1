# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a declaration against the keys of config.toml, before anything is read or changed."""

from __future__ import annotations

import datetime
import difflib
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_conflicts
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import Key, Keys, Kind
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_same import nanoseconds

Mapping = t.Mapping[str, t.Any]


def _is_int(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_list(of: t.Callable[[t.Any], bool]) -> t.Callable[[t.Any], bool]:
    return lambda value: isinstance(value, list) and all(map(of, value))


def _is_map(of: t.Callable[[t.Any], bool]) -> t.Callable[[t.Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(of, value.values()))


def _is_string(value: t.Any) -> bool:
    return isinstance(value, str)


def _is_bool(value: t.Any) -> bool:
    return isinstance(value, bool)


def _is_table(value: t.Any) -> bool:
    return isinstance(value, dict)


# A bare integer is a duration for the runner too, but in nanoseconds: nobody means that (runner facts 1.1).
def _is_duration(value: t.Any) -> bool:
    return isinstance(value, str) and nanoseconds(value) is not None


FITS: dict[Kind, t.Callable[[t.Any], bool]] = {
    Kind.STRING: _is_string,
    Kind.INTEGER: _is_int,
    Kind.NUMBER: _is_number,
    Kind.BOOLEAN: _is_bool,
    Kind.DURATION: _is_duration,
    Kind.DATETIME: lambda value: isinstance(value, datetime.datetime),
    Kind.STRINGS: _is_list(_is_string),
    Kind.INTEGERS: _is_list(_is_int),
    Kind.NUMBERS: _is_list(_is_number),
    Kind.STRING_OR_STRINGS: lambda value: _is_string(value) or _is_list(_is_string)(value),
    Kind.STRING_MAP: _is_map(_is_string),
    Kind.INTEGER_MAP: _is_map(_is_int),
    Kind.BOOLEAN_MAP: _is_map(_is_bool),
    Kind.STRINGS_MAP: _is_map(_is_list(_is_string)),
    Kind.TABLE: _is_table,
    Kind.TABLES: _is_list(_is_table),
    Kind.FREE: lambda value: isinstance(value, (dict, list)),
}


def problems(declared: Mapping, keys: Keys, where: str, *, allow_unknown: bool = False) -> t.Iterator[str]:
    """Every fault of a declaration, each a sentence that names the key's path and what belongs there."""
    for name, value in declared.items():
        path = f"{where}.{name}" if where else name
        key = keys.get(name)
        if key is None:
            if not allow_unknown:
                yield f"{path} is no key of config.toml{_nearest(name, keys)}."
        elif value is not None:  # null asks for the key's removal
            yield from _value_problems(value, key, path, allow_unknown)


def _value_problems(value: t.Any, key: Key, path: str, allow_unknown: bool) -> t.Iterator[str]:
    if not FITS[key.kind](value):
        shown = "its value" if key.secret else repr(value)
        yield f"{path} must be {key.kind.value}, but {shown} is {_called(value)}."
    elif key.kind is Kind.TABLE:
        yield from problems(value, t.cast(Keys, key.keys), path, allow_unknown=allow_unknown)
    elif key.kind is Kind.TABLES:
        for number, table in enumerate(value):
            yield from problems(table, t.cast(Keys, key.keys), f"{path}[{number}]", allow_unknown=allow_unknown)
    else:
        yield from _range_problems(value, key, path)


def _range_problems(value: t.Any, key: Key, path: str) -> t.Iterator[str]:
    """Values of the right type that the runner takes and can do nothing with."""
    if key.kind in (Kind.INTEGER, Kind.NUMBER) and key.least is not None and value < key.least:
        yield f"{path} is {value}; use {key.least} or more."
    elif key.kind is Kind.DURATION and (nanoseconds(value) or 0) < 0:
        yield f"{path} is {value!r}; use a duration that is not negative."
    elif key.choices and value:  # an empty text is none
        known = {choice.casefold() for choice in key.choices}
        for choice in value if isinstance(value, list) else [value]:
            if choice.casefold() not in known:
                yield f"{path} is {choice!r}, which no gitlab-runner knows; use one of {', '.join(key.choices)}."


def _called(value: t.Any) -> str:
    names = {str: "a string", bool: "true or false", int: "an integer", float: "a number", list: "a list"}
    return names.get(type(value), "a table" if isinstance(value, dict) else type(value).__name__)


def _nearest(name: str, keys: Keys) -> str:
    folded = {known.casefold(): known for known in keys}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return f"; did you mean {folded[close[0]]}?" if close else ""


def settings_problems(settings: Mapping, *, allow_unknown: bool = False) -> t.Iterator[str]:
    """Faults of the global section; `runners` has its own option."""
    if "runners" in settings:
        yield "settings.runners belongs into the option runners, so that an entry's token is kept."
    rest = {name: value for name, value in settings.items() if name != "runners"}
    yield from problems(rest, schema.GLOBAL, "settings", allow_unknown=allow_unknown)
    concurrent = settings.get("concurrent")
    if _is_int(concurrent) and t.cast(int, concurrent) < 1:
        yield (
            f"settings.concurrent is {concurrent}: the daemon ends itself, and its jobs, when it is below 1. "
            "Pause the runner in GitLab instead."
        )


def entry_problems(entry: Mapping, where: str, *, allow_unknown: bool = False) -> t.Iterator[str]:
    """Faults of one entry: keys and types, its executor and what that needs, values the daemon expands."""
    yield from problems(entry, schema.RUNNER, where, allow_unknown=allow_unknown)
    executor = entry.get("executor")
    if isinstance(executor, str) and executor not in schema.EXECUTORS:
        known = ", ".join(schema.EXECUTORS)
        yield f"{where}.executor is {executor!r}, which no gitlab-runner knows; use one of {known}."
    for path in schema.REQUIRED_FOR.get(str(executor), ()):
        if _at(entry, path) in (None, ""):
            yield f"{where}.{'.'.join(path)} is missing: executor {executor} needs it; set it."
    for name in ("url", "token"):
        if isinstance(entry.get(name), str) and "$" in entry[name]:
            yield f"{where}.{name} holds a $: gitlab-runner 18.10 and newer expands it as a variable. Write the value."
    if isinstance(entry.get("url"), str) and not entry["url"].startswith(("http://", "https://")):
        yield f"{where}.url is {entry['url']!r}; give GitLab's base URL with http:// or https://."
    yield from _config_conflicts.conflicts(entry, where)


def _at(entry: Mapping, path: tuple[str, ...]) -> t.Any:
    value: t.Any = entry
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def unknown_keys(config: Mapping, keys: t.Mapping[str, Key], where: str = "") -> t.Iterator[str]:
    """Keys of a parsed file that no gitlab-runner is known to read, as `gitlab-runner lint` names them (a.b.c)."""
    folded = {name.casefold(): key for name, key in keys.items()}
    for name, value in config.items():
        path = f"{where}.{name}" if where else name
        key = folded.get(name.casefold())
        if key is None:
            yield path
        elif key.kind in (Kind.TABLE, Kind.TABLES):
            for table in value if isinstance(value, list) else [value]:
                if isinstance(table, dict):
                    yield from unknown_keys(table, key.keys, path)
