# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what installing and configuring GitLab takes: pure functions from what one read of the host brought."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _gitlab_rb,
    _gitlab_rb_removed,
    _host_os,
    _repository,
    _server_version,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_version import PROGRAM, numbers

OTHER_EDITIONS = ("gitlab-ee", "gitlab-fips", "gitlab-jh")
SUPERVISOR = "gitlab-runsvdir"
CONFIG = "/etc/gitlab/gitlab.rb"
REPOSITORY = "gitlab_gitlab-ce"
REPOSITORY_FILE = f"/etc/yum.repos.d/{REPOSITORY}.repo"
BASEURL = "https://packages.gitlab.com/gitlab/gitlab-ce"
LOCK_PLUGIN = "/etc/dnf/plugins/versionlock.conf"
FOLDER = "/var/lib/fleetwright/gitlab_server"
# There from before a change that a reconfigure must follow until one has succeeded.
PENDING = f"{FOLDER}/reconfigure-pending"
# There from the same moment until GitLab was seen ready.
AWAITED = f"{FOLDER}/ready-pending"
# There while a package or a reconfigure is under way; a start of the host clears it away.
RUNNING = "/run/fleetwright-gitlab-server"
# Server facts 4.1 and 6: the first is there after the first good reconfigure, the second not after a broken one.
BOOTSTRAPPED = "/var/opt/gitlab/bootstrapped"
ATTRIBUTES = "/var/opt/gitlab/public_attributes.json"
# Written by the first reconfigure where no password was given, removed by one a day later (server facts 4.4).
FIRST_PASSWORD = "/etc/gitlab/initial_root_password"
RUBY = "/opt/gitlab/embedded/bin/ruby"
PASSWORD_LENGTH = 8  # GitLab's own minimum; a shorter one fails the first reconfigure


class InstallError(Exception):
    """The host or the declaration can't work; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is declared. version is exact (18.2.8 or 18.2.8-ce.0.el9), a line (18.2 or 18) or empty for the newest.

    keep_config leaves gitlab.rb as it lies on the host: a restore has put it there.
    """

    version: str
    baseurl: str
    gpgkeys: tuple[str, ...]
    former_gpgkeys: tuple[str, ...]
    version_lock: bool
    check_os: bool
    external_url: str
    config: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict, repr=False)
    config_extra: str = dataclasses.field(default="", repr=False)
    replace_config: bool = False
    initial_root_password: str = dataclasses.field(default="", repr=False)
    keep_config: bool = False

    @property
    def text(self) -> str:
        """gitlab.rb as it is to be. Raises InstallError."""
        try:
            return _gitlab_rb.render(self.external_url, self.config, self.config_extra)
        except _gitlab_rb.ConfigError as exc:
            raise InstallError(str(exc)) from exc

    @property
    def number(self) -> tuple[int, ...]:
        """The declared numbers; none for the newest."""
        return numbers(self.version)


@dataclasses.dataclass(frozen=True)
class ServerPlan:
    """Which steps are needed; everything false and empty means that the host is as declared.

    config: gitlab.rb is to be written; reconfigure: `gitlab-ctl reconfigure` is to run, other than by the package
    itself; ready: it is to be waited for, as an earlier run did not see it.
    """

    installed_version: str | None
    baseurl: str
    gpgkeys: tuple[str, ...]
    repository: bool
    packages: tuple[str, ...]
    unlock: tuple[str, ...]
    lock: tuple[str, ...]
    lock_plugin: bool
    config: bool
    supervisor: bool
    reconfigure: bool
    ready: bool

    @property
    def changed(self) -> bool:
        """Whether any step is needed."""
        told = ("installed_version", "baseurl", "gpgkeys")
        return any(value for name, value in vars(self).items() if name not in told)


def paths() -> tuple[str, ...]:
    """Files that a read must bring for a plan."""
    return (REPOSITORY_FILE, LOCK_PLUGIN)


def marks() -> tuple[str, ...]:
    """Files of which it must say whether they are there."""
    return (PENDING, AWAITED, RUNNING, BOOTSTRAPPED, ATTRIBUTES, FIRST_PASSWORD, RUBY)


