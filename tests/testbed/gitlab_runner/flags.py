# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line flags as Go programs take them: -x, --x, --x=value, and environment variables behind them."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass, field

TRUE = frozenset(("1", "t", "T", "true", "TRUE", "True"))
FALSE = frozenset(("0", "f", "F", "false", "FALSE", "False"))


class FlagError(Exception):
    """The command line cannot be read."""


@dataclass(frozen=True)
class Flag:
    """One flag; kinds: s string, b bool, i integer, l list, m NAME:VALUE pairs."""

    names: tuple[str, ...]
    kind: str = "s"
    env: str = ""
    default: t.Any = None
    usage: str = ""

    @property
    def name(self) -> str:
        return self.names[0]

    def read(self, text: str) -> t.Any:
        if self.kind == "b":
            if text in TRUE or text in FALSE:
                return text in TRUE
            raise FlagError(f'invalid boolean value "{text}" for -{self.name}: parse error')
        if self.kind == "i":
            try:
                return int(text)
            except ValueError as exc:
                raise FlagError(f'invalid value "{text}" for flag -{self.name}: parse error') from exc
        return text


def flag(names: str, kind: str = "s", env: str = "", default: t.Any = None, usage: str = "") -> Flag:
    return Flag(tuple(names.split()), kind, env, default, usage)


@dataclass
class Values:
    """What was given; get() falls back to the flag's default."""

    given: dict[str, t.Any] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)
    defaults: dict[str, t.Any] = field(default_factory=dict)

    def get(self, name: str) -> t.Any:
        return self.given.get(name, self.defaults.get(name))

    def text(self, name: str) -> str:
        return self.get(name) or ""

    def on(self, name: str) -> bool:
        return bool(self.get(name))


def _put(values: Values, found: Flag, text: str) -> None:
    value = found.read(text)
    if found.kind == "l":
        values.given.setdefault(found.name, []).append(value)
    elif found.kind == "m":
        key, _unused, item = text.partition(":")
        values.given.setdefault(found.name, {})[key] = item
    else:
        values.given[found.name] = value


def parse(words: t.Sequence[str], known: t.Sequence[Flag]) -> Values:
    """Read flags up to the first word that is none; what is not given comes from the environment."""
    by_name = {name: one for one in known for name in one.names}
    values = Values(defaults={one.name: one.default for one in known})
    queue = list(words)
    while queue:
        word = queue[0]
        if word == "--" or not word.startswith("-") or word == "-":
            values.rest = queue[1:] if word == "--" else queue
            break
        queue.pop(0)
        name, equals, text = word.lstrip("-").partition("=")
        found = by_name.get(name)
        if found is None:
            raise FlagError(f"flag provided but not defined: -{name}")
        if not equals and found.kind == "b":
            text = "true"
        elif not equals:
            if not queue:
                raise FlagError(f"flag needs an argument: -{name}")
            text = queue.pop(0)
        _put(values, found, text)
    for one in known:
        text = os.environ.get(one.env, "") if one.env else ""
        if text and one.name not in values.given:
            for part in text.split(",") if one.kind in "lm" else [text]:
                _put(values, one, part)
    return values
