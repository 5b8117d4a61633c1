# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of equal keys as aligned lines, for people to read."""

from __future__ import annotations

import typing as t


def table(rows: t.Sequence[t.Mapping[str, t.Any]], nothing: str = "(no hosts)") -> list[str]:
    """The rows below a header; lines, because Ansible shows a list one below the other."""
    if not rows:
        return [nothing]
    header = list(rows[0])
    cells = [header, *([str(row[name]) for name in header] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
    return [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]
