#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_runner_registry_auth; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_registry_auth
short_description: Keep credentials of container registries for the jobs' images
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Keeps credentials in C(/root/.docker/config.json), which GitLab Runner reads whenever it pulls an image for a job;
    its service runs as root.
  - Everything else in that file stays. An entry that is no longer declared is removed, unless someone changed it since
    or another service of the host declared it. C(/etc/gitlab-runner/.fleetwright-registries.json) records which are
    ours.
  - Both files have mode 0600; credentials are in no result, no diff and no command line.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  registries:
    description: >-
      A C(username) and a C(password) by the registry's host, with its port if it has one. Docker Hub is
      C(https://index.docker.io/v1/).
    type: dict
    required: true
  service:
    description: The service whose registries these are.
    type: str
    default: gitlab-runner
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Let jobs pull from a private registry
  fleetwright.gitlab_aws.gitlab_runner_registry_auth:
    registries:
      registry.example.com:5000:
        username: puller
        password: "{{ vault_registry_password }}"
  become: true
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /root/.docker/config.json
set:
  description: Registries whose credentials were written.
  returned: success
  type: list
  elements: str
  sample: ["registry.example.com:5000"]
removed:
  description: Registries whose credentials were removed.
  returned: success
  type: list
  elements: str
  sample: []
"""
