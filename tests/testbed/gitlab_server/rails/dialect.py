# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL's SQL in SQLite's words, and SQLite's errors in PostgreSQL's."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

# Strings, quoted names, comments, psql's own commands, a statement's end; everything else comes between.
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\\\w+[^\n]*|;", re.DOTALL)
# What only means something to PostgreSQL, and what stands for it; applied outside of strings and quoted names.
_WORDS: t.Sequence[tuple[t.Pattern[str], str]] = tuple(
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in (
        (r"\bpublic\.", ""),
        (r"::\s*\w+(\s+(?:with|without)\s+time\s+zone)?(\[\])?", ""),
        (r"\bILIKE\b", "LIKE"),
        (r"\bTRUNCATE\s+(?:TABLE\s+)?(\w+)(?:\s+RESTART IDENTITY)?(?:\s+CASCADE)?", r"DELETE FROM \1"),
        (r"\b(DROP TABLE .*?)\s+CASCADE\b", r"\1"),
        (r"^(\s*)(?:BEGIN|START)\b.*", r"\1BEGIN"),
        (r"^(\s*)(?:VACUUM|ANALYZE)\b.*", r"\1ANALYZE"),
    )
)
_UNKNOWN_TABLE = re.compile(r"no such (table|view): (?:main\.)?(.+)")
_ERRORS: t.Sequence[tuple[t.Pattern[str], str]] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"no such column: (.+)", 'column "{}" does not exist'),
        (r"no such function: (.+)", "function {}() does not exist"),
        (r'near "(.*)": syntax error', 'syntax error at or near "{}"'),
        (r"incomplete input", "syntax error at end of input"),
        (r"unrecognized token: \"(.*)\"", 'syntax error at or near "{}"'),
        (r"table (.+) already exists", 'relation "{}" already exists'),
        (r"table \w+ has no column named (.+)", 'column "{}" does not exist'),
        (r"UNIQUE constraint failed: (\w+)\..+", 'duplicate key value violates unique constraint "{}_key"'),
        (r"NOT NULL constraint failed: \w+\.(.+)", 'null value in column "{}" violates not-null constraint'),
        (r"attempt to write a readonly database", "cannot execute statement in a read-only transaction"),
        (r"database or disk is full", "could not extend file: No space left on device"),
    )
)


@dataclass(frozen=True)
class Statement:
    """One statement, and psql's own command behind it (`\\gexec`); line is that of its end, from 1."""

    text: str
    command: str
    line: int


def split(text: str) -> t.Iterator[Statement]:
    """Yield the statements of a text, without what only comments say."""
    start = 0
    for token in (*_TOKEN.finditer(text), None):
        if token is not None and not token.group().startswith((";", "\\")):
            continue
        end = token.start() if token else len(text)
        statement = text[start:end].strip()
        command = token.group().rstrip("; ") if token else ""
        bare = _TOKEN.sub(_only_names, statement).strip()
        if bare or command:
            yield Statement(statement if bare else "", command, text.count("\n", 0, end) + 1)
        start = token.end() if token else end


def _only_names(token: t.Match[str]) -> str:
    return "" if token.group().startswith(("--", "/*")) else token.group()


def translate(statement: str) -> str:
    """Return the statement as SQLite takes it."""
    kept: list[str] = []

    def keep(token: t.Match[str]) -> str:
        text = _only_names(token)
        if not text:
            return " "
        kept.append(text)
        return f"\x00{len(kept) - 1}\x00"

    bare = _TOKEN.sub(keep, statement)
    for pattern, instead in _WORDS:
        bare = pattern.sub(instead, bare)
    return re.sub("\x00(\\d+)\x00", lambda mark: kept[int(mark.group(1))], bare)


def column(name: str) -> str:
    """Return the name that PostgreSQL gives an unnamed column."""
    called = re.match(r"(\w+)\s*\(", name)
    if called:
        return called.group(1).lower()
    plain = re.fullmatch(r"(?:\w+\.)?(\w*[A-Za-z_]\w*)", name)
    return plain.group(1) if plain else "?column?"


def verb(statement: str) -> str:
    """Return the statement's first word, of DDL the first two."""
    words = re.findall(r"\w+", _TOKEN.sub(_only_names, statement))[:3]
    if not words:
        return ""
    first: str = words[0].upper()
    if first in ("CREATE", "DROP", "ALTER"):
        second = [word.upper() for word in words[1:] if word.upper() not in ("UNIQUE", "TEMP", "TEMPORARY")]
        return f"{first} {second[0]}" if second else first
    return {"START": "BEGIN", "END": "COMMIT"}.get(first, first)


def error(message: str, statement: str, sent: str) -> str:
    """Return PostgreSQL's words for an error, with its LINE and mark where the place is known.

    sent is the text that the server got, of which the statement is a part.
    """
    unknown = _UNKNOWN_TABLE.fullmatch(message)
    if unknown:
        dropped = verb(statement).startswith("DROP")
        text, name = f'{"table" if dropped else "relation"} "{unknown.group(2)}" does not exist', unknown.group(2)
        return text + ("" if dropped else _place(statement, name, sent))
    for pattern, instead in _ERRORS:
        match = pattern.fullmatch(message)
        if match:
            name = match.group(1) if match.groups() else ""
            marked = "does not exist" in instead or "syntax error at or near" in instead
            return instead.format(name) + (_place(statement, name, sent) if marked else "")
    return message


def _place(statement: str, name: str, sent: str) -> str:
    found = statement.find(name)
    if not name or found < 0:
        return ""
    start = sent.find(statement) + found
    line = sent.count("\n", 0, start)
    text = sent.split("\n")[line]
    before = start - (sent.rfind("\n", 0, start) + 1)
    return f"\nLINE {line + 1}: {text}\n{' ' * (len(f'LINE {line + 1}: ') + before)}^"
