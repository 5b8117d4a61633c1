# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ruby's command line, as far as a check of gitlab.rb needs it: `ruby -c FILE...` (or standard input)."""

from __future__ import annotations

import sys
from pathlib import Path

from .lexer import RubySyntaxError
from .settings import check


def _one(name: str) -> int:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except OSError as exc:
        print(f"ruby: {exc.strerror} -- {name} (LoadError)", file=sys.stderr)
        return 1
    try:
        check(text)
    except RubySyntaxError as exc:
        print(f"ruby: {name}:{exc.line}: {exc} (SyntaxError)", file=sys.stderr)
        return 1
    print("Syntax OK")
    return 0


def main() -> int:
    """Check the files named, or standard input."""
    words = sys.argv[1:]
    options = [word for word in words if word.startswith("-") and word != "-"]
    if "-c" not in options and "-wc" not in options and "-cw" not in options:
        print("ruby: this stand-in only checks syntax (-c)", file=sys.stderr)
        return 1
    names = [word for word in words if word not in options] or ["-"]
    return _one(names[0])  # Ruby checks the first; the others are its arguments
