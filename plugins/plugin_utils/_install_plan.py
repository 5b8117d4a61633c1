# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what installing GitLab Runner takes: pure functions from what one read of the host brought."""

from __future__ import annotations

import configparser
import dataclasses
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _managed_files
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._managed_files import ManagedFile

PROGRAM = "gitlab-runner"
HELPER = "gitlab-runner-helper-images"
# From this version on the helper images are a package of their own, of exactly the same version (runner facts 9).
HELPER_SINCE = (17, 7, 1)
REPOSITORY = "runner_gitlab-runner"
REPOSITORY_FILE = f"/etc/yum.repos.d/{REPOSITORY}.repo"
BASEURL = "https://packages.gitlab.com/runner/gitlab-runner"
EL = ("rhel", "centos", "rocky", "almalinux", "ol")
EL_VERSIONS = ("9", "10")
TOO_OLD = "its own Python is older than 3.9, which this collection and current ansible-core need there"
PIN = re.compile(r"\d+(\.\d+(\.\d+)?)?")


class InstallError(Exception):
    """The host or the declaration can't work; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is declared. version is exact (18.0.3), a pin (18.0 or 18) or empty for the newest.

    stop_timeout is in seconds; ca_certificates is PEM text by host name.
    """

    version: str
    baseurl: str
    gpgkeys: tuple[str, ...]
    service: str
    version_lock: bool
    stop_timeout: int
    check_os: bool
    enabled: bool
    started: bool
    proxy: t.Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    ca_certificates: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def files(self) -> list[ManagedFile]:
        """Every file that the role owns on this host."""
        faults = list(_managed_files.problems(self.proxy))
        if faults:
            raise InstallError(" ".join(faults))
        proxy = _managed_files.proxy(self.service, self.proxy)
        try:
            authorities = _managed_files.authorities(self.ca_certificates)
        except ValueError as exc:
            raise InstallError(str(exc)) from exc
        return [_managed_files.drain(self.service, self.stop_timeout), *([proxy] if proxy else []), *authorities]

    def paths(self) -> list[str]:
        """What a read must bring for a plan."""
        owned = [managed.path for managed in self.files()]
        return [REPOSITORY_FILE, *dict.fromkeys([*owned, _managed_files.proxy_path(self.service)])]


@dataclasses.dataclass(frozen=True)
class InstallPlan:
    """Which steps are needed; everything false and empty means that the host is as declared."""

    installed_version: str | None
    baseurl: str
    repository: bool
    files: tuple[ManagedFile, ...]
    remove: tuple[str, ...]
    packages: tuple[str, ...]
    unlock: tuple[str, ...]
    lock: tuple[str, ...]
    service: bool
    daemon_reload: bool
    restart: bool

    @property
    def changed(self) -> bool:
        return any((self.repository, self.files, self.remove, self.packages, self.unlock, self.lock, self.service))


def plan(state: HostState, wanted: Wanted) -> InstallPlan:
    """Compare the host with the declaration.

    Raises InstallError where the operating system is not supported or the version is no version.
    """
    if wanted.check_os:
        _check_os(state.os_release)
    if wanted.version and not PIN.fullmatch(wanted.version):
        raise InstallError(
            f"gitlab_runner_version is {wanted.version!r}; give a version (18.0.3), a line to stay in (18.0 or 18), "
            "or nothing for the newest."
        )
    baseurl = wanted.baseurl or default_baseurl(state.os_release)
    packages = () if _fits(state, wanted.version) else package_specs(wanted.version)
    files = tuple(managed for managed in wanted.files() if state.files.get(managed.path) != managed.content)
    remove = tuple(path for path in _given_up(wanted) if path in state.files)
    reads_at_start = any(managed.restart for managed in files) or bool(remove)
    return InstallPlan(
        installed_version=_version(state.packages.get(PROGRAM)),
        baseurl=baseurl,
        repository=not _repository_matches(state.files.get(REPOSITORY_FILE), baseurl, wanted.gpgkeys),
        files=files,
        remove=remove,
        packages=packages,
        unlock=_superfluous_locks(state, wanted, installing=bool(packages)),
        lock=() if packages or not wanted.version_lock else _missing_locks(state),
        # a run killed between writing a drop-in and loading it leaves only systemd's own word for it
        service=bool(packages) or state.service.need_daemon_reload or _service_differs(state, wanted),
        daemon_reload=state.service.need_daemon_reload,
        restart=reads_at_start and state.service.active_state == "active",
    )


