# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the twin from the checkout: `python -m testbed.gitlab_runner ...` behaves as the program."""

from __future__ import annotations

from .cli import start

if __name__ == "__main__":
    start()
