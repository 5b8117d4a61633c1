# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the roles and playbooks of this collection."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _managed_files, _status


def gitlab_runner_status_table(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Results of gitlab_runner_info by host, as the lines of one table."""
    return _status.table([_status.summary(host, info) for host, info in hosts.items()])


def gitlab_runner_proxy_unit(settings: t.Mapping[str, str], service: str) -> str:
    """Proxy settings as the text of a unit's drop-in; empty where there is nothing to say."""
    managed = _managed_files.proxy(service, settings)
    return managed.content if managed else ""


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "gitlab_runner_proxy_unit": gitlab_runner_proxy_unit,
            "gitlab_runner_status_table": gitlab_runner_status_table,
        }
