#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_rollback; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_rollback
short_description: Bring a GitLab server back to what it was before an upgrade
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Goes back to the version before the last stop, or to an earlier one, with the data of the backup set of that stop.
    Needs nothing but the journal that M(fleetwright.gitlab_aws.gitlab_upgrade) has left on the host and the set it
    names.
  - Finishes a rollback that was ended half way.
  - What was written since that set was made is lost; check mode and the run itself say so. Where users have worked
    with
    the newer version, a set of that state is made first.
  - PostgreSQL goes back first where it was moved, by GitLab's own command where that is possible; else its data
    directory
    is put aside and kept.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  version:
    description: An earlier version to go back to, of those that the journal knows; else the one before the last stop.
    type: str
    default: ''
  sets_path:
    description: The directory of the backup sets on the host.
    type: path
    default: /var/opt/gitlab/fleetwright-backups
  backup_path:
    description: Where GitLab writes its archives; what C(gitlab_rails['backup_path']) says.
    type: path
    default: /var/opt/gitlab/backups
  check_space:
    description: Whether a set is refused when there is too little room.
    type: bool
    default: true
  ready_timeout:
    description: How many seconds GitLab may take to be ready after each start.
    type: int
    default: 900
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Where a rollback would go, and what it would lose
  fleetwright.gitlab_aws.gitlab_rollback:
  become: true
  check_mode: true

- name: Go back
  fleetwright.gitlab_aws.gitlab_rollback:
  become: true
"""

RETURN = r"""
loses:
  description: What is lost by it, in words.
  returned: always
  type: str
id:
  description: The upgrade, as its journal calls it.
  returned: when something was done
  type: str
  sample: 20261124T081500Z
version:
  description: The version that GitLab has now.
  returned: when something was done
  type: str
  sample: 18.11.11
stops:
  description: The versions of the way.
  returned: when something was done
  type: list
  elements: str
  sample: [18.11.11]
set:
  description: The backup set of the last stop, or the one that was put back.
  returned: when something was done
  type: str
  sample: 1795504809_2026_11_24_18.8.11
aside:
  description: What was put out of the way on the host, and is kept.
  returned: when something was done
  type: list
  elements: str
  sample: []
warnings:
  description: What did not stop it and should be looked at.
  returned: when something was done
  type: list
  elements: str
  sample: []
seconds:
  description: Seconds of the last stop, by what they were spent on.
  returned: when something was done
  type: dict
  sample: {backup: 312.4, package: 501.2}
"""
