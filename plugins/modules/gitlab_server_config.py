#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of gitlab_server_config; the work is done by the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_server_config
short_description: Write gitlab.rb as a whole
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Writes C(/etc/gitlab/gitlab.rb) from typed settings, mode 0600, in one step, and only if it is still the file that
    was read.
  - The new text is checked first, by a table of the settings that GitLab has removed and by the package's own Ruby
    where it is installed.
  - Does not reconfigure GitLab; M(fleetwright.gitlab_aws.gitlab_server_reconfigure) knows that it is due, also after
    a run that was killed.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - fleetwright.gitlab_aws.gitlab_server
options:
  backup_count:
    description: How many copies of earlier files are kept beside it, mode 0600; V(0) keeps none.
    type: int
    default: 3
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Configure GitLab
  fleetwright.gitlab_aws.gitlab_server_config:
    external_url: https://gitlab.corp.test
    config:
      gitlab_rails:
        time_zone: Europe/Berlin
      letsencrypt:
        enable: false
"""

RETURN = r"""
backup_file:
  description: The copy of the earlier file.
  returned: when one was made
  type: str
  sample: /etc/gitlab/gitlab.rb.1795504158000000000.bak
"""
