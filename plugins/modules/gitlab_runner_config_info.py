#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_runner_config_info; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_config_info
short_description: Read the config.toml of GitLab Runner
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Reads C(config.toml) from the host in one round trip and returns what it means.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  path:
    description: The file.
    type: path
    default: /etc/gitlab-runner/config.toml
  include_secrets:
    description:
      - Whether tokens and other secrets are returned as they are. The result is then kept out of every output; it can
        only be used through C(register).
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
seealso:
  - module: fleetwright.gitlab_aws.gitlab_runner_config
"""

EXAMPLES = r"""
- name: Read the configuration
  fleetwright.gitlab_aws.gitlab_runner_config_info:
  register: runner_config
  become: true

- name: Show the names of the entries
  ansible.builtin.debug:
    msg: "{{ runner_config.config.runners | default([]) | map(attribute='name') }}"
"""

RETURN = r"""
path:
  description: The file, after following links.
  returned: success
  type: str
  sample: /etc/gitlab-runner/config.toml
exists:
  description: Whether there is a file.
  returned: success
  type: bool
  sample: true
mode:
  description: Its permissions; unset when there is no file.
  returned: success
  type: str
  sample: "0600"
owner:
  description: Its owner; unset when there is no file.
  returned: success
  type: str
  sample: root
group:
  description: Its group; unset when there is no file.
  returned: success
  type: str
  sample: root
system_id:
  description: What identifies this machine to GitLab, from C(.runner_system_id).
  returned: success
  type: str
  sample: s_1746f8786189
config:
  description: The parsed file; secrets are masked unless O(include_secrets=true), dates are text.
  returned: success
  type: dict
  sample: {concurrent: 4, runners: [{name: build-docker, id: 8, executor: docker, token: "********"}]}
"""
