# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a service ends: on TERM, unless it was started with TERM ignored (the fault service-will-not-stop)."""

from __future__ import annotations

import signal
import typing as t


def on_term(work: t.Callable[[], object]) -> None:
    """Have TERM do this work."""
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN:
        signal.signal(signal.SIGTERM, lambda *_: work())
