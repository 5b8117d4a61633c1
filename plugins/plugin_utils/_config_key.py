# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one key of config.toml, and short ways to write tables of them."""

from __future__ import annotations

import dataclasses
import enum
import typing as t


class Kind(enum.Enum):
    """What a value is; the text is what a message calls it."""

    STRING = "a string"
    INTEGER = "an integer"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    DURATION = 'a duration such as "30s" or "1h30m"'
    DATETIME = "a date and time"
    STRINGS = "a list of strings"
    INTEGERS = "a list of integers"
    NUMBERS = "a list of numbers"
    STRING_OR_STRINGS = "a string or a list of strings"
    STRING_MAP = "a table of strings"
    INTEGER_MAP = "a table of integers"
    BOOLEAN_MAP = "a table of true or false"
    STRINGS_MAP = "a table of lists of strings"
    TABLE = "a table"
    TABLES = "a list of tables"
    FREE = "a table of the plugin's own keys"


@dataclasses.dataclass(frozen=True)
class Key:
    """One key.

    kept: an explicit false or 0 means something else than an absent key (a pointer in the runner's code), so
    the daemon keeps it when it saves; all others are dropped or written as it likes, and mean the same.
    least: the smallest number that means something (None: not said here). choices: all that the runner knows, in
    any case.
    """

    kind: Kind
    keys: t.Mapping[str, Key] = dataclasses.field(default_factory=dict)
    secret: bool = False
    kept: bool = False
    restart: bool = False
    least: int | None = 0
    choices: tuple[str, ...] = ()


Keys = dict[str, Key]


def keys_of(
    kind: Kind, names: str, *, secret: bool = False, kept: bool = False, least: int | None = 0, choices: str = ""
) -> Keys:
    """Keys of one kind, by their names."""
    key = Key(kind, secret=secret, kept=kept, least=least, choices=tuple(choices.split()))
    return dict.fromkeys(names.split(), key)


def table(keys: Keys, *, restart: bool = False) -> Key:
    return Key(Kind.TABLE, keys, restart=restart)


def tables(keys: Keys) -> Key:
    return Key(Kind.TABLES, keys)
