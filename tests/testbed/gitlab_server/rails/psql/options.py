# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""psql's command line, as far as package scripts, docs and this collection use it."""

from __future__ import annotations

import getopt
import typing as t
from dataclasses import dataclass, field

_SHORT = "c:d:f:v:F:R:h:p:U:P:o:tAqXwWlV1an0z"
_LONG = (
    *("command=", "dbname=", "file=", "set=", "variable=", "field-separator=", "record-separator=", "host=", "port="),
    *("username=", "pset=", "tuples-only", "no-align", "quiet", "no-psqlrc", "no-password", "csv"),
    *("version", "single-transaction", "echo-all", "no-readline", "record-separator-zero", "field-separator-zero"),
)


def _words(**words: str) -> dict[str, str]:
    """Return option: field, from field: options with a blank between."""
    return {option: field for field, options in words.items() for option in options.split()}


_FLAGS = _words(
    tuples_only="-t --tuples-only",
    unaligned="-A --no-align",
    quiet="-q --quiet",
    csv="--csv",
    version="-V --version",
    single_transaction="-1 --single-transaction",
)
_VALUES = _words(
    database="-d --dbname",
    host="-h --host",
    separator="-F --field-separator",
    record_separator="-R --record-separator",
)


class UsageError(Exception):
    """The command line is wrong; the text is getopt's."""


@dataclass
class Options:
    """What was asked for."""

    database: str = "gitlabhq_production"
    host: t.Optional[str] = None
    port: int = 5432
    actions: list[tuple[str, str]] = field(default_factory=list)  # ("c", SQL) or ("f", file), in their order
    variables: dict[str, str] = field(default_factory=dict)
    separator: str = "|"
    record_separator: str = "\n"
    tuples_only: bool = False
    unaligned: bool = False
    quiet: bool = False
    csv: bool = False
    version: bool = False
    single_transaction: bool = False

    @property
    def stop_on_error(self) -> bool:
        return self.variables.get("ON_ERROR_STOP", "off").lower() in ("1", "on", "true", "yes", "")


def parse(words: t.Sequence[str]) -> Options:
    """Read the command line; raises UsageError."""
    try:
        pairs, rest = getopt.gnu_getopt(list(words), _SHORT, list(_LONG))
    except getopt.GetoptError as exc:
        name = exc.opt if len(exc.opt) == 1 else f"--{exc.opt}"
        known = "requires argument" in exc.msg
        kind = "option requires an argument --" if known else "unrecognized option"
        raise UsageError(f"{kind} '{name}'") from exc
    options = Options()
    for name, value in pairs:
        if name in _FLAGS:
            setattr(options, _FLAGS[name], True)
        elif name in _VALUES:
            setattr(options, _VALUES[name], value)
        else:
            _other(options, name, value)
    if rest:
        options.database = rest[0]
    return options


def _other(options: Options, name: str, value: str) -> None:
    if name in ("-c", "--command", "-f", "--file"):
        options.actions.append(("c" if name in ("-c", "--command") else "f", value))
    elif name in ("-v", "--set", "--variable"):
        key, _equals, text = value.partition("=")
        options.variables[key] = text
    elif name in ("-p", "--port"):
        options.port = int(value)
    elif name in ("-0", "--record-separator-zero"):
        options.record_separator = "\0"
    elif name in ("-z", "--field-separator-zero"):
        options.separator = "\0"
