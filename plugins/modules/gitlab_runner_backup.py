#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_runner_backup; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_backup
short_description: Back up the configuration of a runner on its host, and put it back
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Copies C(config.toml), the system id and the unit into a folder below C(/var/lib/fleetwright) (mode 0700, files
    0600) with a manifest of their checksums.
  - A copy that is put back gets a new modification time, because a running daemon ignores a file that is not newer.
    A token that the present file got later stays, because the one in the copy was rotated away. The daemon loads the
    file at once.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.runner_host
options:
  state:
    description: V(present) makes a copy, V(restored) puts one back.
    type: str
    choices: [present, restored]
    default: present
  name:
    description: Which copy is put back, for example V(20261124T093000Z); the newest when empty.
    type: str
    default: ''
  backup_count:
    description: How many copies are kept, beside that of the last upgrade.
    type: int
    default: 5
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Keep the configuration before an experiment
  fleetwright.gitlab_aws.gitlab_runner_backup:
  become: true

- name: Put it back
  fleetwright.gitlab_aws.gitlab_runner_backup:
    state: restored
  become: true
"""

RETURN = r"""
backup:
  description: The folder of the new copy.
  returned: when O(state=present), not in check mode
  type: str
  sample: /var/lib/fleetwright/gitlab-runner/backups/20261124T093000Z
sha256:
  description: Checksum of the copied C(config.toml).
  returned: when O(state=present), not in check mode
  type: str
  sample: 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
name:
  description: The copy that was put back.
  returned: when O(state=restored)
  type: str
  sample: 20261124T093000Z
backups:
  description: Every copy there is, oldest first.
  returned: when O(state=restored)
  type: list
  elements: str
  sample: [20261123T093000Z, 20261124T093000Z]
"""
