#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_background_migrations; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_background_migrations
short_description: Wait for the end of GitLab's background migrations
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Waits until no batched background migration of GitLab is left, in any of its databases, and shows how far they are.
    An upgrade that begins before stops in the middle of its reconfigure.
  - A migration that has failed, or that somebody has paused, is a failure with its name and what to do.
  - They are counted by SQL, since GitLab's API shows only the newest twenty. Up to GitLab 15.0 those in Sidekiq's
    queues are counted, too.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  wait:
    description: Whether to wait; otherwise what is found is the result, and nothing left to do is no failure.
    type: bool
    default: true
  timeout:
    description: For how many seconds to wait at most. On large servers migrations take days.
    type: int
    default: 86400
  resume:
    description: Try those that failed again, and let those that are paused go on, before waiting.
    type: bool
    default: false
  finalize:
    description:
      - Run all that are left at once, one after the other, instead of waiting for Sidekiq.
      - The task lasts until the last one is done.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
    details: Looks once, and says what would be resumed or finalized; does not wait.
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Wait for two days at most
  fleetwright.gitlab_aws.gitlab_background_migrations:
    timeout: 172800
  become: true

- name: See what is left
  fleetwright.gitlab_aws.gitlab_background_migrations:
    wait: false
  become: true
  register: migrations

- name: Try those that failed again
  fleetwright.gitlab_aws.gitlab_background_migrations:
    resume: true
  become: true
"""

RETURN = r"""
counts:
  description: How many batched background migrations have each status.
  returned: success
  type: dict
  sample: {finished: 4, finalized: 61, active: 1}
unfinished:
  description: >-
    Those that have neither finished nor been finalized; C(rows) and C(done) count rows of the table, C(progress) is in
    percent and unset where GitLab has not counted them.
  returned: success
  type: list
  elements: dict
  sample: [{database: main, id: 66, status: active, job_class_name: BackfillNotes, table_name: notes, column_name: id,
            job_arguments: "[]", rows: 5000, done: 1250, progress: 25}]
in_queues:
  description: Jobs of background migrations of the older kind, up to GitLab 15.0.
  returned: success
  type: int
  sample: 0
queued_at:
  description: When the newest one was queued, in seconds since 1970.
  returned: success
  type: float
  sample: 1795504809.0
acted:
  description: Names of those that were resumed or finalized; in check mode, would be.
  returned: success
  type: list
  elements: str
  sample: ['BackfillNotes on notes.id []']
"""
