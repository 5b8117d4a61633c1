# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that bring entries of config.toml to a declaration."""

from __future__ import annotations


class ModuleDocFragment:
    """How declared entries meet those on disk."""

    DOCUMENTATION = r"""
options:
  runner_defaults:
    description: Keys that every entry gets unless it says otherwise.
    type: dict
    default: {}
  on_doubled_entry:
    description:
      - What becomes of entries that someone doubled by hand. A double has the name of a declared entry, or its token,
        which breaks the daemon's metrics.
      - V(fail) changes nothing and says which they are.
      - V(remove) keeps the one that the declared token names, else the first, and removes the others from the file;
        they stay registered in GitLab.
    type: str
    choices: [fail, remove]
    default: fail
  allow_unknown_keys:
    description: Whether keys that no known version of GitLab Runner reads may be declared.
    type: bool
    default: false
  backup_count:
    description: How many copies of earlier files are kept beside it, mode 0600; V(0) keeps none.
    type: int
    default: 3
"""
