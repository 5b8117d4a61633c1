# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads config.toml as the genuine program does: keys in any case, unknown ones ignored, types checked."""

from __future__ import annotations

import re
import sys
import typing as t

from . import tomlerrors
from .golang import Duration, normal_time, parse_duration
from .keys import Key, Keys
from .traits import Trait, Traits

if sys.version_info >= (3, 11):
    import tomllib
else:  # hosts with an older Python get tomli packed beside the twin
    import tomli as tomllib

Data = dict[str, t.Any]
# tomllib keeps microseconds only, the runner's own dates have nanoseconds: they pass the parser as marked strings.
MARK = "\ue000"
DATE = re.compile(
    r"^(\s*token_(?:obtained|expires)_at\s*=\s*)(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?"
    r"(?:[Zz]|[+-]\d\d:\d\d)?)",
    re.MULTILINE | re.IGNORECASE,
)
SCALARS: t.Mapping[str, tuple[tuple[type, ...], str]] = {
    "s": ((str,), "string"),
    "i": ((int,), "integer"),
    "f": ((int, float), "float"),
    "b": ((bool,), "boolean"),
}
LISTS = {"ls": "s", "lf": "f"}
MAPS = {"ms": "s", "mb": "b", "ml": "ls"}


class DecodeError(Exception):
    """The file cannot be used; the text is the genuine program's."""


def parse(raw: bytes) -> Data:
    """Return the file as it stands; raises DecodeError for what is not TOML."""
    text = decode(raw)
    try:
        return dict(tomllib.loads(DATE.sub(rf'\1"{MARK}\2"', text)))
    except tomllib.TOMLDecodeError as exc:
        raise DecodeError(f"toml: {tomlerrors.syntax(text, str(exc))}") from exc


def decode(raw: bytes) -> str:
    """Return the text; a byte order mark is skipped."""
    body = raw[3:] if raw.startswith(b"\xef\xbb\xbf") else raw
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as exc:
        before = body[: exc.start].decode("utf-8")
        place = tomlerrors.place(before + "?", before.count("\n") + 1)
        raise DecodeError(f"toml: {place}: invalid UTF-8 byte: 0x{body[exc.start]:02x}") from exc


class Reader:
    """Turns parsed TOML into known keys and values of the right type."""

    def __init__(self, raw: bytes, traits: Traits) -> None:
        self.traits = traits
        self.unknown: list[str] = []
        self._text = decode(raw)
        self._data = parse(raw)

    def read(self, keys: Keys) -> Data:
        return self._table(self._data, keys, "")

    def _table(self, data: Data, keys: t.Mapping[str, Key], path: str) -> Data:
        known = {name: key for name, key in keys.items() if key.since <= self.traits.number}
        folded = {name.lower(): key for name, key in known.items()}
        result: Data = {}
        for name, value in data.items():
            key = known.get(name) or folded.get(name.lower())
            here = f"{path}.{name}" if path else name
            if key is None:
                self.unknown.append(here)
            else:
                result[key.name] = self._value(key, value, here)
        return result

    def _value(self, key: Key, value: t.Any, path: str) -> t.Any:
        if key.kind in ("table", "tables"):
            return self._nested(key, value, path)
        if key.kind == "any":
            return value if isinstance(value, (dict, list)) else self._wrong(value, "map", path)
        if key.kind in MAPS:
            return {
                name: self._scalar(MAPS[key.kind], item, f"{path}.{name}")
                for name, item in self._expect(value, dict, "map", path).items()
            }
        return self._scalar(key.kind, value, path)

    def _nested(self, key: Key, value: t.Any, path: str) -> t.Any:
        if key.kind == "tables":
            items = self._expect(value, list, "slice", path)
            return [self._table(self._expect(item, dict, "map", path), key.keys, path) for item in items]
        if not isinstance(value, dict):
            self._fail(f"type mismatch for {path}: expected table but found {self._type(value)}", path)
        return self._table(value, key.keys, path)

    def _scalar(self, kind: str, value: t.Any, path: str) -> t.Any:
        if kind in LISTS:
            return [self._scalar(LISTS[kind], item, path) for item in self._expect(value, list, "slice", path)]
        if kind == "p":
            return self._scalar("ls", [value] if isinstance(value, str) else value, path)
        if kind == "d":
            return self._duration(value, path)
        if kind == "t":
            return self._time(value, path)
        types, name = SCALARS[kind]
        if not isinstance(value, types) or (isinstance(value, bool) and kind != "b"):
            self._wrong(value, name, path)
        return value.replace(MARK, "") if isinstance(value, str) else value

    def _duration(self, value: t.Any, path: str) -> Duration:
        if isinstance(value, int) and not isinstance(value, bool):
            return Duration(value)
        if not isinstance(value, str):
            self._wrong(value, "integer", path)
        try:
            return parse_duration(value)
        except ValueError:
            self._fail(f'invalid duration: "{value}"', path)

    def _time(self, value: t.Any, path: str) -> str:
        text = value[1:] if isinstance(value, str) and value.startswith(MARK) else str(value)
        try:
            if isinstance(value, str) and text == value:
                raise ValueError("a string is no date")
            return normal_time(text)
        except ValueError:
            self._wrong(value, "datetime", path)

    def _expect(self, value: t.Any, kind: type, name: str, path: str) -> t.Any:
        return value if isinstance(value, kind) else self._wrong(value, name, path)

    def _type(self, value: t.Any) -> str:
        if isinstance(value, dict):
            return "map[string]interface {}" if self.traits.has(Trait.INTERFACE_TYPE_NAMES) else "map[string]any"
        if isinstance(value, list):
            return "[]interface {}" if self.traits.has(Trait.INTERFACE_TYPE_NAMES) else "[]any"
        names = {str: "string", bool: "bool", int: "integer", float: "float"}
        return names.get(type(value), "time.Time")

    def _wrong(self, value: t.Any, destination: str, path: str) -> t.NoReturn:
        text = f"incompatible types: TOML value has type {self._type(value)}; destination has type {destination}"
        self._fail(text, path)

    def _fail(self, text: str, path: str) -> t.NoReturn:
        raise DecodeError(f'toml: line {tomlerrors.line_of(self._text, path)} (last key "{path}"): {text}')
