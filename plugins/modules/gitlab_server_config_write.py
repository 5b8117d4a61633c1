#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's half of gitlab_server_config."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_server_config_write
short_description: Write a planned gitlab.rb on the host
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Writes C(/etc/gitlab/gitlab.rb) in one step, and only if it is still the file that the plan was made from.
  - This is what M(fleetwright.gitlab_aws.gitlab_server_config) leaves on the host. It decides nothing; use that one.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  content:
    description: The whole new text.
    type: str
    required: true
  expect_sha256:
    description: Checksum of the file that the plan was made from; unset when there was none.
    type: str
  backup_count:
    description: How many copies of earlier files are kept beside it, mode 0600; V(0) keeps none.
    type: int
    default: 3
  reconfigure:
    description: Whether a reconfigure must follow; it is noted on the host before the file changes.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: What the action plugin sends to the host
  fleetwright.gitlab_aws.gitlab_server_config_write:
    content: "external_url \"https://gitlab.corp.test\"\n"
"""

RETURN = r"""
conflict:
  description: Whether the file was changed by someone else meanwhile; then it stands as they left it.
  returned: success
  type: bool
  sample: false
backup_file:
  description: The copy of the earlier file.
  returned: when one was made
  type: str
  sample: /etc/gitlab/gitlab.rb.1795504158000000000.bak
"""

import pathlib
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _atomic_file

# As plugin_utils/_server_plan.py names them.
CONFIG = "/etc/gitlab/gitlab.rb"
PENDING = "/var/lib/fleetwright/gitlab_server/reconfigure-pending"

ARGUMENT_SPEC: dict[str, t.Any] = {
    "content": {"type": "str", "required": True, "no_log": True},
    "expect_sha256": {"type": "str"},
    "backup_count": {"type": "int", "default": 3},
    "reconfigure": {"type": "bool", "default": True},
}


def write(path: str, pending: str, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Note what must follow, then replace the file; a conflict is an answer, not an error."""
    mark = pathlib.Path(pending)
    if params["reconfigure"]:
        mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch(mode=0o600)
    wanted = _atomic_file.Replacement(
        path, params["content"].encode(), params["expect_sha256"], params["backup_count"]
    )  # fmt: skip
    pathlib.Path(path).parent.mkdir(mode=0o755, parents=True, exist_ok=True)  # as the package makes it
    try:
        backup = _atomic_file.replace(wanted)
    except _atomic_file.Conflict:
        return {"changed": False, "conflict": True}
    return {"changed": True, "conflict": False, **({"backup_file": backup} if backup else {})}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if module.check_mode:
        module.exit_json(changed=True, conflict=False)
    try:
        module.exit_json(**write(CONFIG, PENDING, module.params))
    except OSError as exc:
        module.fail_json(
            msg=f"Could not write {CONFIG}: {exc.strerror or exc}. The file is as it was. "
            "Check space, permissions and mount options of its directory, and become: true."
        )


if __name__ == "__main__":
    main()
