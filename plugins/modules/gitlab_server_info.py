#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a GitLab server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_server_info
short_description: What a GitLab server is and holds
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Reads version, services, readiness, migrations, C(gitlab:env:info) and a fingerprint of the data. Changes nothing.
  - A part that can't be read, because the server or a part of it is down, is unset, and RV(unread) says why. So this
    works on a server in trouble.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  gather:
    description:
      - Which parts to read.
      - V(environment) starts Rails, which takes tens of seconds.
      - V(fingerprint) counts the main tables and reads the refs of every repository; it needs PostgreSQL, and nothing
        else of GitLab. Two fingerprints are equal when neither rows, nor refs, nor secrets differ.
    type: list
    elements: str
    choices: [version, services, readiness, migrations, environment, fingerprint]
    default: [version, services, readiness, migrations]
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: See how the server is
  fleetwright.gitlab_aws.gitlab_server_info:
  become: true
  register: gitlab

- name: Wait for the end of the background migrations
  fleetwright.gitlab_aws.gitlab_server_info:
    gather: [migrations]
  become: true
  register: gitlab
  until: not gitlab.migrations.unfinished
  retries: 60
  delay: 60
"""

RETURN = r"""
version:
  description: The installed package.
  returned: when gathered
  type: dict
  sample: {package: gitlab-ce, version: 18.2.8, release: ce.0.el9, edition: ce}
services:
  description: The enabled services with C(state) V(run), V(down), V(fail) (not supervised) or V(warning) (no access).
  returned: when gathered
  type: list
  elements: dict
  sample: [{name: puma, state: run, detail: (pid 961) 7s}]
readiness:
  description: What GitLab's readiness probe says on the host; C(message) names what is not ready.
  returned: when gathered
  type: dict
  sample: {ready: true, message: ""}
migrations:
  description: >-
    How many migrations the schema has and the newest, batched background migrations by their status, and those that are
    neither finished nor finalized.
  returned: when gathered
  type: dict
  sample: {schema_migrations: 1482, schema_version: "20250901120000", batched: {finalized: 61}, unfinished: []}
environment:
  description: The sections of C(gitlab:env:info) with their lines.
  returned: when gathered
  type: dict
  sample: {"GitLab information": {"Version": "18.2.8", "URL": "https://gitlab.corp.test"}}
fingerprint:
  description: >-
    C(tables) (count and greatest id of each), C(repositories) (a digest of the refs of each) and C(secrets) (a keyed
    checksum of each); C(unread) says what could not be read.
  returned: when gathered
  type: dict
  sample: {format: 1, tables: {users: {count: 42, max_id: 51}}, repositories: {"default/@hashed/6b/86/6b86.git": "0a"},
           secrets: {gitlab_rails.db_key_base: 1f}, unread: {}}
unread:
  description: Why a part could not be read, by part.
  returned: success
  type: dict
  sample: {}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_server

ARGUMENT_SPEC: dict[str, t.Any] = {
    "gather": {
        "type": "list",
        "elements": "str",
        "choices": ["version", "services", "readiness", "migrations", "environment", "fingerprint"],
        "default": ["version", "services", "readiness", "migrations"],
    }
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.exit_json(changed=False, **_gitlab_server.gathered(module.params["gather"], _gitlab_server.Source()))


if __name__ == "__main__":
    main()