def _given_up(wanted: Wanted) -> list[str]:
    """Files that the role wrote for a declaration that no longer holds."""
    owned = {managed.path for managed in wanted.files()}
    return [path for path in (_managed_files.proxy_path(wanted.service),) if path not in owned]


def default_baseurl(os_release: t.Mapping[str, str]) -> str:
    """GitLab's own repository for this operating system; dnf fills in $basearch."""
    major = os_release.get("VERSION_ID", "").partition(".")[0]
    folder = "amazon" if os_release.get("ID") == "amzn" else "el"
    return f"{BASEURL}/{folder}/{major}/$basearch"


def package_specs(version: str) -> tuple[str, ...]:
    """What dnf is asked for: an exact version names the helper too, so that a downgrade takes it along."""
    if not version:
        return (PROGRAM,)
    if version.count(".") < 2:
        return (f"{PROGRAM}-{version}.*",)
    names = (PROGRAM, HELPER) if numbers(version) >= HELPER_SINCE else (PROGRAM,)
    return tuple(f"{name}-{version}-1" for name in names)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _version(package: str | None) -> str | None:
    return package.partition("-")[0] if package else None


def _fits(state: HostState, version: str) -> bool:
    installed = _version(state.packages.get(PROGRAM))
    if installed is None:
        return False
    helper = _version(state.packages.get(HELPER))
    if numbers(installed) >= HELPER_SINCE and helper != installed:
        return False
    return not version or installed == version or installed.startswith(f"{version}.")


def _check_os(os_release: t.Mapping[str, str]) -> None:
    name, major = os_release.get("ID", ""), os_release.get("VERSION_ID", "").partition(".")[0]
    pretty = os_release.get("PRETTY_NAME") or name or "this operating system"
    if (name in EL and major in EL_VERSIONS) or (name, major) == ("amzn", "2023"):
        return
    old = (name in EL and major in ("6", "7", "8")) or (name, major) == ("amzn", "2")
    reason = f": {TOO_OLD}" if old else ""
    raise InstallError(
        f"{pretty} is not supported{reason}. Use EL 9, EL 10 or Amazon Linux 2023, "
        "or set gitlab_runner_check_os to false to try it all the same."
    )


def _repository_matches(text: str | None, baseurl: str, gpgkeys: t.Sequence[str]) -> bool:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text or "")
    except configparser.Error:
        return False
    if not parser.has_section(REPOSITORY):
        return False
    section = parser[REPOSITORY]
    wanted = {
        "baseurl": [baseurl],
        "gpgkey": list(gpgkeys),
        "gpgcheck": ["1"],
        "repo_gpgcheck": ["1"],
        "enabled": ["1"],
    }
    return all(section.get(name, "").split() == values for name, values in wanted.items())


def _locks_for(state: HostState) -> set[str]:
    """What a lock of the installed packages looks like in dnf's list (epoch 0, any architecture)."""
    return {f"{name}-0:{package}.*" for name, package in state.packages.items() if name in (PROGRAM, HELPER)}


def _present_locks(state: HostState) -> set[str]:
    return {line for line in state.locks if line.startswith((f"{PROGRAM}-0:", f"{HELPER}-0:"))}


def _superfluous_locks(state: HostState, wanted: Wanted, *, installing: bool) -> tuple[str, ...]:
    """Locks that would hold dnf back, or that hold a version which is not there."""
    present = _present_locks(state)
    kept = set() if installing or not wanted.version_lock else _locks_for(state)
    return tuple(sorted(present - kept))


def _missing_locks(state: HostState) -> tuple[str, ...]:
    return tuple(sorted(_locks_for(state) - _present_locks(state)))


def _service_differs(state: HostState, wanted: Wanted) -> bool:
    service = state.service
    if wanted.enabled != (service.unit_file_state == "enabled"):
        return True
    return wanted.started != (service.active_state in ("active", "activating", "reloading"))
