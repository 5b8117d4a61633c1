# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd unit of a runner service: what can't work, and how one that is missing is installed. Pure functions."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import DEFAULT_CONFIG_PATH, Service

# The package installs this one itself, and starts it, at every install and upgrade (runner facts 3.4).
OWN = "gitlab-runner"
PACKAGE_USER = "gitlab-runner"
PASSWD = "/etc/passwd"
_NAME = re.compile(r"[A-Za-z0-9:_.@-]+")


def problems(unit: Service, service: str, config_path: str, *, started: bool) -> t.Iterator[str]:
    """What stands against this service with this configuration."""
    if not _NAME.fullmatch(service) or service.endswith(".service"):
        yield f"gitlab_runner_service is {service!r}; give the unit's name without .service."
    if service != OWN and config_path == DEFAULT_CONFIG_PATH:
        yield (
            f"gitlab_runner_service {service} needs a gitlab_runner_config_path of its own: {config_path} is read by "
            f"the package's service {OWN}, and two daemons on one file overwrite each other's tokens."
        )
    read = unit.config_path or (DEFAULT_CONFIG_PATH if service == OWN else config_path)
    if read != config_path:
        remedy = (
            "Give that path, or a gitlab_runner_service of another name, which then gets a unit of its own."
            if service == OWN
            else f"Give that path, or remove the service first: systemctl stop {service} && gitlab-runner uninstall "
            f"--service {service}."
        )
        yield f"The service {service} reads {read}, but gitlab_runner_config_path is {config_path}. {remedy}"
    if unit.load_state == "masked" and started:
        yield (
            f"The service {service} is masked. Run systemctl unmask {service} on the host, or set "
            "gitlab_runner_service_started and gitlab_runner_service_enabled to false."
        )


def home(passwd: str, user: str) -> str | None:
    """A user's home directory by the lines of /etc/passwd."""
    for line in passwd.splitlines():
        fields = line.split(":")
        if fields[0] == user and len(fields) > 5:
            return fields[5]
    return None


def install_arguments(service: str, config_path: str, user: str, directory: str) -> tuple[str, ...]:
    """The command that writes the unit; shell jobs run as user, the daemon as root (runner facts 3.2)."""
    options = {"--service": service, "--config": config_path, "--user": user, "--working-directory": directory}
    return ("gitlab-runner", "install", *(word for option in options.items() for word in option))
