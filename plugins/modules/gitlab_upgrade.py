#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_upgrade; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_upgrade
short_description: Upgrade a GitLab server over every required stop
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Plans the way from the installed version to the target over every required stop, then goes it stop by stop.
  - At each stop users and runners are kept out, a backup set is made, the package is installed, its real success
    read from its reconfigure and the state of the migrations, PostgreSQL is moved where that is due, and GitLab, its
    secrets and its data are held against what was before. Then everybody is let in again, and batched background
    migrations are waited for.
  - A failure brings back the version before that stop with its data, unless users could have written since.
  - A journal on the host says what was begun before it begins. A run that was ended anywhere is gone on with by the
    next
    one. The work runs as a systemd unit of its own, so a connection that dies does not end it.
  - In check mode the plan is shown, and nothing is changed.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.gitlab_upgrade
options:
  keep_serving:
    description:
      - Whether users and runners are let in while a stop is at work, as far as GitLab serves them.
      - A failed stop is not rolled back by itself then, because what they wrote would be lost.
    type: bool
    default: false
  rollback:
    description: Whether a stop that fails is rolled back by itself where that loses nothing.
    type: bool
    default: true
  migrations_timeout:
    description: How many seconds the background migrations of a stop may take before the run ends; they go on.
    type: int
    default: 86400
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
- name: What an upgrade would do
  fleetwright.gitlab_aws.gitlab_upgrade:
    version: "18.11"
  become: true
  check_mode: true

- name: Upgrade
  fleetwright.gitlab_aws.gitlab_upgrade:
    version: "18.11"
  become: true
"""

RETURN = r"""
plan:
  description: The way that was planned, or none where an unfinished upgrade was on its way back.
  returned: always
  type: dict
  sample:
    from: 18.8.11
    to: 18.11.11
    stops: [{version: 18.11.11, package: gitlab-ce-18.11.11-ce.0.el9, why: target}]
    warnings: []
unfinished:
  description: Where an unfinished upgrade stood when the run began.
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
