# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module says of check mode and diff mode."""

from __future__ import annotations


class ModuleDocFragment:
    """Descriptions; a module adds what it supports."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and return changed status without changing anything.
  diff_mode:
    description: Returns details on what has changed, with every secret masked, when in diff mode.
"""
