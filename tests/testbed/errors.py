# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error of the testbed: a sentence for the person who typed the command."""

from __future__ import annotations


class TestbedError(Exception):
    """Says what was tried, what came back and what to do next."""

    __test__ = False  # pytest would take the name for a test class
