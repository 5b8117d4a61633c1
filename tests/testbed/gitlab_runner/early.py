# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals before the program has handlers of its own: Go's defaults (observed facts 6)."""

from __future__ import annotations

import os
import signal
import sys

# Imported before everything else, and quickly: until it is, Python's own defaults hold.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import types
    import typing as t

GOROUTINES = 80  # of three lines each: about 250 lines in all


def _quit(_number: int, _frame: t.Optional[types.FrameType]) -> t.NoReturn:
    lines = ["SIGQUIT: quit", "PC=0x4774e1 m=0 sigcode=0", ""]
    for number in range(GOROUTINES):
        lines += [f"goroutine {number + 1} [select]:", "runtime.gopark()", ""]
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
    os._exit(2)


def go_defaults() -> None:
    """SIGQUIT dumps goroutines; the others end the process at once."""
    signal.signal(signal.SIGQUIT, _quit)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
