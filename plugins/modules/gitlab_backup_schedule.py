#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_backup_schedule; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_backup_schedule
short_description: Have a systemd timer back up a GitLab server
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Installs the backup program and a systemd timer, which makes the same sets as
    M(fleetwright.gitlab_aws.gitlab_backup) without a controller, and lets the same retention take care of them.
  - With O(s3), the host copies each set with the distribution's C(aws) command and the role of its instance.
  - How the last run went is what M(fleetwright.gitlab_aws.gitlab_backup_info) shows, and the playbook C(status).
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.backup
options:
  state:
    description: V(absent) removes the timer. The sets and the program stay.
    type: str
    choices: [present, absent]
    default: present
  on_calendar:
    description: When, as C(OnCalendar) of systemd says it. A time that the host slept through is made up for.
    type: str
    default: "*-*-* 02:00:00"
  randomized_delay:
    description: Up to how many seconds later it begins, so that many servers do not begin at once.
    type: int
    default: 0
  s3:
    description: Where a copy goes. Credentials are those of the instance.
    type: dict
    suboptions:
      bucket:
        description: The bucket.
        type: str
        required: true
      prefix:
        description: The folder in the bucket; the set's id is a folder in it.
        type: str
        default: ""
      region:
        description: Its region.
        type: str
      endpoint_url:
        description: Another service that speaks S3.
        type: str
      kms_key_id:
        description: The key that S3 encrypts with. The bucket's own setting holds without it.
        type: str
      program:
        description: The AWS command on the host. It must be there.
        type: str
        default: aws
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Back up every night, with a copy in S3
  fleetwright.gitlab_aws.gitlab_backup_schedule:
    on_calendar: "*-*-* 02:30:00"
    keep_count: 7
    s3:
      bucket: example-gitlab-backups
      prefix: gitlab.example.com
      region: eu-central-1
  become: true
"""

RETURN = r"""
# Nothing beyond what every module returns.
"""
