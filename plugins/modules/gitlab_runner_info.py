#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_runner_info; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_info
short_description: Version, service, jobs and runners of a GitLab Runner host
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Brings together what systemd, the daemon, the program and (with O(api_token)) GitLab know of a host's runners.
  - A service that died and waits for its restart is not called running, and a token that could not be checked because
    GitLab did not answer is not called valid, although C(gitlab-runner status) and C(gitlab-runner verify) do so.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.runner_host
  - fleetwright.gitlab_aws.gitlab
options:
  api_url:
    description: GitLab's base URL; with O(api_token), runners are looked up there too.
    type: str
    required: false
  verify:
    description: Whether the program on the host asks GitLab about each token.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Look at a runner host
  fleetwright.gitlab_aws.gitlab_runner_info:
    api_url: https://gitlab.example.com
    api_token: "{{ vault_gitlab_token }}"
  register: runner
  become: true

- name: Stop when a token is refused
  ansible.builtin.assert:
    that: runner.runners | rejectattr('verified', 'equalto', 'valid') | list == []
"""

RETURN = r"""
version:
  description: The installed program's version; unset when there is none.
  returned: success
  type: str
  sample: 18.0.3
service:
  description: The state of the service, in systemd's words and (C(word)) in one for people.
  returned: success
  type: dict
  sample: {active_state: active, load_state: loaded, main_pid: 812, result: success, sub_state: running,
           unit_file_state: enabled, word: running}
system_id:
  description: What identifies this machine to GitLab.
  returned: success
  type: str
  sample: s_1746f8786189
jobs:
  description: The running jobs; unset where the daemon has no metrics server (C(listen_address)) or does not run.
  returned: success
  type: list
  elements: dict
  sample: [{url: "https://gitlab.example.com/p/-/jobs/1", state: running, stage: step_script, duration: 1.0s}]
runners:
  description: The entries of C(config.toml), in their order, without secrets.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The entry's name.
      type: str
      returned: always
      sample: build-docker
    id:
      description: The runner's id in GitLab; unset for entries written by hand.
      type: int
      returned: always
      sample: 8
    url:
      description: GitLab's base URL.
      type: str
      returned: always
      sample: https://gitlab.example.com
    executor:
      description: What runs the jobs.
      type: str
      returned: always
      sample: docker
    verified:
      description: V(valid), V(refused), V(unreachable), V(unknown) (words nobody knows); unset when it was not asked.
      type: str
      returned: always
      sample: valid
    status:
      description: GitLab's word for the runner (V(online), V(paused), ...), V(deleted) where it has none of that id.
      type: str
      returned: always
      sample: online
    paused:
      description: Whether GitLab gives it no jobs; unset without O(api_token).
      type: bool
      returned: always
      sample: false
    tag_list:
      description: Its tags in GitLab; unset without O(api_token).
      type: list
      elements: str
      returned: always
      sample: [docker, aws]
"""
