# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How psql shows rows."""

from __future__ import annotations

import csv
import io
import typing as t

from ..database import Result
from .options import Options


def _text(value: t.Any) -> str:
    return "" if value is None else str(value)


def _count(number: int) -> str:
    return f"({number} row{'' if number == 1 else 's'})"


def _unaligned(result: Result, options: Options) -> str:
    lines = [] if options.tuples_only else [options.separator.join(result.columns)]
    lines += [options.separator.join(map(_text, row)) for row in result.rows]
    if not options.tuples_only:
        lines.append(_count(len(result.rows)))
    end = options.record_separator
    return end.join(lines) + end if lines else ""


def _csv(result: Result, options: Options) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if not options.tuples_only:
        writer.writerow(result.columns)
    writer.writerows([_text(value) for value in row] for row in result.rows)
    return buffer.getvalue()


def _aligned(result: Result, options: Options) -> str:
    columns = list(zip(*result.rows)) if result.rows else [()] * len(result.columns)
    widths = [
        max([len(name), *(len(_text(value)) for value in values)]) for name, values in zip(result.columns, columns)
    ]
    numeric = [any(isinstance(value, (int, float)) for value in values) for values in columns]
    lines = []
    if not options.tuples_only:
        lines.append("|".join(f" {name:^{width}} " for name, width in zip(result.columns, widths)))
        lines.append("+".join("-" * (width + 2) for width in widths))
    for row in result.rows:
        cells = [f" {_text(v):>{w}} " if n else f" {_text(v):<{w}} " for v, w, n in zip(row, widths, numeric)]
        cells[-1] = cells[-1][:-1] if numeric[-1] else f" {_text(row[-1])}"  # the last one is not filled up
        lines.append("|".join(cells))
    if not options.tuples_only:
        lines.append(_count(len(result.rows)))
    return "\n".join([*lines, "", ""])


def show(result: Result, options: Options) -> str:
    """Return what psql prints of a result."""
    if not result.columns:
        return "" if options.quiet or result.tag == "" else f"{result.tag}\n"
    if options.csv:
        return _csv(result, options)
    if options.unaligned:
        return _unaligned(result, options)
    return _aligned(result, options)
