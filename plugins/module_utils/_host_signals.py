# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ends a program early: signals, turned into an exception so that it clears up after itself. Python 3.9."""

from __future__ import annotations

import contextlib
import signal
import typing as t


@contextlib.contextmanager
def raised(make: t.Callable[[str], BaseException]) -> t.Iterator[None]:
    """While inside, SIGTERM and SIGINT raise what make returns for the signal's name; the second one does nothing."""

    def stop(number: int, _frame: t.Any) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise make(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
