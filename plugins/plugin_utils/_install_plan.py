# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what installing GitLab Runner takes: pure functions from what one read of the host brought."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _host_os,
    _identity,
    _managed_files,
    _package_versions,
    _pending_restart,
    _registry_auth,
    _repository,
    _service_unit,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import (
    DEFAULT_CONFIG_PATH,
    PACKAGES,
    HostState,
    Service,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._managed_files import ManagedFile

REPOSITORY = "runner_gitlab-runner"
REPOSITORY_FILE = f"/etc/yum.repos.d/{REPOSITORY}.repo"
LOCK_PLUGIN = "/etc/dnf/plugins/versionlock.conf"
BASEURL = "https://packages.gitlab.com/runner/gitlab-runner"


class InstallError(Exception):
    """The host or the declaration can't work; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is declared. version is exact (18.0.3), a pin (18.0 or 18) or empty for the newest.

    stop_timeout is in seconds; ca_certificates is PEM text by host name. new_identity: an identity that was copied from
    another machine is replaced. restart: a running service may be restarted, after its jobs.
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
    config_path: str = DEFAULT_CONFIG_PATH
    user: str = _service_unit.PACKAGE_USER
    working_directory: str = ""
    restart: bool = True
    new_identity: bool = True
    docker: str = "leave"
    docker_packages: tuple[str, ...] = ()
    registries: _registry_auth.Registries = dataclasses.field(default_factory=dict, repr=False)

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
        known = [*_identity.MACHINE_IDS, _service_unit.PASSWD, _registry_auth.CONFIG, _registry_auth.RECORD]
        known += [_managed_files.RECORD, _pending_restart.path_beside(self.config_path)]
        return [REPOSITORY_FILE, LOCK_PLUGIN, *known, *dict.fromkeys([*owned, _managed_files.proxy_path(self.service)])]

    def packages(self) -> list[str]:
        """The packages that a read must look for."""
        return [*PACKAGES, *(self.docker_packages if self.docker == "install" else ())]


@dataclasses.dataclass(frozen=True)
class InstallPlan:
    """Which steps are needed; everything false and empty means that the host is as declared.

    repository_before is the repository's file as it was, to be put back when the packages can't be installed. note is
    written before anything is removed: nothing else tells a later run that the running process still has it.
    """

    installed_version: str | None
    baseurl: str
    repository: bool
    files: tuple[ManagedFile, ...]
    remove: tuple[str, ...]
    packages: tuple[str, ...]
    unlock: tuple[str, ...]
    lock: tuple[str, ...]
    lock_plugin: bool
    service: bool
    daemon_reload: bool
    restart: bool
    dead: bool = False
    unit: tuple[str, ...] = ()
    identity: bool = False
    docker_packages: tuple[str, ...] = ()
    docker_service: bool = False
    registries: bool = False
    warnings: tuple[str, ...] = ()
    repository_before: str | None = None
    note: ManagedFile | None = None

    @property
    def changed(self) -> bool:
        """Whether any step is needed; how systemd is told, and what is only said, are none."""
        told = ("installed_version", "baseurl", "daemon_reload", "warnings", "repository_before")
        return any(value for name, value in vars(self).items() if name not in told)


def plan(state: HostState, wanted: Wanted) -> InstallPlan:
    """Compare the host with the declaration.

    Raises InstallError where the operating system is not supported or the declaration can't work.
    """
    refusal = _host_os.refusal(state.os_release, "gitlab_runner_check_os")
    if wanted.check_os and refusal:
        raise InstallError(refusal)
    _check_declaration(state, wanted)
    baseurl = wanted.baseurl or default_baseurl(state.os_release)
    packages = () if _package_versions.fits(state, wanted.version) else _package_versions.package_specs(wanted.version)
    record, gone = _recorded(state, wanted)
    owned = [*wanted.files(), *([record] if record else [])]
    files = tuple(one for one in owned if not one.stands(state.files.get(one.path), state.modes.get(one.path)))
    remove = (*(path for path in _given_up(wanted) if path in state.files), *gone)
    identity = _identity_differs(state, wanted)
    unit = _unit(state, wanted, installing=bool(packages))
    return InstallPlan(
        installed_version=_package_versions.installed_version(state.packages.get(_package_versions.PROGRAM)),
        baseurl=baseurl,
        repository=not _repository.matches(state.files.get(REPOSITORY_FILE), REPOSITORY, baseurl, wanted.gpgkeys),
        files=files,
        remove=remove,
        packages=packages,
        unlock=_package_versions.superfluous_locks(state, locking=wanted.version_lock, installing=bool(packages)),
        lock=() if packages or not wanted.version_lock else _package_versions.missing_locks(state),
        lock_plugin=wanted.version_lock and LOCK_PLUGIN not in state.files,
        # a run killed between writing a drop-in and loading it leaves only systemd's own word for it
        service=bool(packages or unit) or state.service.need_daemon_reload or _service_differs(state, wanted),
        daemon_reload=state.service.need_daemon_reload,
        restart=_restart_needed(state, wanted, remove),
        dead=wanted.started and state.service.sub_state == "auto-restart",
        unit=unit,
        identity=identity and not _held_back(state, wanted),
        docker_packages=tuple(name for name in wanted.docker_packages if name in state.missing),
        docker_service=wanted.docker == "install" and _differs(state.docker, enabled=True, started=True),
        registries=bool(_registries(state, wanted).writes),
        warnings=tuple(_warnings(state, wanted)),
        repository_before=state.files.get(REPOSITORY_FILE),
        note=_note(state, wanted, remove),
    )


def _check_declaration(state: HostState, wanted: Wanted) -> None:
    faults = []
    if wanted.version and not _package_versions.PIN.fullmatch(wanted.version):
        faults.append(
            f"gitlab_runner_version is {wanted.version!r}; give a version (18.0.3), a line to stay in (18.0 or 18), "
            "or nothing for the newest."
        )
    faults += _service_unit.problems(state.service, wanted.service, wanted.config_path, started=wanted.started)
    if faults:
        raise InstallError(" ".join(faults))


def _restart_needed(state: HostState, wanted: Wanted, remove: t.Sequence[str]) -> bool:
    """Whether the running process knows less than the host.

    The times and the note tell it too: of a run killed before its restart, of files that services share, and of a
    program that was replaced under a service that the package does not restart.
    """
    if not wanted.restart or state.service.active_state != "active":
        return False
    read = [managed for managed in wanted.files() if managed.restart]
    newest = max([state.written.get(one.path, 0) for one in read] + [state.installed.get(_package_versions.PROGRAM, 0)])
    writing = any(state.files.get(one.path) != one.content for one in read)
    note = _pending_restart.path_beside(wanted.config_path)
    noted = note in state.files and not _pending_restart.outdated(state, note)
    return bool(writing or remove) or noted or 0 < state.service.started_at < newest


def _note(state: HostState, wanted: Wanted, remove: t.Sequence[str]) -> ManagedFile | None:
    """The note that a restart is due, for the running process, before what it has read is removed."""
    if not remove or state.service.active_state != "active":
        return None
    path = _pending_restart.path_beside(wanted.config_path)
    keys = [] if _pending_restart.outdated(state, path) else [*_pending_restart.noted(state, path)]
    return ManagedFile(path, _pending_restart.dumped([*keys, *remove]), mode="0600")


def _recorded(state: HostState, wanted: Wanted) -> tuple[ManagedFile | None, tuple[str, ...]]:
    try:
        return _managed_files.recorded(state.files.get(_managed_files.RECORD), wanted.service, wanted.ca_certificates)
    except ValueError as exc:
        raise InstallError(str(exc)) from exc


def _unit(state: HostState, wanted: Wanted, *, installing: bool) -> tuple[str, ...]:
    """How the unit is installed where it is missing; the package brings its own."""
    if state.service.load_state != "not-found" or (installing and wanted.service == _service_unit.OWN):
        return ()
    home = _service_unit.home(state.files.get(_service_unit.PASSWD, ""), wanted.user)
    coming = installing and wanted.user == _service_unit.PACKAGE_USER
    directory = wanted.working_directory or home or (f"/home/{wanted.user}" if coming else "")
    if not directory:
        raise InstallError(
            f"gitlab_runner_user {wanted.user} has no account in the host's /etc/passwd. Create it, or give "
            "gitlab_runner_working_directory if the account comes from elsewhere."
        )
    return _service_unit.install_arguments(wanted.service, wanted.config_path, wanted.user, directory)


def _identity_differs(state: HostState, wanted: Wanted) -> bool:
    return wanted.new_identity and _identity.copied(state.system_id, state.files)


def _held_back(state: HostState, wanted: Wanted) -> bool:
    """A running daemon keeps its identity in memory, whatever is on disk, until it starts anew."""
    return not wanted.restart and state.service.active_state != "inactive"


def _registries(state: HostState, wanted: Wanted) -> _registry_auth.RegistryPlan:
    try:
        return _registry_auth.plan(state.files, wanted.service, wanted.registries)
    except _registry_auth.RegistryError as exc:
        raise InstallError(str(exc)) from exc


def _warnings(state: HostState, wanted: Wanted) -> t.Iterator[str]:
    if not _identity.copied(state.system_id, state.files):
        return
    reason = "gitlab_runner_new_identity" if not wanted.new_identity else "gitlab_runner_restart"
    if not wanted.new_identity or _held_back(state, wanted):
        yield (
            f".runner_system_id beside {wanted.config_path} was copied from another machine, so GitLab may take the "
            f"two for one. It stays because {reason} is false."
        )


def _given_up(wanted: Wanted) -> list[str]:
    """Files that the role wrote for a declaration that no longer holds."""
    owned = {managed.path for managed in wanted.files()}
    return [path for path in (_managed_files.proxy_path(wanted.service),) if path not in owned]


def version_of(value: object) -> str:
    """The declared version as text; YAML reads 18.10 as a number, and a number forgets its last zero."""
    if isinstance(value, float):
        raise InstallError(
            f"gitlab_runner_version is the number {value}; quote it, so that 18.10 does not become 18.1."
        )
    return "" if value is None else str(value)


def default_baseurl(os_release: t.Mapping[str, str]) -> str:
    """GitLab's own repository for this operating system."""
    return f"{BASEURL}/{_repository.folder(os_release)}"


def _service_differs(state: HostState, wanted: Wanted) -> bool:
    return _differs(state.service, enabled=wanted.enabled, started=wanted.started)


def _differs(service: Service, *, enabled: bool, started: bool) -> bool:
    if enabled != (service.unit_file_state == "enabled"):
        return True
    return started != runs(service)


def runs(service: Service) -> bool:
    """Whether the service is at work; one that died and waits for its restart is not (runner facts 10.2)."""
    return service.active_state in ("active", "activating", "reloading") and service.sub_state != "auto-restart"
