#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a GitLab server before an upgrade."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_upgrade_look
short_description: Look whether a GitLab server can be upgraded
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Part of M(fleetwright.gitlab_aws.gitlab_upgrade_plan), which judges what it finds. Use that one.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  version:
    description: The major and minor version of the next stop, for C(gitlab-ctl check-config).
    type: str
    required: true
  sets_path:
    description: Where backup sets are kept.
    type: path
    default: /var/opt/gitlab/fleetwright-backups
  backup_path:
    description: GitLab's own C(backup_path).
    type: path
    default: /var/opt/gitlab/backups
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Look
  fleetwright.gitlab_aws.gitlab_upgrade_look:
    version: "18.11"
"""

RETURN = r"""
facts:
  description: >-
    Services that do not run, readiness, check-config, background migrations, who is at work, and free space by place.
  returned: success
  type: dict
  sample: {services: [], readiness: "", check_config: "", busy: []}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _host_command, _upgrade_facts

ARGUMENT_SPEC: dict[str, t.Any] = {
    "version": {"type": "str", "required": True},
    "sets_path": {"type": "path", "default": "/var/opt/gitlab/fleetwright-backups"},
    "backup_path": {"type": "path", "default": "/var/opt/gitlab/backups"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    found = _upgrade_facts.look(_upgrade_facts.Asked(**module.params), _host_command.run)
    module.exit_json(changed=False, facts=found.as_json())


if __name__ == "__main__":
    main()
