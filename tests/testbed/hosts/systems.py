# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systems that the image can present itself as: what a host says about itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from testbed.errors import TestbedError
from testbed.packages.spec import BASE_NAME

CHOICE = "TESTBED_OS"
DEFAULT = "al2023"


@dataclasses.dataclass(frozen=True)
class System:
    """Files that facts are read from."""

    name: str
    releasever: str
    os_release: Mapping[str, str]
    release_line: str
    release_files: tuple[str, ...]


SYSTEMS = {
    "al2023": System(
        name="al2023",
        releasever="2023",
        os_release={
            "NAME": "Amazon Linux",
            "VERSION": "2023",
            "ID": "amzn",
            "ID_LIKE": "fedora",
            "VERSION_ID": "2023",
            "PLATFORM_ID": "platform:al2023",
            "PRETTY_NAME": "Amazon Linux 2023 (testbed)",
        },
        release_line="Amazon Linux release 2023 (Amazon Linux)",
        release_files=("etc/system-release", "etc/amazon-linux-release"),
    ),
    "el9": System(
        name="el9",
        releasever="9",
        os_release={
            "NAME": "AlmaLinux",
            "VERSION": "9.6 (Sage Margay)",
            "ID": "almalinux",
            "ID_LIKE": "rhel centos fedora",
            "VERSION_ID": "9.6",
            "PLATFORM_ID": "platform:el9",
            "PRETTY_NAME": "AlmaLinux 9.6 (testbed)",
        },
        release_line="AlmaLinux release 9.6 (Sage Margay)",
        release_files=("etc/almalinux-release", "etc/redhat-release", "etc/system-release"),
    ),
}


def choose(env: Mapping[str, str]) -> System:
    """Return the system that the environment asks for."""
    name = env.get(CHOICE) or DEFAULT
    if name not in SYSTEMS:
        raise TestbedError(f"{CHOICE}={name} is not known: choose one of {', '.join(sorted(SYSTEMS))}.")
    return SYSTEMS[name]


def files(system: System) -> dict[str, str]:
    """Return the files that make a Debian userland present itself as this system."""
    found = {
        "usr/lib/os-release": "".join(f'{key}="{value}"\n' for key, value in system.os_release.items()),
        "etc/dnf/vars/releasever": f"{system.releasever}\n",
        "etc/dnf/dnf.conf": (
            "[main]\ngpgcheck=1\ninstallonly_limit=3\nclean_requirements_on_remove=True\nbest=True\n"
            "skip_if_unavailable=False\n"
        ),
        # Plugins that Debian's dnf-plugins-core brings and the systems shown here do not have by default.
        "etc/dnf/plugins/local.conf": "[main]\nenabled = 0\n",
        "etc/dnf/plugins/show-leaves.conf": "[main]\nenabled = 0\n",
        "etc/dnf/protected.d/testbed.conf": f"{BASE_NAME}\n",
        # Debian's rpm keeps its database in root's home, where only root sees it.
        "etc/rpm/macros": "%_dbpath /var/lib/rpm\n",
        "etc/locale.conf": "LANG=C.UTF-8\n",
        "etc/default/locale": "LANG=C.UTF-8\n",
        "etc/machine-id": "",  # each host makes its own at its first start
    }
    found.update(dict.fromkeys(system.release_files, f"{system.release_line}\n"))
    return found
