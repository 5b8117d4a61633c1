#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_runner_drain; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_drain
short_description: Bring a runner service to rest without losing a job
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Lets a runner take no new jobs, waits for those it runs, showing which and how long, and stops the service.
  - With O(api_token), and where no other machine shares a runner, the runners are paused in GitLab first, which can be
    taken back at any time. Otherwise the service alone is told to take no more jobs (SIGQUIT).
  - A drain that fails, runs out of time or is interrupted puts everything back. One that was killed is found by the
    next drain, or by O(state=resumed), through a journal below C(/var/lib/fleetwright).
  - A service that is stopped, failed or masked is drained already; one that someone else is stopping is waited for.
  - Runners that were paused before stay paused.
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
    description: >-
      V(drained) brings the service to rest, V(resumed) undoes that. V(restarted) does both, so that a new process takes
      the place of a running one; a service that does not run stays so.
    type: str
    choices: [drained, resumed, restarted]
    default: drained
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
notes:
  - Without C(listen_address) in C(config.toml) the jobs can't be named while they are waited for.
"""

EXAMPLES = r"""
- name: Let the jobs end, then stop
  fleetwright.gitlab_aws.gitlab_runner_drain:
    api_url: https://gitlab.example.com
    api_token: "{{ vault_gitlab_token }}"
    drain_timeout: 3600
  become: true

- name: Bring a new process, when the jobs of the old one have ended
  fleetwright.gitlab_aws.gitlab_runner_drain:
    state: restarted
    api_url: https://gitlab.example.com
    api_token: "{{ vault_gitlab_token }}"
  become: true

- name: Work again
  fleetwright.gitlab_aws.gitlab_runner_drain:
    state: resumed
    api_url: https://gitlab.example.com
    api_token: "{{ vault_gitlab_token }}"
  become: true
"""

RETURN = r"""
way:
  description: >-
    How it was done: V(paused) in GitLab, V(service) alone, V(wait) for a stop that was under way, V(dead) where the
    service only waited to be started again, V(nothing) where it did not run.
  returned: unless O(state=resumed)
  type: str
  sample: paused
paused:
  description: Ids of the runners that were paused for this.
  returned: unless O(state=resumed)
  type: list
  elements: int
  sample: [8, 9]
unpaused:
  description: Ids of the runners that were unpaused.
  returned: when O(state=resumed)
  type: list
  elements: int
  sample: [8, 9]
reasons:
  description: Why the runners were not paused although there is an access token.
  returned: unless O(state=resumed)
  type: list
  elements: str
  sample: ["runner 'build' (8) serves other machines too (s_6d1f00c2e3aa)"]
jobs:
  description: The jobs at the last look; unset where the daemon does not tell.
  returned: unless O(state=resumed)
  type: list
  elements: dict
  sample: [{url: "https://gitlab.example.com/p/-/jobs/1", stage: step_script, duration: 1.0s}]
service_state:
  description: The state of the service in systemd's words.
  returned: unless O(state=resumed)
  type: str
  sample: inactive
seconds:
  description: How long it took.
  returned: unless O(state=resumed)
  type: float
  sample: 73.4
"""
