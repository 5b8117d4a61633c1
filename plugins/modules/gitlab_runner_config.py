#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_runner_config; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_runner_config
short_description: Bring the config.toml of GitLab Runner to what is declared
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Plans C(config.toml) on the controller from the file that the host has, and writes it once, in one step, and only if
    it is still the file that was read.
  - Only what is declared changes. Comments, order, blank lines, unknown keys and undeclared entries stay.
  - What the runner itself writes (C(id), C(token), C(token_obtained_at), C(token_expires_at)) is kept as it is on disk.
  - A running daemon is made to load the file at once (SIGHUP). Keys that only a new process takes up are reported in
    RV(restart_keys); the module restarts nothing, because that can cost jobs.
  - Where the installed version has C(gitlab-runner lint) (19.3 and newer), it checks the new text first.
notes:
  - The host needs Python 3.9 or newer and systemd. The daemon loads what it reads, so run this with C(become).
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.runner_entries
options:
  path:
    description: The file.
    type: path
    default: /etc/gitlab-runner/config.toml
  service:
    description: The systemd service whose daemon reads the file.
    type: str
    default: gitlab-runner
  settings:
    description:
      - Keys of the global section and its tables, under the names that C(config.toml) uses, for example C(concurrent),
        C(check_interval), C(listen_address), C(session_server).
      - A key that is V(null) is removed.
    type: dict
    default: {}
  runners:
    description:
      - Declared entries. Each is a table of C([[runners]]) keys with a C(name), by which it is found again.
      - Fields of the runner in GitLab (C(tag_list), C(paused) and so on) may stand in the same entry and are left to
        M(fleetwright.gitlab_aws.gitlab_runner_registration).
      - An entry that is not in the file yet needs a C(token).
      - An entry with C(state=absent) is removed.
    type: list
    elements: dict
    default: []
  url:
    description: The C(url) of entries that name none.
    type: str
  purge:
    description: Whether entries that are not declared are removed from the file. They stay registered in GitLab.
    type: bool
    default: false
  on_renamed_entry:
    description:
      - What becomes of an entry that someone renamed by hand; it is known by the token that is declared for it.
      - V(rename) gives it its declared name back, and says so in RV(changes).
      - V(fail) changes nothing and names both.
    type: str
    choices: [rename, fail]
    default: rename
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
seealso:
  - module: fleetwright.gitlab_aws.gitlab_runner_registration
  - module: fleetwright.gitlab_aws.gitlab_runner_config_info
"""

EXAMPLES = r"""
- name: Run up to eight jobs, four of them with docker
  fleetwright.gitlab_aws.gitlab_runner_config:
    url: https://gitlab.example.com
    settings:
      concurrent: 8
      listen_address: 127.0.0.1:9252
    runners:
      - name: build-docker
        executor: docker
        limit: 4
        docker:
          image: alpine:3.20
          privileged: false
  become: true

- name: Forget an entry that was registered by hand
  fleetwright.gitlab_aws.gitlab_runner_config:
    runners:
      - name: old-builder
        state: absent
  become: true
"""

RETURN = r"""
path:
  description: The file, after following links.
  returned: success
  type: str
  sample: /etc/gitlab-runner/config.toml
changes:
  description: What changed (in check mode what would), by key; never a value.
  returned: success
  type: list
  elements: str
  sample: [concurrent, "runners[build-docker].docker.image", "runners[mine] renamed to build", "runners[old] removed"]
restart_required:
  description: >-
    Whether a key that was changed, now or by an earlier run whose restart is still due, needs a new process.
  returned: success
  type: bool
  sample: false
restart_keys:
  description: Those keys.
  returned: success
  type: list
  elements: str
  sample: [listen_address]
reloaded:
  description: Whether a running daemon was told to load the file.
  returned: when the file was written
  type: bool
  sample: true
backup_file:
  description: The copy of the earlier file.
  returned: when one was made
  type: str
  sample: /etc/gitlab-runner/config.toml.1795504158000000000.bak
"""
