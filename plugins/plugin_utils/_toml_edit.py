# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an edit of a TOML text is, and what the text means after it. Cheap to import: tomllib only."""

from __future__ import annotations

import copy
import dataclasses
import functools
import tomllib
import typing as t

Path = tuple[t.Union[str, int], ...]
BOM = "\ufeff"


class _Remove:
    def __repr__(self) -> str:
        return "REMOVE"


REMOVE: t.Final = _Remove()


class TomlError(Exception):
    """The text is no valid TOML, or an edit of it can't be made; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Edit:
    """Set the value at path, or remove it; an integer in a path counts the entries of a list of tables.

    A path that ends in an integer one past the end appends an entry.
    """

    path: Path
    value: t.Any


def parse(text: str, where: str) -> dict[str, t.Any]:
    """Parse with the standard library's parser, which is much faster than tomlkit.

    The result is everybody's: who parses a text twice gets it again, so nobody changes it.
    """
    try:
        return _loaded(text.removeprefix(BOM))
    except tomllib.TOMLDecodeError as exc:
        raise TomlError(
            f"{where} is no valid TOML: {exc}. Nothing was changed. "
            "Repair the file by hand, or put back a backup of it."
        ) from exc


@functools.lru_cache(maxsize=2)  # before and after; a thousand entries take 90 ms each time
def _loaded(text: str) -> dict[str, t.Any]:
    return tomllib.loads(text)


def expected(config: t.Mapping[str, t.Any], edits: t.Sequence[Edit]) -> dict[str, t.Any]:
    """What the config means after the edits: the plan that the edited text is held against."""
    result = dict(config)
    for edit in edits:
        _assign(result, edit)
    return result


def _assign(root: t.Any, edit: Edit) -> None:
    """Only what an edit walks through is copied: a copy of everything takes longer than parsing it."""
    target = root
    for step, following in zip(edit.path, edit.path[1:]):
        if isinstance(target, dict) and step not in target:
            target[step] = [] if isinstance(following, int) else {}
        target[step] = copy.copy(target[step])
        target = target[step]
    last = edit.path[-1]
    if isinstance(edit.value, _Remove):
        del target[last]
        if last == 0 and not target and isinstance(target, list):
            _drop_empty_list(root, edit.path[:-1])
    elif isinstance(target, list) and last == len(target):
        target.append(copy.deepcopy(edit.value))
    else:
        target[last] = copy.deepcopy(edit.value)


def _drop_empty_list(root: t.Any, path: Path) -> None:
    """A list of tables without tables is not written at all."""
    target = root
    for step in path[:-1]:
        target = target[step]
    del target[path[-1]]
