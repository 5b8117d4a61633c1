#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_backup; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_backup
short_description: Back up a GitLab server as one verified set
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Makes GitLab's own backup of the data (C(gitlab-rake gitlab:backup:create)) and of C(/etc/gitlab)
    (C(gitlab-ctl backup-etc)), reads both archives once, and keeps them with a manifest as one set. A failed part, a
    damaged archive or a missing file is a failure, whatever GitLab says.
  - The work is done on the host by a program in a systemd unit of its own, which a dying connection does not stop. Run
    again, the task waits for it. What a killed backup left is finished or removed by the next one.
  - With O(s3), the controller signs every request and the host sends the files, so that no AWS credential reaches the
    host. Checksums of what S3 has are compared with those of the one reading. A copy that was broken off goes on in the
    next run.
  - The page C(docs/backup-sets.md) shows what a set is.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.backup
  - fleetwright.gitlab_aws.backup.s3
attributes:
  check_mode:
    support: full
    details: What would be refused is refused; the set's size is an estimate.
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Back up, and keep a copy in S3
  fleetwright.gitlab_aws.gitlab_backup:
    keep_count: 3
    s3:
      bucket: example-gitlab-backups
      prefix: gitlab.example.com
      region: eu-central-1
      kms_key_id: alias/gitlab-backups
  become: true

- name: Back up all but what can be built again
  fleetwright.gitlab_aws.gitlab_backup:
    skip: [artifacts, builds]
  become: true
"""

RETURN = r"""
id:
  description: The set's id.
  returned: success, not in check mode
  type: str
  sample: 1795504809_2026_11_24_18.11.4
path:
  description: Its directory on the host.
  returned: success, not in check mode
  type: str
  sample: /var/opt/gitlab/fleetwright-backups/1795504809_2026_11_24_18.11.4
version:
  description: The version of GitLab that was backed up.
  returned: success
  type: str
  sample: 18.11.4
archives:
  description: The files of the set with kind, size in bytes and sha256.
  returned: success, not in check mode
  type: list
  elements: dict
  sample:
    - kind: application
      file: 1795504809_2026_11_24_18.11.4_gitlab_backup.tar
      size: 10737418240
      sha256: 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
size:
  description: The size of the set in bytes.
  returned: success, not in check mode
  type: int
  sample: 10737428480
warnings:
  description: What GitLab complained of and was tolerated.
  returned: success, not in check mode
  type: list
  elements: str
  sample: []
seconds:
  description: What the time was spent on, in seconds (C(gitlab), C(pass), C(fingerprint)).
  returned: success, not in check mode
  type: dict
  sample: {gitlab: 512.4, pass: 14.2, fingerprint: 1.9}
began:
  description: When the backup began.
  returned: success, not in check mode
  type: str
  sample: "2026-11-24T07:20:09Z"
ended:
  description: When it was done.
  returned: success, not in check mode
  type: str
  sample: "2026-11-24T07:31:40Z"
recovered:
  description: What was done about sets that earlier runs had left unfinished.
  returned: success, not in check mode
  type: list
  elements: str
  sample: []
removed:
  description: Ids of the sets that retention let go; in check mode, that it would.
  returned: success
  type: list
  elements: str
  sample: [1794900009_2026_11_17_18.11.4]
url:
  description: Where the copy is; in check mode, below which it would be.
  returned: when O(s3) is given
  type: str
  sample: s3://example-gitlab-backups/gitlab.example.com/1795504809_2026_11_24_18.11.4
copied:
  description: URLs of all copies that were completed, those of earlier sets too.
  returned: when O(s3) is given, not in check mode
  type: list
  elements: str
  sample: [s3://example-gitlab-backups/gitlab.example.com/1795504809_2026_11_24_18.11.4]
adopted:
  description: Whether the set was made by an earlier run of the same task, whose controller went away.
  returned: success, not in check mode
  type: bool
  sample: false
estimate:
  description: The size that the archive may have, in bytes; C(null) where it could not be told quickly.
  returned: in check mode
  type: int
  sample: 11811160064
needs:
  description: The room that is needed and what is free, by path, in bytes.
  returned: in check mode
  type: list
  elements: dict
  sample: [{path: /var/opt/gitlab/backups, bytes: 23622320128, free: 64424509440}]
unfinished:
  description: Sets that earlier runs left unfinished and that would be finished or removed.
  returned: in check mode
  type: list
  elements: str
  sample: []
"""
