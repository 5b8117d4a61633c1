# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab's package repositories in dnf's own files: pure functions."""

from __future__ import annotations

import configparser
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _host_os

METADATA_EXPIRE = 300  # seconds, as in GitLab's own file: a version that has just been published is found


def folder(os_release: t.Mapping[str, str]) -> str:
    """The part of the repositories' addresses that names the operating system; dnf fills in $basearch."""
    return f"{'amazon' if os_release.get('ID') == 'amzn' else 'el'}/{_host_os.major(os_release)}/$basearch"


def matches(text: str | None, name: str, baseurl: str, gpgkeys: t.Sequence[str]) -> bool:
    """Whether a .repo file says just this, with both signature checks."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text or "")
    except configparser.Error:
        return False
    if not parser.has_section(name):
        return False
    section = parser[name]
    wanted = {
        "baseurl": [baseurl],
        "gpgkey": list(gpgkeys),
        "gpgcheck": ["1"],
        "repo_gpgcheck": ["1"],
        "enabled": ["1"],
        "metadata_expire": [str(METADATA_EXPIRE)],
    }
    return all(section.get(key, "").split() == values for key, values in wanted.items())
