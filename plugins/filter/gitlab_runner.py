# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for the roles and playbooks of this collection."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _batches,
    _dnf_words,
    _identity,
    _managed_files,
    _status,
)


def gitlab_runner_status_table(hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[str]:
    """Results of gitlab_runner_info by host, as the lines of one table."""
    return _status.table([_status.summary(host, info) for host, info in hosts.items()])


def gitlab_runner_proxy_unit(settings: t.Mapping[str, str], service: str) -> str:
    """Proxy settings as the text of a unit's drop-in; empty where there is nothing to say."""
    managed = _managed_files.proxy(service, settings)
    return managed.content if managed else ""


def gitlab_runner_copies(identities: t.Mapping[str, str]) -> list[list[str]]:
    """Hosts of one identity, in groups."""
    return _identity.copies(identities)


def gitlab_runner_docker_users(
    runners: t.Sequence[t.Mapping[str, t.Any]], defaults: t.Mapping[str, t.Any]
) -> list[str]:
    """Names of the runners whose jobs need the host's own Docker; docker.host names another endpoint."""
    merged = ({**defaults, **runner} for runner in runners)
    return [
        str(runner.get("name"))
        for runner in merged
        if runner.get("executor") == "docker"
        and runner.get("state") != "absent"
        and not (runner.get("docker") or {}).get("host")
    ]


def gitlab_runner_batches(said: t.Any) -> list[int | str]:
    """How many hosts may be away at a time, in any spelling, as a play's serial."""
    try:
        return _batches.batches(said)
    except ValueError as exc:
        raise AnsibleFilterError(str(exc)) from None


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "gitlab_dnf_remedy": _dnf_words.remedy,
            "gitlab_runner_batches": gitlab_runner_batches,
            "gitlab_runner_copies": gitlab_runner_copies,
            "gitlab_runner_docker_users": gitlab_runner_docker_users,
            "gitlab_runner_proxy_unit": gitlab_runner_proxy_unit,
            "gitlab_runner_status_of": _status.of_host,
            "gitlab_runner_status_table": gitlab_runner_status_table,
        }
