#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_runner_registration; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_registration
short_description: Keep runners registered in GitLab and their tokens in config.toml
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Takes the whole list of a host's runners. Creates those that the host does not have yet through
    C(POST /user/runners), keeps the fields of the others in step, verifies their tokens, and removes those with
    C(state=absent) on both sides.
  - All requests leave from the controller, in parallel, so the access token never reaches the host.
  - The tokens that GitLab hands out go straight into the host's C(config.toml). They are never returned.
  - A runner is found again by its entry on disk, then by its id. Nothing is listed, so an access token with the scopes
    C(create_runner) and C(manage_runner) is enough.
  - What can be seen to fail is refused before anything is changed.
  - When the file can't be written, runners that were just created are deleted again.
  - Runs that hand out tokens take turns, also from several controllers. A second one waits for a minute, then says who
    is at work.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.runner_entries
  - fleetwright.gitlab_aws.runner_host
  - fleetwright.gitlab_aws.gitlab
options:
  registration_token:
    description:
      - A legacy registration token of the instance, a group or a project. When it is given, runners that the host does
        not have yet are registered by it (C(POST /runners)) instead of being created with O(api_token).
      - "Deprecated by GitLab since 15.6, switched off there by default since 17.0, planned to be removed in 20.0. Use
        it only where O(api_token) can't be had."
      - The token says itself whose runner it becomes, so C(runner_type), C(group_id) and C(project_id) must be left
        out.
      - Without O(api_token) the fields of runners that are registered already are not kept in step, and an entry with
        C(state=absent) loses this machine only; the runner stays in GitLab.
    type: str
  runners:
    description:
      - The declared runners of this host. Each has a C(name), an C(executor), and any key of C([[runners]]).
      - "Fields of the runner in GitLab stand beside them: C(runner_type) (V(instance_type), V(group_type),
        V(project_type)), C(group_id), C(project_id), C(description) (default: the name), C(tag_list), C(run_untagged),
        C(locked), C(access_level), C(maximum_timeout) in seconds, C(maintenance_note), C(paused). Fields that are not
        given are left as they are."
      - A C(token) names a runner made elsewhere; it is only verified, and shared with other hosts.
      - An entry with C(state=absent) is paused, its running jobs are waited for, and it is deleted on both sides. Where
        other machines use the same runner, only this machine is removed from it.
    type: list
    elements: dict
    required: true
  url:
    description: The C(url) that entries get in C(config.toml); O(api_url) when unset.
    type: str
  purge:
    description: Whether entries on the host that are not declared are removed on both sides.
    type: bool
    default: false
  on_refused_token:
    description:
      - What to do when GitLab refuses a token that is on disk, or no longer has its runner.
      - V(fail) stops before anything is changed.
      - V(recreate) registers a new runner in its place.
      - V(reset) gives the existing runner a new token, which the other hosts that share it lose.
    type: str
    choices: [fail, recreate, reset]
    default: fail
  rotate_tokens:
    description:
      - Whether runners that this host has get a new token, in GitLab and in C(config.toml). The old one is dead then,
        so other hosts that share a runner lose it.
    type: bool
    default: false
  job_timeout:
    description: How many seconds the running jobs of a runner that is to be removed are waited for.
    type: int
    default: 3600
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
seealso:
  - module: fleetwright.gitlab_aws.gitlab_runner_config
"""

EXAMPLES = r"""
- name: Two runners of a group, one of them for jobs with docker
  fleetwright.gitlab_aws.gitlab_runner_registration:
    api_url: https://gitlab.example.com
    api_token: "{{ vault_gitlab_token }}"
    runner_defaults:
      runner_type: group_type
      group_id: 42
    runners:
      - name: build-shell
        executor: shell
        tag_list: [shell, aws]
      - name: build-docker
        executor: docker
        tag_list: [docker, aws]
        run_untagged: true
        docker:
          image: alpine:3.20
  become: true

- name: Remove one runner on both sides
  fleetwright.gitlab_aws.gitlab_runner_registration:
    api_url: https://gitlab.example.com
    api_token: "{{ vault_gitlab_token }}"
    runners:
      - name: build-shell
        state: absent
  become: true
"""

RETURN = r"""
runners:
  description: Every runner and what was done (in check mode what would be done). Never a token.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the entry.
      type: str
      returned: always
      sample: build-docker
    id:
      description: The runner's id in GitLab, unset when it is not known (yet).
      type: int
      returned: always
      sample: 8
    action:
      description: >-
        One of V(unchanged), V(created), V(updated), V(reset), V(deleted), V(manager deleted) (only this machine was
        removed) and V(forgotten) (GitLab no longer knew it).
      type: str
      returned: always
      sample: updated
    changes:
      description: The fields that were changed in GitLab.
      type: list
      elements: str
      returned: always
      sample: [tag_list]
"""
