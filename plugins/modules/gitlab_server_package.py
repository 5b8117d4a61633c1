#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_server_package; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_server_package
short_description: Install GitLab by its package
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Installs C(gitlab-ce) by dnf where it is not installed. C(gitlab.rb) must be in place, because the package
    configures the server itself.
  - The transaction runs as a systemd unit of its own and goes on when the controller dies; the next run waits for it.
  - dnf reports success although the package's own reconfigure failed, so this judges by what reconfigure said, by the
    files that it leaves, and by GitLab being ready.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.gitlab_server.waiting
options:
  package:
    description: What dnf is asked for.
    type: str
    default: gitlab-ce
  initial_root_password:
    description:
      - The first password of GitLab's user C(root), 8 characters or more. It goes into the environment of the package's
        scripts, and is not written to C(gitlab.rb).
      - Without it GitLab makes one up and writes it to C(/etc/gitlab/initial_root_password), which it removes after a
        day.
    type: str
    default: ''
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Install GitLab
  fleetwright.gitlab_aws.gitlab_server_package:
    package: gitlab-ce-18.2.8-*
"""

RETURN = r"""
version:
  description: The installed version; unset where there is none (in check mode).
  returned: success
  type: str
  sample: 18.2.8
first_password_file:
  description: The file on the host that holds the first password of GitLab's user C(root), for a day.
  returned: when this made the server, or made it whole, and no password was given
  type: str
  sample: /etc/gitlab/initial_root_password
"""
