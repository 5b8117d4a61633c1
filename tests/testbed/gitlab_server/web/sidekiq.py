# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sidekiq's stand-in: background work goes on once a second while it runs."""

from __future__ import annotations

import sys
import time

from ..rails.background import advance
from .stop import on_term


def main() -> int:
    """Work until told to stop."""
    on_term(lambda: sys.exit(0))
    while True:
        advance()
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
