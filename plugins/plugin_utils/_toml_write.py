# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lossless edits of a TOML text: only what an edit names changes, byte for byte.

tomlkit makes the edits; since some of its edits lose or break something, the result is parsed by tomllib and compared
with the plan, and refused when they differ. Imported only when something changes: tomlkit costs 50 ms.
"""

from __future__ import annotations

import tomllib
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._toml_edit import (
    BOM,
    REMOVE,
    Edit,
    TomlError,
    expected,
    parse,
)

try:
    import tomlkit
    import tomlkit.items
except ImportError:  # the controller lacks it: edited() says so
    HAS_TOMLKIT = False
else:
    HAS_TOMLKIT = True


def edited(text: str, edits: t.Sequence[Edit], where: str) -> str:
    """The text after the edits; comments, order, blank lines and unknown keys stay.

    Raises TomlError where the result would not mean exactly what was asked for.
    """
    if not HAS_TOMLKIT:
        raise TomlError("Could not edit the file: install tomlkit where ansible-playbook runs (pip install tomlkit).")
    bom, body = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    crlf = "\r\n" in body and "\n" not in body.replace("\r\n", "")
    if crlf:
        body = body.replace("\r\n", "\n")
    wanted = expected(parse(body, where), edits)
    body = _edited(body, edits, where)
    if not _means(body, wanted):
        raise TomlError(
            f"Editing {where} in place would have changed its meaning, so nothing was written. "
            "Write its tables in the usual form ([[runners]], [runners.docker]) and run this again."
        )
    return bom + (body.replace("\n", "\r\n") if crlf else body)


def _means(body: str, wanted: t.Mapping[str, t.Any]) -> bool:
    try:
        return tomllib.loads(body) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _edited(body: str, edits: t.Sequence[Edit], where: str) -> str:
    appended = [edit for edit in edits if _appends_entry(edit)]
    others = [edit for edit in edits if not _appends_entry(edit)]
    if others:
        document = tomlkit.parse(body)
        try:
            for edit in others:
                _apply(document, edit)
        except (KeyError, IndexError, TypeError, ValueError, tomlkit.exceptions.TOMLKitError) as exc:
            raise TomlError(
                f"Could not edit {where} in place: {type(exc).__name__}: {exc}. Nothing was written."
            ) from exc
        body = tomlkit.dumps(document)
    for edit in appended:
        body = _with_entry(body, edit.value)
    return body


def _appends_entry(edit: Edit) -> bool:
    return len(edit.path) == 2 and edit.path[0] == "runners" and isinstance(edit.value, dict)


def _with_entry(body: str, entry: t.Mapping[str, t.Any]) -> str:
    """A whole entry goes to the end as text: [[runners]] is valid there whatever stands before it."""
    if body and not body.endswith("\n"):
        body += "\n"
    return body + ("\n" if body.strip() else "") + "\n".join(_entry_lines(entry)) + "\n"


def _entry_lines(entry: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    yield "[[runners]]"
    yield from _table_lines(_in_order(entry), "runners", "  ")


def _in_order(entry: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The runner's own order of keys (runner facts 1.2), so that its next save moves little."""
    rank = {name: number for number, name in enumerate(schema.RUNNER_ORDER)}
    return dict(sorted(entry.items(), key=lambda item: rank.get(item[0], len(rank))))


def _table_lines(table: t.Mapping[str, t.Any], header: str, indent: str) -> t.Iterator[str]:
    """Plain keys first, then the tables below them, as the runner itself writes."""
    nested = {name: value for name, value in table.items() if _is_nested(value)}
    for name, value in table.items():
        if name not in nested:
            yield f"{indent}{_key(name)} = {tomlkit.item(value).as_string()}"
    for name, value in nested.items():
        below = f"{header}.{_key(name)}"
        for part in value if isinstance(value, list) else [value]:
            yield f"{indent}[[{below}]]" if isinstance(value, list) else f"{indent}[{below}]"
            yield from _table_lines(part, below, indent + "  ")


def _is_nested(value: t.Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(part, dict) for part in value)
    )


def _key(name: str) -> str:
    return tomlkit.key(name).as_string()


def _apply(document: tomlkit.TOMLDocument, edit: Edit) -> None:
    target: t.Any = document
    parents: list[tuple[t.Any, t.Any]] = []
    for step, following in zip(edit.path, edit.path[1:]):
        if isinstance(step, str) and step not in target:
            indent = _indent_of(target)
            target[step] = tomlkit.aot() if isinstance(following, int) else tomlkit.table()
            _align(target, step, indent)
        parents.append((target, step))
        target = target[step]
    last = edit.path[-1]
    if edit.value is REMOVE:
        del target[last]
        if isinstance(target, tomlkit.items.AoT) and not target:
            parent, step = parents[-1]
            del parent[step]  # an empty list of tables has no text of its own
    elif isinstance(last, str) and last in target and not _is_nested(edit.value):
        _replace_value(target, last, edit.value)
    else:
        indent = _indent_of(target)
        target[last] = _new_item(edit.value)
        _align(target, last, indent)


def _replace_value(target: t.Any, name: str, value: t.Any) -> None:
    """Replace a value and keep the comment and spaces behind it."""
    old = target[name]
    new = tomlkit.item(value)
    if isinstance(old, tomlkit.items.Item) and not isinstance(old, (tomlkit.items.Table, tomlkit.items.AoT)):
        new.trivia.indent = old.trivia.indent
        new.trivia.comment_ws = old.trivia.comment_ws
        new.trivia.comment = old.trivia.comment
        new.trivia.trail = old.trivia.trail
    target[name] = new


def _indent_of(table: t.Any) -> str:
    """How far the table's own keys are indented, so that a new one stands in line with them."""
    if not isinstance(table, tomlkit.items.Table):
        return ""
    for _name, item in table.value.body:
        if not isinstance(item, (tomlkit.items.Whitespace, tomlkit.items.Null, tomlkit.items.Comment)):
            return item.trivia.indent
    return table.trivia.indent + "  "


def _align(target: t.Any, name: t.Any, indent: str) -> None:
    """Give a new item its indent; tomlkit adds the table's own to whatever it is given."""
    body = target.value.body if isinstance(target, tomlkit.items.Table) else target.body
    for key, item in body:
        if key is not None and key.key == name:
            _indent(item, indent)


def _indent(item: t.Any, indent: str) -> None:
    if isinstance(item, tomlkit.items.AoT):
        for table in item.body:
            _indent(table, indent)
        return
    item.trivia.indent = indent
    if isinstance(item, tomlkit.items.Table):
        for _key, inner in item.value.body:
            if not isinstance(inner, tomlkit.items.Whitespace):
                _indent(inner, indent + "  ")


def _new_item(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        table = tomlkit.table()
        for name, inner in value.items():
            table.append(name, _new_item(inner))
        return table
    if _is_nested(value):
        tables = tomlkit.aot()
        for part in value:
            tables.append(_new_item(part))
        return tables
    return tomlkit.item(value)
