# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that bring a runner service to rest."""

from __future__ import annotations


class ModuleDocFragment:
    """How long a drain may take, and what comes then."""

    DOCUMENTATION = r"""
options:
  drain_timeout:
    description: How many seconds the running jobs are waited for.
    type: int
    default: 7200
  on_timeout:
    description: >-
      What to do with jobs that still run when the time is up. V(fail) puts everything back and fails, V(abort) ends
      them.
    type: str
    choices: [fail, abort]
    default: fail
  stop_timeout:
    description: How long systemd lets a stop take; written as a drop-in where the service's own settings kill jobs.
    type: int
    default: 7200
"""
