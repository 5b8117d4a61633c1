#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits on the host until GitLab is ready."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_server_readiness
short_description: Ask the GitLab on a host whether it is ready
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Asks GitLab's readiness probe on the host itself, by the name of C(external_url), and waits for a good answer.
  - That GitLab is not ready is a result and no failure; M(fleetwright.gitlab_aws.gitlab_server_reconfigure) makes one
    of it.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  wait:
    description: For how many seconds to ask again.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Wait for two minutes at most
  fleetwright.gitlab_aws.gitlab_server_readiness:
    wait: 120
  register: gitlab_readiness
  failed_when: not gitlab_readiness.ready
"""

RETURN = r"""
ready:
  description: Whether every check was good.
  returned: success
  type: bool
  sample: true
message:
  description: What is not as it should be, in words.
  returned: success
  type: str
  sample: ""
not_running:
  description: Services that do not run, where GitLab is not ready.
  returned: success
  type: list
  elements: str
  sample: ["sidekiq: down, 0s, normally up, want up"]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _gitlab_readiness,
    _gitlab_services,
    _host_command,
)

ARGUMENT_SPEC: dict[str, t.Any] = {"wait": {"type": "int", "default": 0}}


def asked(wait: int) -> dict[str, t.Any]:
    """The last answer, and where it is a bad one, which services do not run."""
    words = _gitlab_readiness.wait(wait)
    return {"ready": not words, "message": words, "not_running": _down() if words else []}


def _down() -> list[str]:
    try:
        return _gitlab_services.not_running(_gitlab_services.services(_host_command.run))
    except OSError as exc:
        return [str(exc)]


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.exit_json(changed=False, **asked(module.params["wait"]))


if __name__ == "__main__":
    main()
