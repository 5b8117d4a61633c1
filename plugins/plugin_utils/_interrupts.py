# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ctrl-C and TERM do to an action that has something to put back."""

from __future__ import annotations

import contextlib
import signal
import typing as t


class Interrupted(BaseException):
    """The run was told to end (Ctrl-C, TERM); BaseException, so that nothing takes it for an error of a task."""


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interruptible() -> t.Iterator[None]:
    """Turn the signals that end a run into Interrupted: Ansible's own handler leaves no time to put things back."""

    def interrupt(number: int, _frame: t.Any) -> None:
        for one in _SIGNALS:
            signal.signal(one, signal.SIG_IGN)
        raise Interrupted(signal.Signals(number).name)

    before = {one: signal.signal(one, interrupt) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def uninterrupted() -> t.Iterator[None]:
    """Let what puts things back come to its end."""
    before = {one: signal.signal(one, signal.SIG_IGN) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
