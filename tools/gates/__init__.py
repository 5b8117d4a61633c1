# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates a change passes: lint, unit, sanity and molecule. Run as ``python -m gates`` with PYTHONPATH=tools."""

import pathlib
import sys

# The collection's own code reads templates for the gates, too.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "build" / "collections"))
