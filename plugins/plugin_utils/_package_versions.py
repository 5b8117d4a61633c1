# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of GitLab Runner's packages: what dnf is asked for, what fits, and which locks hold it. Pure functions."""

from __future__ import annotations

import re

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState

PROGRAM = "gitlab-runner"
HELPER = "gitlab-runner-helper-images"
# From this version on the helper images are a package of their own, of exactly the same version (runner facts 9).
HELPER_SINCE = (17, 7, 1)
PIN = re.compile(r"\d+(\.\d+(\.\d+)?)?")


def package_specs(version: str) -> tuple[str, ...]:
    """What dnf is asked for: a version or a line names the helper too, so that a downgrade takes it along."""
    if not version:
        return (PROGRAM,)
    split = HELPER_SINCE[: version.count(".") + 1]  # the newest of a line has the helper, if any of the line has
    names = (PROGRAM, HELPER) if numbers(version) >= split else (PROGRAM,)
    return tuple(f"{name}-{version}-1" if version.count(".") == 2 else f"{name}-{version}.*" for name in names)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def installed_version(package: str | None) -> str | None:
    return package.partition("-")[0] if package else None


def fits(state: HostState, version: str) -> bool:
    installed = installed_version(state.packages.get(PROGRAM))
    if installed is None:
        return False
    helper = installed_version(state.packages.get(HELPER))
    if numbers(installed) >= HELPER_SINCE and helper != installed:
        return False
    return not version or installed == version or installed.startswith(f"{version}.")


def _locks_for(state: HostState) -> set[str]:
    """What a lock of the installed packages looks like in dnf's list (epoch 0, any architecture)."""
    return {f"{name}-0:{package}.*" for name, package in state.packages.items() if name in (PROGRAM, HELPER)}


def _present_locks(state: HostState) -> set[str]:
    return {line for line in state.locks if line.startswith((f"{PROGRAM}-0:", f"{HELPER}-0:"))}


def superfluous_locks(state: HostState, *, locking: bool, installing: bool) -> tuple[str, ...]:
    """Locks that would hold dnf back, or that hold a version which is not there."""
    present = _present_locks(state)
    kept = set() if installing or not locking else _locks_for(state)
    return tuple(sorted(present - kept))


def missing_locks(state: HostState) -> tuple[str, ...]:
    return tuple(sorted(_locks_for(state) - _present_locks(state)))
