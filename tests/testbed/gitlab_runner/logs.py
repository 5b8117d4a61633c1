# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines in the three formats (observed facts 1)."""

from __future__ import annotations

import sys
import threading
import typing as t
from collections import Counter

from .golang import Duration, Signal, now

Fields = t.Mapping[str, object]
LEVELS = ("panic", "fatal", "error", "warning", "info", "debug", "trace")
LEVEL_WORDS = {"warn": "warning"}
RESET = "\033[0;m"
# level: (colour, prefix)
STYLES = {
    "debug": ("\033[0;37m", ""),
    "info": ("", ""),
    "warning": ("\033[0;33m", "WARNING: "),
    "error": ("\033[31;1m", "ERROR: "),
    "fatal": ("\033[31;1m", "FATAL: "),
    "panic": ("\033[31;1m", "PANIC: "),
}
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@^+")


class Fatal(SystemExit):
    """The program has logged why and ends with status 1."""


def _text(value: object) -> str:
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def runner_line(level: str, message: str, fields: Fields) -> str:
    colour, prefix = STYLES[level]
    line = f"{colour}{prefix}{message:<{50 - len(prefix)}}{RESET} "
    return line + "".join(f" {colour}{key}{RESET}={_text(fields[key])}" for key in sorted(fields))


def _quoted(value: object) -> str:
    import json

    text = _text(value)
    return text if PLAIN.issuperset(text) else json.dumps(text, ensure_ascii=False)


def text_line(level: str, message: str, fields: Fields) -> str:
    pairs = [f'time="{now()}"', f"level={level}", f"msg={_quoted(message)}"]
    return " ".join(pairs + [f"{key}={_quoted(fields[key])}" for key in sorted(fields)])


def _number(value: object) -> object:
    if isinstance(value, Duration):
        return value.nanoseconds
    if isinstance(value, Signal):
        return value.number
    return value if isinstance(value, (int, float, bool)) or value is None else str(value)


def json_line(level: str, message: str, fields: Fields) -> str:
    import json

    data: dict[str, object] = {key: _number(value) for key, value in fields.items()}
    data.update(level=level, msg=message, time=now())
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


FORMATS = {"runner": runner_line, "text": text_line, "json": json_line}


class Logger:
    """Writes to stderr and counts what it wrote by level."""

    def __init__(self, log_format: str = "runner", level: str = "info", stream: t.Optional[t.TextIO] = None) -> None:
        self.format = log_format
        self.level = level
        self.counts: Counter[str] = Counter()
        self._stream = stream
        self._lock = threading.Lock()

    def log(self, level: str, message: str, fields: t.Optional[Fields] = None) -> None:
        self.counts[level] += 1
        if LEVELS.index(level) > LEVELS.index(self.level):
            return
        line = FORMATS[self.format](level, message, fields or {})
        stream = self._stream or sys.stderr
        with self._lock:
            stream.write(line + "\n")
            stream.flush()

    def debug(self, message: str, fields: t.Optional[Fields] = None) -> None:
        self.log("debug", message, fields)

    def info(self, message: str, fields: t.Optional[Fields] = None) -> None:
        self.log("info", message, fields)

    def warning(self, message: str, fields: t.Optional[Fields] = None) -> None:
        self.log("warning", message, fields)

    def error(self, message: str, fields: t.Optional[Fields] = None) -> None:
        self.log("error", message, fields)

    def fatal(self, message: str, fields: t.Optional[Fields] = None) -> t.NoReturn:
        self.log("fatal", message, fields)
        raise Fatal(1)

    def panic(self, message: str, fields: t.Optional[Fields] = None) -> t.NoReturn:
        self.log("panic", message, fields)
        raise Fatal(1)
