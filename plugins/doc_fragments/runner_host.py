# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the modules that look at a service of GitLab Runner and its configuration."""

from __future__ import annotations


class ModuleDocFragment:
    """Which service, and which configuration it reads."""

    DOCUMENTATION = r"""
options:
  config_path:
    description: The configuration that the service reads; it names the runners and holds their tokens.
    type: path
    default: /etc/gitlab-runner/config.toml
  service:
    description: The systemd service.
    type: str
    default: gitlab-runner
"""
