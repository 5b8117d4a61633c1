# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says where and what is wrong in a TOML file in the words of the genuine program (observed facts 3)."""

from __future__ import annotations

import re
import typing as t

HEADER = re.compile(r"\s*\[\[?\s*([^\[\]#]+?)\s*(?:\]|$)")
ASSIGNMENT = re.compile(r"\s*([\w.\-\"' ]+?)\s*=")
WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

# What Python's parser says: what the genuine one says; {got} is the character it stopped at.
TEXTS = (
    ("Expected ']]' at the end", "expected end of table array name delimiter ']', but got {got} instead"),
    ("Expected ']' at the end", "expected '.' or ']' to end table name, but got {got} instead"),
    ("Expected '=' after a key", "expected '.' or '=', but got {got} instead"),
    (
        "Expected newline or end",
        "expected a top-level item to end with a newline, comment, or EOF, but got {got} instead",
    ),
    ("Cannot overwrite", "Key '{key}' has already been defined."),
    ("Cannot declare", "Key '{key}' has already been defined."),
    ("Cannot mutate", "Key '{key}' has already been defined."),
    ("Duplicate inline", "Key '{key}' has already been defined."),
    ("Illegal character '\\n'", "strings cannot contain newlines"),
    ("Illegal character", "control characters are not allowed: {got}"),
    ("Unterminated string", "unexpected EOF; expected '\"'"),
    ('Expected "\'"', 'unexpected EOF; expected "\'"'),
    ("Unescaped '\\'", "invalid escape character {got}"),
    ("Unclosed array", "expected a comma (',') or array terminator (']'), but got {got}"),
    ("Unclosed inline table", "expected a comma or an inline table terminator '}', but got {got} instead"),
    ("Invalid initial character", "bare keys cannot contain {got}"),
    ("Invalid statement", "expected key but found {got} instead"),
    ("Invalid value", "expected value but found {got} instead"),
)


def _lines(text: str) -> t.Iterator[tuple[int, str, str]]:
    """Yield number, table and key of each line that opens a table or sets a key."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        header = HEADER.match(line)
        if header and "=" not in line.split("#")[0]:
            table = header[1]
            yield number, table, ""
            continue
        assignment = ASSIGNMENT.match(line)
        if assignment:
            yield number, table, assignment[1].strip("\"'")


def _dotted(table: str, key: str) -> str:
    return ".".join(part for part in (table, key) if part)


def last_key(text: str, line: int) -> str:
    """Return the last key seen up to a line."""
    found = ""
    for number, table, key in _lines(text):
        if number > line:
            break
        found = _dotted(table, key)
    return found


def line_of(text: str, path: str) -> int:
    """Return the line that sets a key; the first one when it is not to be seen."""
    found = [(number, _dotted(table, key)) for number, table, key in _lines(text)]
    exact = [number for number, name in found if name == path or name.startswith(path + ".")]
    folded = [number for number, name in found if name.lower() == path.lower()]
    return (exact + folded + [1])[0]


def place(text: str, line: int) -> str:
    key = last_key(text, line)
    return f'line {line} (last key "{key}")' if key else f"line {line}"


def _quoted(character: str) -> str:
    return {"\n": "'\\n'", "\r": "'\\r'", "\t": "'\\t'", "'": "'\\''", "": "EOF"}.get(character, f"'{character}'")


def syntax(text: str, message: str) -> str:
    """Translate what Python's parser says about a text."""
    found = WHERE.search(message)
    lines = text.splitlines(keepends=True)
    line, column = len(lines), 0
    if found and found[1]:
        line, column = int(found[1]), int(found[2])
    row = lines[line - 1] if 0 < line <= len(lines) else ""
    if message.startswith("Expected ']]'") and row[column - 1 : column] == "]":
        column += 1  # one bracket is there: what follows it is the surprise
    got = _quoted(row[column - 1 : column] if column else "")
    said = next(
        (words for start, words in TEXTS if message.startswith(start)), message[: found.start()] if found else message
    )
    key = last_key(text, line)
    return f"{place(text, line)}: " + said.replace("{got}", got).replace("{key}", key)
