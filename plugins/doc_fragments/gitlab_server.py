# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that configure a GitLab server and wait for it."""

from __future__ import annotations


class ModuleDocFragment:
    """What gitlab.rb is to say."""

    DOCUMENTATION = r"""
options:
  external_url:
    description: The address that people and runners use, V(https://gitlab.corp.test) for example.
    type: str
    required: true
  config:
    description:
      - Settings of C(gitlab.rb) by their own names. A dictionary becomes C(name['key'] = value), anything else C(name
        value).
      - Strings are quoted for Ruby, C(#{}) in them is text; V(null) is written as C(nil).
    type: dict
    default: {}
  config_extra:
    description: Ruby that is appended as it is, for what O(config) can't say.
    type: str
    default: ''
  replace_config:
    description: Whether a C(gitlab.rb) with settings that somebody else wrote may be replaced.
    type: bool
    default: false
"""

    WAITING = r"""
options:
  timeout:
    description: How many seconds a package or a reconfigure may take. It goes on on the host after that.
    type: int
    default: 7200
  ready_timeout:
    description: How many seconds GitLab may take until it is ready.
    type: int
    default: 900
"""
