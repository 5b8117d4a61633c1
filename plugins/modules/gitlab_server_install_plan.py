#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_server_install_plan; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_server_install_plan
short_description: Which steps installing and configuring GitLab takes on a host
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Reads a host once (packages, repository file, version lock, C(gitlab.rb), supervisor, what earlier runs left) and
    compares it with what is declared. Changes nothing.
  - The role P(fleetwright.gitlab_aws.gitlab_server#role) runs only the steps that it names.
  - Refuses, before anything is changed, what can be seen to fail, among it another version or edition than the
    installed one, settings that the version no longer has, and C(gitlab.rb) that Ruby on the host can't read.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.gitlab_server
options:
  version:
    description:
      - An exact version (V(18.2.8)), a line to stay in (V(18.2) or V(18)), or nothing for the newest.
      - Quote it, because V(18.10) is a number otherwise, and is refused.
      - An installed version is never changed; one that does not fit is refused.
    type: raw
    default: ''
  baseurl:
    description: The package repository; GitLab's own for this operating system when empty.
    type: str
    default: ''
  gpgkeys:
    description: URLs of the keys that sign the packages and the repository's metadata.
    type: list
    elements: str
    required: true
  former_gpgkeys:
    description: URLs of keys that signed packages up to 17.8; they are used for such a O(version) only.
    type: list
    elements: str
    default: []
  version_lock:
    description: Whether dnf is to keep the installed version until this collection changes it.
    type: bool
    default: true
  check_os:
    description: Whether an operating system that was not tested is refused.
    type: bool
    default: true
  initial_root_password:
    description: The first password of GitLab's user C(root); only its length is checked here.
    type: str
    default: ''
  keep_config:
    description: Whether C(gitlab.rb) stays as it lies on the host, whatever is declared; a restore has put it there.
    type: bool
    default: false
  timeout:
    description: How many seconds to wait for what an earlier run left under way.
    type: int
    default: 7200
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: See what an installation would take
  fleetwright.gitlab_aws.gitlab_server_install_plan:
    version: "18.2.8"
    external_url: https://gitlab.corp.test
    gpgkeys: [https://packages.gitlab.com/gpgkey/gpg.key]
  register: gitlab_install
"""

RETURN = r"""
needed:
  description: Whether any step is needed.
  returned: success
  type: bool
  sample: true
plan:
  description: >-
    The steps. C(packages) is what dnf is asked for, C(unlock) and C(lock) are lines of dnf's version lock;
    C(repository), C(lock_plugin), C(config), C(supervisor), C(reconfigure) and C(ready) say whether that
    step is needed.
  returned: success
  type: dict
  sample: {installed_version: null, baseurl: "https://packages.gitlab.com/gitlab/gitlab-ce/el/9/$basearch", gpgkeys: [],
           repository: true, packages: [gitlab-ce-18.2.8-*], unlock: [], lock: [], lock_plugin: false, config: true,
           supervisor: false, reconfigure: false, ready: false}
"""
