#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's half of gitlab_runner_config and gitlab_runner_registration."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_config_write
short_description: Write a planned config.toml on the host
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Writes C(config.toml) in one step, and only if it is still the file that the plan was made from.
  - This is what M(fleetwright.gitlab_aws.gitlab_runner_config) and M(fleetwright.gitlab_aws.gitlab_runner_registration)
    leave on the host. It decides nothing; use those instead.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
options:
  path:
    description: The file, after following links.
    type: path
    required: true
  content:
    description: The whole new text.
    type: str
    required: true
  expect_sha256:
    description: Checksum of the file that the plan was made from; unset when there was none.
    type: str
  base:
    description:
      - The text that the plan was made from. Where it is given and the file was changed meanwhile, both changes are
        written if they are not near each other.
    type: str
  backup_count:
    description: How many copies of earlier files are kept beside it, mode 0600; V(0) keeps none.
    type: int
    default: 3
  service:
    description: The service whose daemon loads the file at once (SIGHUP to its main process).
    type: str
    default: gitlab-runner
  allowed_unknown_keys:
    description:
      - Keys that C(gitlab-runner lint) may call unknown, because the file had them before or the user allows them.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: What the action plugins send to the host
  fleetwright.gitlab_aws.gitlab_runner_config_write:
    path: /etc/gitlab-runner/config.toml
    content: "concurrent = 4\n"
    expect_sha256: 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
"""

RETURN = r"""
conflict:
  description: Whether the file was changed by someone else meanwhile; then it stands as they left it.
  returned: success
  type: bool
  sample: false
merged:
  description: Whether somebody else's change was kept beside the planned one.
  returned: success
  type: bool
  sample: false
overwritten:
  description: Whether the new text was gone again after the daemon loaded it.
  returned: success
  type: bool
  sample: false
reloaded:
  description: Whether a running daemon was told to load the file.
  returned: success
  type: bool
  sample: true
backup_file:
  description: The copy of the earlier file.
  returned: when one was made
  type: str
  sample: /etc/gitlab-runner/config.toml.1795504158000000000.bak
"""

import dataclasses
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _atomic_file, _runner_host, _text_merge

# The daemon loads within milliseconds of a SIGHUP; a rotation of its own would overwrite the file right after.
# So would anyone who had read the old file just before.
SETTLE_SECONDS = 0.05
MERGE_TRIES = 20

ARGUMENT_SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "content": {"type": "str", "required": True, "no_log": True},
    "expect_sha256": {"type": "str"},
    "base": {"type": "str", "no_log": True},
    "backup_count": {"type": "int", "default": 3},
    "service": {"type": "str", "default": "gitlab-runner"},
    # names of keys, no secrets
    "allowed_unknown_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
}


def lint(run: _runner_host.Run, allowed: t.Collection[str]) -> t.Callable[[str], None]:
    """A check of the temporary file; raises ValueError with what is wrong with it."""

    def check(temp: str) -> None:
        found = [key for key in _runner_host.unknown_keys(run, temp) or [] if key not in allowed]
        if found:
            raise ValueError(f"unknown keys {', '.join(found)}")

    return check


def write(run: _runner_host.Run, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Replace the file and make the daemon load it; a conflict is an answer, not an error."""
    planned = params["content"].encode()
    wanted = _atomic_file.Replacement(params["path"], planned, params["expect_sha256"], params["backup_count"])
    check: t.Callable[[str], None] | None = lint(run, params["allowed_unknown_keys"])
    for _try in range(MERGE_TRIES):
        try:
            backup = _atomic_file.replace(wanted, check)
            break
        except _atomic_file.Conflict as conflict:
            both = merge(params, conflict.content)
            if both is None:
                return _result(changed=False, conflict=True)
            wanted = dataclasses.replace(wanted, content=both, expect_sha256=_atomic_file.sha256(conflict.content))
            check = None  # the planned text was checked, and a look at this one would take longer than others need
    else:
        return _result(changed=False, conflict=True)
    reloaded = _runner_host.reload(run, params["service"])
    time.sleep(SETTLE_SECONDS)
    overwritten = _atomic_file.read(params["path"]) != wanted.content
    result = _result(merged=wanted.content != planned, overwritten=overwritten, reloaded=reloaded)
    return {**result, "backup_file": backup} if backup else result


def merge(params: t.Mapping[str, t.Any], theirs: bytes | None) -> bytes | None:
    """The planned change in somebody else's newer text; None where that can't be told."""
    if params.get("base") is None or theirs is None:
        return None
    both = _text_merge.merged(params["base"], params["content"], theirs.decode("utf-8", "surrogateescape"))
    return None if both is None else both.encode("utf-8", "surrogateescape")


def _result(**known: bool) -> dict[str, t.Any]:
    return {"changed": True, "conflict": False, "merged": False, "overwritten": False, "reloaded": False, **known}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    path = module.params["path"]
    if module.check_mode:
        module.exit_json(**_result())
    try:
        _runner_host.forget_steering()
        module.exit_json(**write(_runner_host.runner(module.run_command), module.params))
    except ValueError as exc:
        module.fail_json(
            msg=f"Could not write {path}: gitlab-runner lint refuses the new text: {exc}. Nothing was changed. "
            "Correct the declaration, or allow the keys with allow_unknown_keys."
        )
    except OSError as exc:
        module.fail_json(
            msg=f"Could not write {path}: {exc.strerror or exc}. The file is as it was. "
            "Check space, permissions and mount options of its directory, and become: true."
        )


if __name__ == "__main__":
    main()
