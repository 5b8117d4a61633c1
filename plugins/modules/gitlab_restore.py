#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_restore; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_restore
short_description: Restore a backup set of a GitLab server
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Restores a set that M(fleetwright.gitlab_aws.gitlab_backup) made, on the host where it lies or from S3 on any host.
  - Looks first and refuses with everything that is in the way (version and edition, space, mount points, secrets,
    storages, an open upgrade), reads the archives once against the manifest, and only then stops puma and sidekiq.
  - Makes a backup set of what is there, puts back C(/etc/gitlab), has GitLab restore the data, judges it by all it
    said, reconfigures, holds secrets and data against the set, starts GitLab, waits until it is ready and runs its
    checks.
  - A journal on the host says what was begun. A restore that was ended half way leaves puma and sidekiq stopped;
    running it again goes on from there, and every message says where things stand.
  - The work runs as a systemd unit of its own, so a connection that dies does not end it.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.backup.s3
options:
  set:
    description:
      - The id of the set, without C(_gitlab_backup.tar). There is no default.
      - V(latest) is the set of a restore that is unfinished on the host, else the newest good one, in S3 where O(s3)
        is given; sets that were made before a restore don't count.
    type: str
    required: true
  state:
    description:
      - V(restored) restores the set.
      - V(prepared) has the set on the host and, where GitLab is not installed, puts C(/etc/gitlab) in place, so that
        the package's own reconfigure uses it; the result says which package the set needs.
    type: str
    choices: [restored, prepared]
    default: restored
  pieces:
    description:
      - What is restored. V(configuration) is C(/etc/gitlab) with C(gitlab-secrets.json), V(application) the data.
      - The configuration alone mends lost secrets and touches no data. Data alone is refused where the host's secrets
        are not those of the set.
    type: list
    elements: str
    choices: [configuration, application]
    default: [configuration, application]
  sets_path:
    description: The directory of the sets on the host.
    type: path
    default: /var/opt/gitlab/fleetwright-backups
  backup_path:
    description: Where GitLab looks for its archives; what C(gitlab_rails['backup_path']) says.
    type: path
    default: /var/opt/gitlab/backups
  replace:
    description:
      - Needed where the host has data of its own, other than the set. The mark of that data, twelve digits, as check
        mode and the refusal show it; or V(any), whatever the data is by then.
    type: str
    default: ''
  safety_backup:
    description:
      - Whether a set of what is there is made first, as far as it can be read. Where that fails nothing is restored.
    type: bool
    default: true
  check_space:
    description: Whether a restore is refused when there is too little room.
    type: bool
    default: true
  again:
    description: Whether the set is restored again where it was the last one restored and the data is still the same.
    type: bool
    default: false
  accept_findings:
    description:
      - Whether GitLab is started although values can't be decrypted or the data is not as the set says. For findings
        that were there when the backup was made; a run that stopped at them goes on with it.
    type: bool
    default: false
  in_upgrade:
    description: Whether the restore is part of an upgrade whose journal is open; others are refused then.
    type: bool
    default: false
  ready_timeout:
    description: How many seconds GitLab may take to be ready after its start.
    type: int
    default: 600
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: What a restore would do, and what it would replace
  fleetwright.gitlab_aws.gitlab_restore:
    set: 1795504809_2026_11_24_18.11.4
  become: true
  check_mode: true
  register: plan

- name: Restore
  fleetwright.gitlab_aws.gitlab_restore:
    set: 1795504809_2026_11_24_18.11.4
    replace: 44f63245575c
  become: true

- name: Bring lost secrets back
  fleetwright.gitlab_aws.gitlab_restore:
    set: latest
    pieces: [configuration]
  become: true

- name: Restore the newest set in S3
  fleetwright.gitlab_aws.gitlab_restore:
    set: latest
    s3:
      bucket: example-gitlab-backups
      prefix: gitlab.example.com
      region: eu-central-1
  become: true
"""

RETURN = r"""
set:
  description: The set's id.
  returned: success
  type: str
  sample: 1795504809_2026_11_24_18.11.4
version:
  description: The version of GitLab in it.
  returned: success
  type: str
  sample: 18.11.4
package:
  description: The package that the set was made with.
  returned: when O(state=prepared), and in check mode when the set would be fetched
  type: str
  sample: gitlab-ce-18.11.4-ce.0.el9
installed:
  description: The version that is installed on the host; C(null) where GitLab is not.
  returned: when O(state=prepared), and in check mode when the set would be fetched
  type: str
  sample: 18.11.4
fetched:
  description: Whether the set was (in check mode, would be) fetched from S3.
  returned: success
  type: bool
  sample: true
steps:
  description: The steps that were (in check mode, would be) gone; none where nothing is to be done.
  returned: when O(state=restored)
  type: list
  elements: str
  sample: [stop, keep, configure, load, reconfigure, prove, start, check]
configuration_changes:
  description: Files below C(/etc/gitlab) that are other than in the set.
  returned: success
  type: list
  elements: str
  sample: [gitlab-secrets.json]
replace:
  description: The mark of the data that was on the host before.
  returned: when O(state=restored)
  type: str
  sample: 44f63245575c
replaces:
  description: What of that data was other than in the set, the first twenty entries.
  returned: when O(state=restored)
  type: list
  elements: str
  sample: ["database users: 8 rows, greatest id 10 here, 7 rows, greatest id 9 in the set"]
kept:
  description: The id of the set of what was there before.
  returned: when O(state=restored), not in check mode
  type: str
  sample: 1795512009_2026_11_24_18.11.4
aside:
  description: Paths of what was put aside; they can be removed when all is well.
  returned: changed
  type: list
  elements: str
  sample: [/var/lib/fleetwright/gitlab_restore/1795504809_2026_11_24_18.11.4-20261124T080000Z/etc-gitlab]
warnings:
  description: What was found and did not stop the restore.
  returned: when O(state=restored)
  type: list
  elements: str
  sample: []
doctor:
  description: Values that C(gitlab:doctor:secrets) could not decrypt, by model.
  returned: changed
  type: list
  elements: str
  sample: []
check:
  description: What C(gitlab:check) found, with GitLab's remedies.
  returned: changed
  type: list
  elements: str
  sample: []
differences:
  description: What of the restored data is other than the set's fingerprint.
  returned: changed
  type: list
  elements: str
  sample: []
seconds:
  description: How long what took; C(gitlab) are GitLab's own commands, C(pass) is the reading of the archive.
  returned: changed
  type: dict
  sample: {gitlab: 311.2, pass: 5.1, fingerprint: 1.8, readiness: 21.0}
"""
