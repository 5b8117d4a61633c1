#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_runner_upgrade; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_upgrade
short_description: Upgrade a runner at work without losing a job, and go back
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Downloads the packages, backs up the configuration, drains the service as
    M(fleetwright.gitlab_aws.gitlab_runner_drain) does, changes all packages of one version in one transaction, puts
    unit, enabled state and configuration back as they were, looks that program, process and tokens are good, and lets
    the runners work again.
  - A step that fails is undone with all before it. Every step is announced in a journal below C(/var/lib/fleetwright),
    so that a run which was killed is finished or undone by the next, and O(state=rolled_back) needs nothing else.
  - The transaction runs as a systemd unit of its own, which no dying connection can stop half way.
  - Downgrades work the same way, also over 17.7.1, from which on the helper images are a package of their own.
  - The package repository must be there; the role's entry point C(upgrade) sees to that.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.runner_drain
  - fleetwright.gitlab_aws.runner_host
  - fleetwright.gitlab_aws.gitlab
options:
  api_url:
    description: GitLab's base URL; with O(api_token), runners are paused there.
    type: str
    required: false
  state:
    description: V(upgraded) brings O(version), V(rolled_back) undoes the last upgrade that was recorded on the host.
    type: str
    choices: [upgraded, rolled_back]
    default: upgraded
  version:
    description: >-
      An exact version (V(18.0.3)), a line (V(18.0) or V(18)) whose newest is meant, V(newest), or V(gitlab) for the
      server's own minor version.
    type: str
    default: newest
  version_lock:
    description: Whether dnf's version lock, where it exists, is moved to the new version.
    type: bool
    default: true
  verify:
    description: Whether the program asks GitLab about each token; one that is refused only afterwards is a failure.
    type: bool
    default: true
  restore_config:
    description: Whether V(rolled_back) also puts back the configuration as it was before the upgrade.
    type: bool
    default: true
  backup_count:
    description: How many copies of the configuration are kept.
    type: int
    default: 5
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Upgrade to the server's own minor version
  fleetwright.gitlab_aws.gitlab_runner_upgrade:
    api_url: https://gitlab.example.com
    api_token: "{{ vault_gitlab_token }}"
    version: gitlab
  become: true

- name: Go back
  fleetwright.gitlab_aws.gitlab_runner_upgrade:
    state: rolled_back
    api_url: https://gitlab.example.com
    api_token: "{{ vault_gitlab_token }}"
  become: true
"""

RETURN = r"""
before:
  description: The version that was installed.
  returned: success
  type: str
  sample: 18.0.3
after:
  description: The version that is installed.
  returned: success
  type: str
  sample: 18.11.4
packages:
  description: The packages of the new version.
  returned: changed
  type: list
  elements: str
  sample: [gitlab-runner-18.11.4-1, gitlab-runner-helper-images-18.11.4-1]
backup:
  description: The folder with the configuration as it was.
  returned: changed
  type: str
  sample: /var/lib/fleetwright/gitlab-runner/backups/20261124T093000Z
package_seconds:
  description: How long the package transaction took.
  returned: changed
  type: float
  sample: 8.4
idle_seconds:
  description: How long the host took no jobs, beyond the drain itself and the package transaction.
  returned: changed
  type: float
  sample: 1.6
ended:
  description: When it was done.
  returned: changed
  type: str
  sample: "2026-11-24T09:30:12Z"
"""
