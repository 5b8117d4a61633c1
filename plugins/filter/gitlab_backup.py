# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters around backups."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _backup_status, _status


def gitlab_backup_status_table(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Results of gitlab_backup_info by host, as the lines of one table."""
    return _status.table([_backup_status.summary(host, info) for host, info in hosts.items()])


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"gitlab_backup_status_table": gitlab_backup_status_table}
