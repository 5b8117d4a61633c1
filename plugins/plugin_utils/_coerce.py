# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns words into the types that config.toml and GitLab keep, as Ansible's own options do.

Values often come as text: from INI inventories, extra vars and older templates.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_key import Key, Kind

_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})


def integer(value: t.Any) -> t.Any:
    """A whole number written as text becomes one; anything else stays and is found by the checks."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else value


def boolean(value: t.Any) -> t.Any:
    """true, yes, on and their opposites written as text become booleans."""
    if not isinstance(value, str):
        return value
    return {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}.get(value.lower(), value)


def number(value: t.Any) -> t.Any:
    return float(value) if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value) else value


_BY_KIND: dict[Kind, t.Callable[[t.Any], t.Any]] = {
    Kind.INTEGER: integer,
    Kind.BOOLEAN: boolean,
    Kind.NUMBER: number,
}


def coerced(table: t.Mapping[str, t.Any], keys: t.Mapping[str, Key]) -> dict[str, t.Any]:
    """The table with its words turned into the types of its keys, tables below it alike."""
    return {name: _coerced(value, keys.get(name)) for name, value in table.items()}


def _coerced(value: t.Any, key: Key | None) -> t.Any:
    if key is None:
        return value
    if key.kind is Kind.TABLE and isinstance(value, dict):
        return coerced(value, key.keys)
    if key.kind is Kind.TABLES and isinstance(value, list):
        return [coerced(table, key.keys) if isinstance(table, dict) else table for table in value]
    if key.kind is Kind.BOOLEAN_MAP and isinstance(value, dict):
        return {name: boolean(flag) for name, flag in value.items()}
    return _BY_KIND[key.kind](value) if key.kind in _BY_KIND else value
