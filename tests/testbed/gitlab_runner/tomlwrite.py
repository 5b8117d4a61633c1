# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes config.toml byte for byte as the genuine program saves it (observed facts 3)."""

from __future__ import annotations

import re
import typing as t

from .golang import ZERO_TIME, Duration
from .keys import Key
from .traits import Trait, Traits

Data = t.Mapping[str, t.Any]
ZERO: t.Mapping[str, t.Any] = {"s": "", "i": 0, "f": 0.0, "b": False, "d": Duration(0), "t": ZERO_TIME}
BARE = re.compile(r"[A-Za-z0-9_-]+")
ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    **{chr(code): f"\\u{code:04x}" for code in (*range(8), 11, *range(14, 32), 127)},
}


def quoted(text: str) -> str:
    return '"' + "".join(ESCAPES.get(character, character) for character in text) + '"'


def _name(name: str) -> str:
    return name if BARE.fullmatch(name) else quoted(name)


def value_text(value: t.Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, Duration)):
        return quoted(str(value))
    if isinstance(value, float):
        text = repr(value)
        return text if "e" not in text else f"{value:f}".rstrip("0").rstrip(".") + ".0"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_name(key)} = {value_text(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    return str(value)


def _is_tables(value: t.Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


class Writer:
    """Collects the lines of one file."""

    def __init__(self, traits: Traits) -> None:
        self.traits = traits
        self._parts: list[str] = []

    def text(self) -> str:
        return "".join(self._parts)

    def struct(self, data: Data, keys: t.Mapping[str, Key], path: tuple[str, ...] = ()) -> None:
        """Write plain keys first, then tables, each in the table's order."""
        known = [key for key in keys.values() if key.since <= self.traits.number]
        tables = [key for key in known if self._is_table(key, data.get(key.name))]
        for key in known:
            if key not in tables and self._wanted(key, data, path):
                value = data.get(key.name, ZERO.get(key.kind))
                self._plain(path, key.name, value_text(value) if key.kind != "t" else str(value))
        for key in tables:
            self._table(key, data, (*path, key.name))

    def _wanted(self, key: Key, data: Data, path: tuple[str, ...]) -> bool:
        if path[-1:] == ("connector_config",) and self.traits.has(Trait.CONNECTOR_EMPTY_STRINGS):
            if key.name == "protocol_port":
                return bool(data.get(key.name))
            if key.name in ("password", "key_path", "use_static_credentials"):
                return True
        if key.rule == "!":
            return True
        if key.name not in data or key.kind == "any":
            return False
        value = data[key.name]
        return key.rule == "?" or not (value in ("", 0, [], {}) or value == Duration(0))

    @staticmethod
    def _is_table(key: Key, value: t.Any) -> bool:
        if key.kind == "table":
            return key.rule == "!" or bool(value) or (key.rule == "?" and value is not None)
        return key.kind in ("tables", "ms", "mb", "ml", "any") and bool(value)

    def _table(self, key: Key, data: Data, path: tuple[str, ...]) -> None:
        value = data.get(key.name, {})
        if key.kind == "tables":
            for item in value:
                self._head(path, double=True)
                self.struct(item, key.keys, path)
        elif key.kind == "table":
            self._head(path)
            self.struct(value, key.keys, path)
        else:
            self._free(value, path)

    def _free(self, value: t.Any, path: tuple[str, ...], double: bool = False) -> None:
        """Write a table of the user's own keys, sorted."""
        if isinstance(value, list):
            for item in value:
                self._free(item, path, double=True)
            return
        self._head(path, double=double)
        nested = {key for key, item in value.items() if isinstance(item, dict) or _is_tables(item)}
        for key in sorted(value.keys() - nested):
            self._plain(path, key, value_text(value[key]))
        for key in sorted(nested):
            self._free(value[key], (*path, key))

    def _head(self, path: tuple[str, ...], double: bool = False) -> None:
        if (double or len(path) == 1) and self._parts:
            self._parts.append("\n")
        name = ".".join(_name(part) for part in path)
        self._parts.append("  " * (len(path) - 1) + (f"[[{name}]]\n" if double else f"[{name}]\n"))

    def _plain(self, path: tuple[str, ...], name: str, text: str) -> None:
        self._parts.append("  " * len(path) + f"{_name(name)} = {text}\n")


def encode(data: Data, keys: t.Mapping[str, Key], traits: Traits) -> str:
    writer = Writer(traits)
    writer.struct(data, keys)
    return writer.text()
