#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_runner_install_plan; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_install_plan
short_description: Which steps installing GitLab Runner takes on a host
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Reads a host once (packages, repository file, version lock, drop-in, service, Docker, registries, machine id,
    operating system) and compares it with what is declared. Changes nothing.
  - The role P(fleetwright.gitlab_aws.gitlab_runner#role) runs only the steps that it names.
  - Refuses operating systems whose own Python is too old, with the reason, before any module runs there.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  version:
    description:
      - An exact version (V(18.0.3)), a line to stay in (V(18.0) or V(18)), or nothing for the newest.
      - Quote it, because V(18.10) is a number otherwise, and is refused.
    type: raw
    default: ''
  baseurl:
    description: The package repository; GitLab's own for this operating system when empty.
    type: str
    default: ''
  gpgkeys:
    description: URLs of the keys that signed the packages and the repository's metadata.
    type: list
    elements: str
    required: true
  service:
    description: The systemd service.
    type: str
    default: gitlab-runner
  version_lock:
    description: Whether dnf is to keep the installed version until this role changes it.
    type: bool
    default: true
  stop_timeout:
    description: How many seconds a stop may wait for the running jobs.
    type: int
    default: 7200
  proxy:
    description: The proxy of the service, as C(http_proxy), C(https_proxy) and C(no_proxy).
    type: dict
    default: {}
  ca_certificates:
    description: Certificate authorities in PEM, by the host name of the GitLab that they are for.
    type: dict
    default: {}
  check_os:
    description: Whether an operating system that was not tested is refused.
    type: bool
    default: true
  enabled:
    description: Whether the service is to start at boot.
    type: bool
    default: true
  started:
    description: Whether the service is to run.
    type: bool
    default: true
  config_path:
    description: The configuration that the service reads.
    type: path
    default: /etc/gitlab-runner/config.toml
  user:
    description: The account of the shell executor's jobs, for a service whose unit is missing.
    type: str
    default: gitlab-runner
  working_directory:
    description: The directory of such a service; the home of O(user) when empty.
    type: str
    default: ''
  restart:
    description: Whether a running service may be restarted, after its jobs.
    type: bool
    default: true
  new_identity:
    description: Whether a C(.runner_system_id) that was copied from another machine is to be replaced.
    type: bool
    default: true
  docker:
    description: Whether Docker is to be installed and to run.
    type: str
    choices: [leave, install]
    default: leave
  docker_packages:
    description: The packages that bring Docker.
    type: list
    elements: str
    default: [docker]
  registries:
    description: Credentials of container registries, a C(username) and a C(password) by host.
    type: dict
    default: {}
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: See what an installation would take
  fleetwright.gitlab_aws.gitlab_runner_install_plan:
    version: "18.0"
    gpgkeys: [https://packages.gitlab.com/gpgkey/gpg.key]
  register: runner_install
"""

RETURN = r"""
needed:
  description: Whether any step is needed.
  returned: success
  type: bool
  sample: true
plan:
  description: >-
    The steps. C(packages) is what dnf is asked for, C(files) and C(remove) are files of the role that differ or are no
    longer wanted, C(unlock) and C(lock) are lines of dnf's version lock, C(unit) is the command that installs a missing
    unit. C(repository), C(service), C(daemon_reload), C(restart), C(identity), C(docker_service) and C(registries) say
    whether that step is needed.
  returned: success
  type: dict
  sample: {installed_version: 18.0.2, packages: [gitlab-runner-18.0.3-1, gitlab-runner-helper-images-18.0.3-1],
           repository: false, files: [], remove: [], service: true, daemon_reload: false, restart: false,
           lock: [], unlock: [], unit: [], identity: false, docker_packages: [], docker_service: false,
           registries: false, warnings: []}
identity:
  description: >-
    What C(.runner_system_id) is on this machine, by its machine id; hosts that share it are copies of one another.
    Empty where the machine has neither.
  returned: success
  type: str
  sample: s_1746f8786189
docker_socket:
  description: Whether Docker listens at its usual socket.
  returned: success
  type: bool
  sample: true
"""