def plan(state: HostState, wanted: Wanted) -> ServerPlan:
    """Compare the host with the declaration. Raises InstallError, with everything that is wrong, before any change."""
    faults = [
        fault
        for fault in (*_host_faults(state, wanted), *_server_version.faults(_there(state), wanted.version))
        if fault
    ]
    if faults:
        raise InstallError(" ".join(faults))
    differs = not wanted.keep_config and state.config.content != config_text(state, wanted).encode()
    installed = installed_version(state)
    keys = wanted.gpgkeys + (wanted.former_gpgkeys if _server_version.signed_by_former_key(wanted.number) else ())
    baseurl = wanted.baseurl or f"{BASEURL}/{_repository.folder(state.os_release)}"
    packages = () if installed else (_server_version.package_spec(wanted.version),)
    return ServerPlan(
        installed_version=installed,
        baseurl=baseurl,
        gpgkeys=keys,
        repository=not _repository.matches(state.files.get(REPOSITORY_FILE), REPOSITORY, baseurl, keys),
        packages=packages,
        unlock=_superfluous_locks(state, wanted),
        lock=_missing_locks(state) if installed and wanted.version_lock else (),
        lock_plugin=wanted.version_lock and LOCK_PLUGIN not in state.files,
        config=not wanted.keep_config and (differs or not private(state)),
        supervisor=_supervisor_differs(state),
        reconfigure=bool(installed) and (differs or not configured(state)),
        ready=bool(installed) and AWAITED in state.written,
    )


def config_text(state: HostState, wanted: Wanted) -> str:
    """gitlab.rb as it is to be here. Raises InstallError where it could not work, or would undo what others wrote."""
    text = wanted.text
    removed = _gitlab_rb_removed.found(text, _goal(state, wanted))
    if removed:
        raise InstallError(_gitlab_rb_removed.message(removed))
    if state.config.content != text.encode():
        _check_owner(state, wanted)
    return text


def private(state: HostState) -> bool:
    """Whether gitlab.rb, which holds secrets, can be read by root alone; a file that is not there can't."""
    return state.config.mode is None or int(state.config.mode, 8) & 0o077 == 0


def installed_version(state: HostState) -> str | None:
    """x.y.z of the installed package."""
    found = state.packages.get(PROGRAM)
    return found.partition("-")[0] if found else None


def configured(state: HostState) -> bool:
    """Whether the last reconfigure was good and nothing is waiting for one."""
    return PENDING not in state.written and BOOTSTRAPPED in state.written and ATTRIBUTES in state.written


def _host_faults(state: HostState, wanted: Wanted) -> t.Iterator[str | None]:
    if wanted.check_os:
        yield _host_os.refusal(state.os_release, "gitlab_server_check_os")
    for name in OTHER_EDITIONS:
        if name in state.packages:
            yield (
                f"{name} {state.packages[name]} is installed here, and installing {PROGRAM} would replace it without "
                "any of the package's checks and backups. Move to the other edition by GitLab's own instructions first."
            )
    if state.service.load_state == "masked":
        yield f"The unit {SUPERVISOR} is masked, so no service of GitLab could run. Run systemctl unmask {SUPERVISOR}."
    if 0 < len(wanted.initial_root_password) < PASSWORD_LENGTH:
        yield (
            f"gitlab_server_initial_root_password has fewer than {PASSWORD_LENGTH} characters, which GitLab refuses in "
            "the middle of its first reconfigure. Give a longer one."
        )


def _there(state: HostState) -> _server_version.There:
    name = state.os_release.get("ID", "")
    system = ("el" if name in _host_os.EL else name, _host_os.major(state.os_release))
    return _server_version.There(system, installed_version(state), BOOTSTRAPPED in state.written)


def _goal(state: HostState, wanted: Wanted) -> tuple[int, ...]:
    """The version whose rules gitlab.rb must keep."""
    known = numbers(installed_version(state) or "") or wanted.number or _gitlab_rb_removed.KNOWN
    return known if len(known) > 1 else (*known, _server_version.LAST_MINOR)


def _check_owner(state: HostState, wanted: Wanted) -> None:
    """Refuse to write over settings that somebody else made."""
    content = state.config.content
    if content is None or wanted.replace_config or not _gitlab_rb.foreign(content.decode("utf-8", "replace")):
        return
    raise InstallError(
        f"{CONFIG} holds settings that this role did not write, and it would replace the whole file. Take over what "
        "you want to keep into gitlab_server_config, look at the difference with gitlab_server_replace_config set to "
        "true and --check --diff, then run it so. The old file is kept beside the new one."
    )


def _supervisor_differs(state: HostState) -> bool:
    """Whether the supervisor must be started: without it the package skips migrations and reports success."""
    service = state.service
    if service.load_state != "loaded":
        return False
    return service.active_state not in ("active", "activating") or service.unit_file_state != "enabled"


def _locks(state: HostState) -> set[str]:
    return {line for line in state.locks if line.startswith(f"{PROGRAM}-0:")}


def _own_lock(state: HostState) -> set[str]:
    """The lock of the installed package as dnf's list writes it (epoch 0, any architecture)."""
    package = state.packages.get(PROGRAM)
    return {f"{PROGRAM}-0:{package}.*"} if package else set()


def _superfluous_locks(state: HostState, wanted: Wanted) -> tuple[str, ...]:
    return tuple(sorted(_locks(state) - (_own_lock(state) if wanted.version_lock else set())))


def _missing_locks(state: HostState) -> tuple[str, ...]:
    return tuple(sorted(_own_lock(state) - _locks(state)))
