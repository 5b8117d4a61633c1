#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_backup_info; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_backup_info
short_description: Show the backup sets of a GitLab server
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Lists every set on the host with what became of it, and says how the last backup went, whether a playbook or the
    timer made it. No archive is read; sizes are compared with the manifests.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.backup.place
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Look at the backups
  fleetwright.gitlab_aws.gitlab_backup_info:
  become: true
  register: backups

- name: The newest good one
  ansible.builtin.debug:
    var: backups.latest
"""

RETURN = r"""
latest:
  description: The id of the newest good set; C(null) where there is none.
  returned: success
  type: str
  sample: 1795504809_2026_11_24_18.11.4
sets:
  description: Every set, oldest first. Only those whose condition is V(good) can be restored.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The set's id.
      type: str
      returned: always
      sample: 1795504809_2026_11_24_18.11.4
    condition:
      description: V(good), V(damaged), V(failed) or V(unfinished).
      type: str
      returned: always
      sample: good
    problem:
      description: What is wrong with one that is not good.
      type: str
      returned: always
      sample: ""
    path:
      description: Its directory.
      type: str
      returned: always
      sample: /var/opt/gitlab/fleetwright-backups/1795504809_2026_11_24_18.11.4
    version:
      description: The version of GitLab in it.
      type: str
      returned: when it has a manifest
      sample: 18.11.4
    origin:
      description: Who asked for it; V(restore) is a set of what was there before a restore.
      type: str
      returned: when it has a manifest
      sample: playbook
    size:
      description: Its size in bytes.
      type: int
      returned: when it has a manifest
      sample: 10737428480
    copies:
      description: Copies by URL, V(complete) or V(unfinished).
      type: dict
      returned: when it has a manifest
      sample: {"s3://example-gitlab-backups/1795504809_2026_11_24_18.11.4": complete}
last:
  description:
    - How the last backup went (C(state) is V(succeeded), V(failed), V(running) or V(interrupted)), who asked for it
      (C(origin)), when, and why it failed (C(error)). C(null) where there was none.
  returned: success
  type: dict
  sample: {state: succeeded, origin: timer, id: 1795504809_2026_11_24_18.11.4, ended: "2026-11-24T07:31:40Z"}
"""
