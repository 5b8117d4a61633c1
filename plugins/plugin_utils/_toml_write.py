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
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _toml_parts
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


def edited(text: str, edits: t.Sequence[Edit], where: str, config: t.Mapping[str, t.Any] | None = None) -> str:
    """The text after the edits; comments, order, blank lines and unknown keys stay.

    config is what the text means, where the caller knows it already.
    Raises TomlError where the result would not mean exactly what was asked for.
    """
    if not HAS_TOMLKIT:
        raise TomlError("Could not edit the file: install tomlkit where ansible-playbook runs (pip install tomlkit).")
    bom, body = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    crlf = "\r\n" in body and "\n" not in body.replace("\r\n", "")
    if crlf:
        body = body.replace("\r\n", "\n")
    config = parse(body, where) if config is None or crlf else config
    wanted = expected(config, edits)
    body = _edited(body, config, edits, where)
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


def _edited(body: str, config: t.Mapping[str, t.Any], edits: t.Sequence[Edit], where: str) -> str:
    appended = [edit for edit in edits if _appends_entry(edit)]
    others = [edit for edit in edits if not _appends_entry(edit)]
    parts = _toml_parts.cut(body, config, others)
    if parts is not None:
        whole, grouped = parts
        changed = {number: _in_place(whole.text(number), own, where) for number, own in grouped.items()}
        body = _toml_parts.joined(whole, changed)
    elif others:
        body = _in_place(body, others, where)
    for edit in appended:
        body = _with_entry(body, _key(str(edit.path[0])), edit.value)
    return body


def _in_place(body: str, edits: t.Sequence[Edit], where: str) -> str:
    try:
        document = tomlkit.parse(body)
        for edit in edits:
            _apply(document, edit)
        return tomlkit.dumps(document)
    except (KeyError, IndexError, TypeError, ValueError, NotImplementedError, tomlkit.exceptions.TOMLKitError) as exc:
        raise TomlError(
            f"Could not edit {where} in place: {type(exc).__name__}: {exc}. Nothing was changed. "
            "Write its tables in the usual form ([[runners]], [runners.docker]) and run this again."
        ) from exc


def _appends_entry(edit: Edit) -> bool:
    return len(edit.path) == 2 and str(edit.path[0]).casefold() == "runners" and isinstance(edit.value, dict)


def _with_entry(body: str, header: str, entry: t.Mapping[str, t.Any]) -> str:
    """A whole entry goes to the end as text: [[runners]] is valid there whatever stands before it."""
    if body and not body.endswith("\n"):
        body += "\n"
    return body + ("\n" if body.strip() else "") + "\n".join(_entry_lines(header, entry)) + "\n"


def _entry_lines(header: str, entry: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    yield f"[[{header}]]"
    yield from _table_lines(_in_order(entry), header, "  ")


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
            _add(target, step, tomlkit.aot() if isinstance(following, int) else _empty_table(target))
        parents.append((target, step))
        target = target[step]
    last = edit.path[-1]
    if edit.value is REMOVE:
        _remove(target, last, *parents[-1:])
    elif isinstance(target, (tomlkit.items.AoT, tomlkit.items.Array)):
        _append(target, edit.value)
    elif isinstance(last, str) and last in target and not _is_nested(edit.value):
        _replace_value(target, last, edit.value)
    elif isinstance(target, tomlkit.items.InlineTable):
        target[str(last)] = _inline(edit.value)
    else:
        _add(target, last, _new_item(edit.value))


def _append(tables: t.Any, value: t.Any) -> None:
    """Append a table to a list; comments and blank lines behind the last one stay behind."""
    if isinstance(tables, tomlkit.items.Array):
        tables.append(_inline(value))
        return
    last = tables.body[-1]
    behind = _take_tail(last.value)
    tables.append(_new_item(value))
    new = tables.body[-1]
    _indent(new, last.trivia.indent.rpartition("\n")[2])
    new.trivia.indent = new.trivia.indent.rpartition("\n")[2]
    _deepest(new.value).body.extend(behind)


def _empty_table(target: t.Any) -> t.Any:
    return tomlkit.inline_table() if isinstance(target, tomlkit.items.InlineTable) else tomlkit.table()


def _inline(value: t.Any) -> t.Any:
    if not isinstance(value, dict):
        return tomlkit.item(value)
    table = tomlkit.inline_table()
    for name, inner in value.items():
        table[name] = _inline(inner)
    return table


def _add(target: t.Any, name: t.Any, item: t.Any) -> None:
    """Add a key after the table's last one; comments and blank lines behind that belong to what follows."""
    container = _container(target)
    indent = _indent_of(target)
    if container is None:
        target[name] = item
        return
    plain = [number for number, (key, known) in enumerate(container.body) if key is not None and not _opens(known)]
    if plain and plain[-1] + 1 < len(container.body) and not _opens(item):
        item.trivia.indent = indent
        container._insert_at(plain[-1] + 1, name, item)
        return
    behind = _take_tail(container) if isinstance(target, tomlkit.items.Table) else []
    target[name] = item
    _align(container, name, indent)
    _deepest(container).body.extend(behind)


def _remove(target: t.Any, name: t.Any, parent: tuple[t.Any, t.Any] | None = None) -> None:
    """Remove a key or a table; comments at a table's end are kept, as they speak of what follows it."""
    old, behind = target[name], ""
    if isinstance(old, tomlkit.items.Table):
        behind = "".join(item.as_string() for _key, item in _take_tail(old.value))
    behind = behind if "#" in behind else ""
    if not isinstance(target, tomlkit.items.AoT):
        _leave_behind(target, name, behind)
        return
    del target[name]
    if len(target) > name:
        following = target.body[name]
        following.trivia.indent = behind + following.trivia.indent
    elif target:
        _deepest(target.body[-1].value).body.append((None, tomlkit.items.Whitespace(behind)))
    elif parent is not None:
        _leave_behind(*parent, behind)  # an empty list of tables has no text of its own


def _leave_behind(target: t.Any, name: t.Any, behind: str) -> None:
    """Remove a key and put the text in its place."""
    container = _container(target)
    keys = [key.key if key is not None else None for key, _item in container.body] if container is not None else []
    del target[name]
    if behind and name in keys:
        container.body[keys.index(name)] = (None, tomlkit.items.Whitespace(behind))


def _container(target: t.Any) -> t.Any:
    """What holds a table's keys in the order of the text; None where that is no text of lines."""
    if isinstance(target, tomlkit.items.Table):
        return target.value
    return target if isinstance(target, tomlkit.TOMLDocument) else None


def _opens(item: t.Any) -> bool:
    """Whether the item has a header line of its own."""
    return isinstance(item, (tomlkit.items.Table, tomlkit.items.AoT))


def _deepest(container: t.Any) -> t.Any:
    """The container in which the text of this one ends."""
    while container.body and _opens(container.body[-1][1]):
        last = container.body[-1][1]
        container = (last.body[-1] if isinstance(last, tomlkit.items.AoT) else last).value
    return container


def _take_tail(container: t.Any) -> list[tuple[t.Any, t.Any]]:
    """Take the comments and blank lines from the end."""
    body = _deepest(container).body
    start = len(body)
    while start and body[start - 1][0] is None:
        start -= 1
    taken = list(body[start:])
    del body[start:]
    return taken


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


def _align(container: t.Any, name: t.Any, indent: str) -> None:
    """Give a new item its indent; tomlkit adds the table's own to whatever it is given."""
    for key, item in container.body:
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
