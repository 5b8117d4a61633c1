# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that plan and carry out an upgrade of a GitLab server."""

from __future__ import annotations


class ModuleDocFragment:
    """Where to go, and how."""

    DOCUMENTATION = r"""
options:
  version:
    description:
      - Where to go. An exact version (V(18.11.9)), a full one (V(18.11.9-ce.0.el9)), a line (V(18.11) or V(18)) of
        which the best patch is taken, or V(newest).
      - Quote it, so that 18.10 stays what it is.
    type: raw
    default: newest
  conditional_stops:
    description:
      - Stops that only some servers need, and this one does.
      - V(15.1) is for servers with several web nodes; V(16.0) for many users or a long history of pipeline variables;
        V(16.1) for NPM packages in the package registry; V(16.2) for a long history of pipeline variables; V(17.1) for
        a large table C(ci_pipeline_messages).
    type: list
    elements: raw
    default: []
  edition:
    description:
      - The edition to end with, the installed one by default. V(ee) on a server with V(ce) replaces the package at the
        end, at one and the same version. There is no way back to V(ce).
    type: str
    choices: [ce, ee]
"""
