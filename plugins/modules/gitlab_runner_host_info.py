#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's half of gitlab_runner_info."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_host_info
short_description: What the gitlab-runner service of a host is doing
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Reads version, service, process and running jobs on the host, and lets the program verify its tokens.
  - This is what M(fleetwright.gitlab_aws.gitlab_runner_info) runs on the host; that one knows the entries' names too.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.runner_host
options:
  verify:
    description: Whether the program asks GitLab about each token.
    type: bool
    default: true
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: What the action plugin runs on the host
  fleetwright.gitlab_aws.gitlab_runner_host_info:
    verify: false
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
jobs:
  description: The running jobs; unset where the daemon has no metrics server (C(listen_address)) or does not run.
  returned: success
  type: list
  elements: dict
  sample: [{url: "https://gitlab.example.com/p/-/jobs/1", state: running, stage: step_script, duration: 1.0s}]
verified:
  description: >-
    What the program found for each entry that it asked about, in the order of the file: C(runner) is the short token
    as its log shows it, C(verified) is V(valid), V(refused), V(unreachable), or V(unknown) for words that are new.
  returned: success
  type: list
  elements: dict
  sample: [{runner: ok0000000, verified: valid}]
"""

import dataclasses
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _runner_host, _runner_process

ARGUMENT_SPEC: dict[str, t.Any] = {
    "config_path": {"type": "path", "default": "/etc/gitlab-runner/config.toml"},
    "service": {"type": "str", "default": "gitlab-runner"},
    "verify": {"type": "bool", "default": True},
}


def info(run: _runner_host.Run, params: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """One look at everything; nothing is changed."""
    state = _runner_host.service_state(run, params["service"])
    version = _runner_host.version(run)
    return {
        "version": version,
        "service": {**dataclasses.asdict(state), "word": state.word},
        "jobs": _runner_process.running_jobs(state.main_pid) if state.main_pid else None,
        "verified": _runner_host.verified(run, params["config_path"]) if version and params["verify"] else [],
    }


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    _runner_host.forget_steering()
    module.exit_json(changed=False, **info(_runner_host.runner(module.run_command), module.params))


if __name__ == "__main__":
    main()
