# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that make backups of a GitLab server."""

from __future__ import annotations


class ModuleDocFragment:
    """What is backed up, how, and what is kept."""

    DOCUMENTATION = r"""
options:
  sets_path:
    description:
      - The directory of the sets on the host, for root alone. On the file system of O(backup_path) an archive is moved
        there; elsewhere it is copied.
    type: path
    default: /var/opt/gitlab/fleetwright-backups
  backup_path:
    description: Where GitLab writes its archives; what C(gitlab_rails['backup_path']) says.
    type: path
    default: /var/opt/gitlab/backups
  skip:
    description:
      - Parts that are left out. V(remote) leaves nothing out, but keeps GitLab from uploading by itself.
      - What C(gitlab_rails['env']) says of it does not count.
    type: list
    elements: str
    choices:
      - db
      - repositories
      - uploads
      - builds
      - artifacts
      - pages
      - lfs
      - terraform_state
      - registry
      - packages
      - ci_secure_files
      - external_diffs
      - remote
    default: []
  strategy:
    description: V(copy) copies files before it packs them, as some change all the time; it needs their size more.
    type: str
    choices: [stream, copy]
    default: stream
  incremental:
    description: Whether repositories that did not change are taken from O(previous). The set is whole all the same.
    type: bool
    default: false
  previous:
    description: The set that an incremental backup builds on, an id or V(latest); of the installed version.
    type: str
    default: latest
  compress_cmd:
    description: What compresses instead of C(gzip -c -1). It must write what gzip writes.
    type: str
  decompress_cmd:
    description: What reads that again; a restore uses it.
    type: str
  gzip_rsyncable:
    description: Whether gzip makes archives that rsync can compare.
    type: bool
    default: false
  max_concurrency:
    description: How many repositories are backed up at once; GitLab takes the number of processors.
    type: int
  max_storage_concurrency:
    description: How many of them on one storage; GitLab takes 2.
    type: int
  repositories_storages:
    description: Only repositories of these storages.
    type: list
    elements: str
    default: []
  repositories_paths:
    description: Only repositories of these groups and projects.
    type: list
    elements: str
    default: []
  skip_repositories_paths:
    description: No repositories of these groups and projects.
    type: list
    elements: str
    default: []
  keep_in_backup_path:
    description:
      - Whether the archive also stays in O(backup_path), where GitLab prunes it after C(backup_keep_time). It is one
        file under two names.
    type: bool
    default: false
  check_space:
    description:
      - Whether a backup is refused when there is too little room. GitLab stages the parts and then packs them, so
        O(backup_path) needs the size of the archive twice; that size is taken from the last set, or from the data.
    type: bool
    default: true
  fingerprint:
    description: Whether the manifest says what the data was, so that a restore can be compared with it.
    type: bool
    default: true
  unpack_all:
    description:
      - Whether every compressed part is unpacked once to see that it can be, which takes many times as long as reading
        it. Otherwise a sixteenth is (32 to 256 MiB), the database first; of the rest beginning and end are looked at.
    type: bool
    default: false
  keep_count:
    description:
      - How many of the newest good sets are kept on the host; V(0) is no reason to remove any.
      - A set goes when neither O(keep_count) nor O(keep_days) keeps it. The newest good set always stays, and sets that
        are not good are not counted. Sets made with O(skip), or before a restore, never push out a whole one.
      - Copies in S3 are never removed; give the bucket a lifecycle.
    type: int
    default: 7
  keep_days:
    description: For how many days good sets are kept on the host; V(0) is no reason to remove any.
    type: int
    default: 0
"""

    PLACE = r"""
options:
  sets_path:
    description: The directory of the sets on the host.
    type: path
    default: /var/opt/gitlab/fleetwright-backups
"""

    S3 = r"""
options:
  s3:
    description: Where copies of sets are in S3. The bucket must be there.
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
        description: Another service that speaks S3; controller and host must reach it.
        type: str
      kms_key_id:
        description: The key that S3 encrypts with. The bucket's own setting holds without it.
        type: str
      profile:
        description: A profile of the controller's AWS configuration.
        type: str
      access_key:
        description: Credentials of the controller, where boto3 finds none by itself.
        type: str
      secret_key:
        description: Goes with O(s3.access_key).
        type: str
      session_token:
        description: Goes with temporary credentials.
        type: str
      ca_path:
        description: A file with certificate authorities for S3, on the controller.
        type: path
      host_ca_path:
        description: A file with certificate authorities for S3, on the host.
        type: path
"""
