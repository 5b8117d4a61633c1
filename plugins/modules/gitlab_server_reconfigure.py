#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_server_reconfigure; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_server_reconfigure
short_description: Run gitlab-ctl reconfigure where one is due
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Reconfigures GitLab when C(gitlab.rb) was written since the last good reconfigure, or when the last one failed;
    then waits until GitLab is ready, and says what it waits for.
  - Runs as a systemd unit of its own and goes on when the controller dies; the next run waits for it.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.gitlab_server.waiting
options:
  force:
    description: Whether to reconfigure in any case.
    type: bool
    default: false
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Let GitLab take up its configuration
  fleetwright.gitlab_aws.gitlab_server_reconfigure:
"""

RETURN = r"""
first_password_file:
  description: The file on the host that holds the first password of GitLab's user C(root), for a day.
  returned: when this made the server, or made it whole, and no password was given
  type: str
  sample: /etc/gitlab/initial_root_password
"""
