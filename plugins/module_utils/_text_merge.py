# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings two people's changes of one text together where they are not near each other. Standard library of Python 3.9.

Someone who rewrites a file faster than a task can travel would otherwise win every time.
"""

from __future__ import annotations

import difflib

# Telling long texts' differences apart takes seconds; they are planned anew instead.
MAX_LINES = 2000

Hunk = tuple[int, int, list[str]]


def merged(base: str, ours: str, theirs: str) -> str | None:
    """The text with both changes; None where they touch, or are too far spread to be told apart quickly."""
    lines = base.splitlines(keepends=True)
    mine = _hunks(lines, ours.splitlines(keepends=True))
    others = _hunks(lines, theirs.splitlines(keepends=True))
    if mine is None or others is None:
        return None
    if any(one[0] <= other[1] and other[0] <= one[1] for one in mine for other in others):
        return None
    for start, end, new in sorted([*mine, *others], key=lambda hunk: hunk[:2], reverse=True):
        lines[start:end] = new
    return "".join(lines)


def _hunks(old: list[str], new: list[str]) -> list[Hunk] | None:
    """What was replaced by what, as line numbers of the old text."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    inner_old, inner_new = old[head : len(old) - tail], new[head : len(new) - tail]
    if max(len(inner_old), len(inner_new)) > MAX_LINES:
        return None
    matcher = difflib.SequenceMatcher(None, inner_old, inner_new, autojunk=False)
    return [
        (head + start, head + end, inner_new[new_start:new_end])
        for kind, start, end, new_start, new_end in matcher.get_opcodes()
        if kind != "equal"
    ]


def _common(one: list[str], other: list[str]) -> int:
    """How many lines are the same from the start."""
    count = 0
    for line, counterpart in zip(one, other):
        if line != counterpart:
            break
        count += 1
    return count
