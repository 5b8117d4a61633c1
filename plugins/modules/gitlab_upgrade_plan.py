#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_upgrade_plan; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_upgrade_plan
short_description: Plan the upgrade of a GitLab server
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Plans the way from the installed version (14.0 and newer) to another, over every required stop, each an exact
    package that the repository offers, and says what becomes of PostgreSQL at each. Changes nothing.
  - Takes the newest patch of each stop, and passes over patches with a known fault where a better one is offered.
  - Refuses to go back, to change the edition by the way, and to leave out a stop that the repository lacks.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.gitlab_upgrade
options:
  preflight:
    description:
      - Whether to look at services, readiness, C(check-config), background migrations, locks and space as well, and
        return what stands against the upgrade. That takes some seconds more.
    type: bool
    default: true
  sets_path:
    description: Where backup sets are kept; each stop makes one.
    type: path
    default: /var/opt/gitlab/fleetwright-backups
  backup_path:
    description: GitLab's own C(backup_path).
    type: path
    default: /var/opt/gitlab/backups
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Plan the way to the newest version
  fleetwright.gitlab_aws.gitlab_upgrade_plan:
  become: true
  register: upgrade

- name: Show it
  ansible.builtin.debug:
    msg: "{{ upgrade.table.splitlines() }}"

- name: Plan the way to a line, for a server with NPM packages
  fleetwright.gitlab_aws.gitlab_upgrade_plan:
    version: "16.11"
    conditional_stops: ["16.1"]
  become: true
"""

RETURN = r"""
from:
  description: The installed version.
  returned: success
  type: str
  sample: 18.8.11
to:
  description: The version at the end of the way.
  returned: success
  type: str
  sample: 19.0.8
stops:
  description: >-
    The packages to install, in their order; empty where the server is there already. C(postgresql_moved_by) says who
    moves PostgreSQL and is unset where it stays; C(postgresql_space) are the bytes that must be free for it.
  returned: success
  type: list
  elements: dict
  sample: [{version: 18.11.11, package: gitlab-ce-18.11.11-ce.0.el9, why: required stop, postgresql_from: 16,
            postgresql_to: 17, postgresql_moved_by: package, postgresql_space: 6442450944}]
notes:
  description: What to know before, each with C(at) (the version), C(what) and C(remedy).
  returned: success
  type: list
  elements: dict
  sample: [{at: "19.0", what: Redis 6 is no longer supported, remedy: upgrade an external Redis to 7 before}]
findings:
  description: What stands against it, each with C(what), C(remedy) and C(blocks).
  returned: success
  type: list
  elements: dict
  sample: []
ready:
  description: Whether no finding blocks it.
  returned: success
  type: bool
  sample: true
unfinished:
  description: Where an unfinished upgrade stands; unset where none is.
  returned: success
  type: str
  sample: "An upgrade from 18.8.11 to 19.0.8, begun 2026-11-24T07:20:09Z, is unfinished: its step 'package' comes next."
table:
  description: All of it as text for people.
  returned: success
  type: str
  sample: "GitLab 18.8.11 -> 19.0.8, 2 stops"
"""
