# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every decision of an installation: what is asked of dnf, which locks go and come, which files are written."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _install_plan as install
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _managed_files as managed
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import ConfigFile, HostState, Service

KEYS = ("https://packages.gitlab.com/gpgkey/runner/a.pub.gpg", "https://packages.gitlab.com/gpgkey/b.gpg")
ROCKY = {"ID": "rocky", "VERSION_ID": "9.4", "PRETTY_NAME": "Rocky Linux 9.4"}
BASEURL = "https://packages.gitlab.com/runner/gitlab-runner/el/9/$basearch"
REPO = f"""\
[runner_gitlab-runner]
name = GitLab Runner
baseurl = {BASEURL}
enabled = 1
gpgcheck = 1
repo_gpgcheck = 1
metadata_expire = 300
gpgkey = {KEYS[0]}
 {KEYS[1]}
"""
LOCKS = ("gitlab-runner-0:18.0.3-1.*", "gitlab-runner-helper-images-0:18.0.3-1.*")
WANTED = install.Wanted("", "", KEYS, "gitlab-runner", True, 7200, True, True, True)
DRAIN = managed.drain("gitlab-runner", 7200)
DONE = HostState(
    ConfigFile("/etc/gitlab-runner/config.toml"),
    service=Service("loaded", "active", "running", "enabled", 812),
    packages={"gitlab-runner": "18.0.3-1", "gitlab-runner-helper-images": "18.0.3-1"},
    os_release=ROCKY,
    locks=LOCKS,
    files={install.REPOSITORY_FILE: REPO, install.LOCK_PLUGIN: "", DRAIN.path: DRAIN.content},
)
NEW = HostState(ConfigFile("/etc/gitlab-runner/config.toml"), os_release=ROCKY)


def host(**changes: t.Any) -> HostState:
    return dataclasses.replace(DONE, **changes)


def wanted(**changes: t.Any) -> install.Wanted:
    return dataclasses.replace(WANTED, **changes)


def test_nothing_to_do() -> None:
    plan = install.plan(DONE, WANTED)
    assert not plan.changed
    assert (plan.installed_version, plan.files, plan.packages, plan.lock, plan.unlock) == ("18.0.3", (), (), (), ())


def test_a_new_host() -> None:
    plan = install.plan(NEW, WANTED)
    assert (plan.repository, plan.packages, plan.service, plan.installed_version) == (
        True, ("gitlab-runner",), True, None,
    )  # fmt: skip
    assert (plan.files, plan.lock, plan.unlock, plan.restart) == ((DRAIN,), (), (), False)


@pytest.mark.parametrize(
    ("name", "version", "supported"),
    [
        ("rhel", "9.4", True), ("rhel", "10.0", True), ("rocky", "9.5", True), ("almalinux", "10.0", True),
        ("centos", "9", True), ("ol", "9.3", True), ("amzn", "2023", True), ("rhel", "8.10", False),
        ("rocky", "8.9", False), ("amzn", "2", False), ("centos", "7", False), ("debian", "12", False),
        ("fedora", "43", False), ("", "", False), ("rhel", "11", False), ("amzn", "2025", False),
    ],
)  # fmt: skip
def test_operating_systems(name: str, version: str, supported: bool) -> None:
    state = host(os_release={"ID": name, "VERSION_ID": version})
    if supported:
        install.plan(state, WANTED)
        return
    with pytest.raises(install.InstallError, match=r"is not supported.*Use EL 9, EL 10 or Amazon Linux 2023"):
        install.plan(state, WANTED)
    install.plan(state, wanted(check_os=False))


@pytest.mark.parametrize(("name", "version"), [("rhel", "8.10"), ("amzn", "2"), ("centos", "7.9")])
def test_too_old_says_why(name: str, version: str) -> None:
    with pytest.raises(install.InstallError, match=r"its own Python is older than 3\.9"):
        install.plan(host(os_release={"ID": name, "VERSION_ID": version}), WANTED)


@pytest.mark.parametrize(
    ("version", "packages"),
    [
        pytest.param("", (), id="newest-is-not-an-upgrade"),
        pytest.param("18", (), id="major-fits"),
        pytest.param("18.0", (), id="minor-fits"),
        pytest.param("18.0.3", (), id="exact-fits"),
        pytest.param("18.0.4", ("gitlab-runner-18.0.4-1", "gitlab-runner-helper-images-18.0.4-1"), id="exact"),
        pytest.param("17.7.1", ("gitlab-runner-17.7.1-1", "gitlab-runner-helper-images-17.7.1-1"), id="first-helper"),
        pytest.param("17.7.0", ("gitlab-runner-17.7.0-1",), id="before-the-helper"),
        pytest.param("17.5.5", ("gitlab-runner-17.5.5-1",), id="long-before"),
        pytest.param("18.1", ("gitlab-runner-18.1.*", "gitlab-runner-helper-images-18.1.*"), id="other-minor"),
        pytest.param("17.7", ("gitlab-runner-17.7.*", "gitlab-runner-helper-images-17.7.*"), id="line-of-the-split"),
        pytest.param("17.6", ("gitlab-runner-17.6.*",), id="line-before-the-split"),
        pytest.param("19", ("gitlab-runner-19.*", "gitlab-runner-helper-images-19.*"), id="other-major"),
        pytest.param("16", ("gitlab-runner-16.*",), id="major-before-the-split"),
        pytest.param("1", ("gitlab-runner-1.*",), id="no-prefix-match-of-digits"),
    ],
)
def test_versions(version: str, packages: tuple[str, ...]) -> None:
    plan = install.plan(DONE, wanted(version=version))
    assert plan.packages == packages
    assert plan.unlock == (LOCKS if packages else ())


@pytest.mark.parametrize(("value", "version"), [("18.10", "18.10"), (18, "18"), (None, ""), ("", "")])
def test_version_of(value: object, version: str) -> None:
    assert install.version_of(value) == version


def test_a_version_that_is_a_number_lost_its_last_zero() -> None:
    with pytest.raises(install.InstallError, match=r"is the number 18\.1; quote it"):
        install.version_of(18.10)


def test_a_host_without_the_plugin_that_locks_versions() -> None:
    files = {path: text for path, text in DONE.files.items() if path != install.LOCK_PLUGIN}
    assert install.plan(host(files=files), WANTED).lock_plugin
    assert not install.plan(host(files=files), wanted(version_lock=False)).lock_plugin


def test_a_dead_service_that_waits_for_its_restart_does_not_run() -> None:
    service = dataclasses.replace(DONE.service, active_state="activating", sub_state="auto-restart", main_pid=0)
    plan = install.plan(host(service=service), WANTED)
    assert (plan.service, plan.dead, plan.changed) == (True, True, True)


@pytest.mark.parametrize("version", ["v18.0.3", "18.0.3-1", "latest", "18.", "18.0.3.1", "*", " 18"])
def test_no_version(version: str) -> None:
    with pytest.raises(install.InstallError, match=r"gitlab_runner_version is .* give a version \(18\.0\.3\)"):
        install.plan(DONE, wanted(version=version))


def test_a_helper_of_another_version_is_mended() -> None:
    """The package requires it, but a broken transaction can leave it so (runner facts 9)."""
    state = host(packages={"gitlab-runner": "18.0.3-1", "gitlab-runner-helper-images": "18.0.2-1"})
    assert install.plan(state, wanted(version="18.0.3")).packages == (
        "gitlab-runner-18.0.3-1", "gitlab-runner-helper-images-18.0.3-1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("locks", "version_lock", "lock", "unlock"),
    [
        pytest.param((), True, LOCKS, (), id="missing"),
        pytest.param(LOCKS[:1], True, LOCKS[1:], (), id="one-missing"),
        pytest.param(("gitlab-runner-0:17.0.0-1.*", *LOCKS), True, (), ("gitlab-runner-0:17.0.0-1.*",), id="old"),
        pytest.param(LOCKS, False, (), LOCKS, id="not-wanted"),
        pytest.param((*LOCKS, "nginx-0:1.0-1.*"), False, (), LOCKS, id="others-stay"),
    ],
)
def test_locks(locks: tuple[str, ...], version_lock: bool, lock: tuple[str, ...], unlock: tuple[str, ...]) -> None:
    plan = install.plan(host(locks=locks), wanted(version_lock=version_lock))
    assert (plan.lock, plan.unlock) == (lock, unlock)


@pytest.mark.parametrize(
    ("text", "differs"),
    [
        pytest.param(REPO, False, id="same"),
        pytest.param(REPO.replace(" = ", "="), False, id="other-spacing"),
        pytest.param(REPO + "sslverify = 1\n", False, id="further-keys"),
        pytest.param(REPO.replace("gpgcheck = 1", "gpgcheck = 0", 1), True, id="unchecked-packages"),
        pytest.param(REPO.replace("repo_gpgcheck = 1", "repo_gpgcheck = 0"), True, id="unchecked-metadata"),
        pytest.param(REPO.replace("enabled = 1", "enabled = 0"), True, id="disabled"),
        pytest.param(REPO.replace("el/9", "el/8"), True, id="baseurl"),
        pytest.param(REPO.replace(KEYS[1], ""), True, id="a-key-less"),
        pytest.param(REPO.replace("[runner", "[other"), True, id="other-section"),
        pytest.param(REPO.replace("300", "48h"), True, id="stale-metadata"),
        pytest.param("not an ini", True, id="broken"),
        pytest.param(None, True, id="missing"),
    ],
)
def test_repository(text: str | None, differs: bool) -> None:
    files = {DRAIN.path: DRAIN.content, **({} if text is None else {install.REPOSITORY_FILE: text})}
    assert install.plan(host(files=files), WANTED).repository is differs


@pytest.mark.parametrize(
    ("os_release", "end"),
    [
        ({"ID": "amzn", "VERSION_ID": "2023"}, "amazon/2023/$basearch"),
        ({"ID": "rhel", "VERSION_ID": "10.1"}, "el/10/$basearch"),
    ],
)
def test_default_baseurl(os_release: dict[str, str], end: str) -> None:
    assert install.default_baseurl(os_release) == f"https://packages.gitlab.com/runner/gitlab-runner/{end}"


@pytest.mark.parametrize(
    ("active", "unit_file", "options", "differs"),
    [
        ("active", "enabled", {}, False),
        ("inactive", "enabled", {}, True),
        ("failed", "enabled", {}, True),
        ("deactivating", "enabled", {}, True),
        ("active", "disabled", {}, True),
        ("inactive", "disabled", {"enabled": False, "started": False}, False),
        ("active", "disabled", {"enabled": False, "started": False}, True),
    ],
)
def test_service(active: str, unit_file: str, options: dict[str, bool], differs: bool) -> None:
    state = host(service=Service("loaded", active, "x", unit_file, 1))
    assert install.plan(state, wanted(**options)).service is differs


def test_a_stop_drains_whatever_runs_the_jobs() -> None:
    """KillSignal alone kills shell and custom jobs (runner facts 0.5)."""
    lines = DRAIN.content.splitlines()
    assert DRAIN.path == "/etc/systemd/system/gitlab-runner.service.d/zz-drain.conf"
    assert {"[Service]", "KillSignal=SIGQUIT", "KillMode=mixed", "TimeoutStopSec=7200"} <= set(lines)
    assert install.plan(DONE, wanted(stop_timeout=60)).files == (managed.drain("gitlab-runner", 60),)


def test_a_proxy_comes_goes_and_stays_secret() -> None:
    proxy = wanted(proxy={"https_proxy": "http://u:p%20w@proxy:3128"})
    plan = install.plan(DONE, proxy)
    assert [(one.mode, one.secret, one.restart) for one in plan.files] == [("0600", True, True)]
    assert 'Environment="HTTPS_PROXY=http://u:p%%20w@proxy:3128"' in plan.files[0].content
    assert (plan.restart, "p%%20w" in repr(plan)) == (True, False)
    there = host(files={**DONE.files, plan.files[0].path: plan.files[0].content})
    assert not install.plan(there, proxy).changed
    assert install.plan(there, WANTED).remove == (plan.files[0].path,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"proxy": {"ftp_proxy": "x"}}, r"gitlab_runner_proxy\.ftp_proxy is unknown; use http_proxy"),
        ({"ca_certificates": {"https://g": "x"}}, "is no host name; leave scheme and port out"),
        ({"ca_certificates": {"g.example": "x"}}, "is no PEM certificate"),
    ],
)
def test_faults_of_the_declaration(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(install.InstallError, match=message):
        install.plan(DONE, wanted(**options))


def test_settings_that_systemd_has_not_loaded_are_finished() -> None:
    service = dataclasses.replace(DONE.service, need_daemon_reload=True)
    plan = install.plan(host(service=service), WANTED)
    assert plan.changed
    assert (plan.service, plan.daemon_reload, plan.files) == (True, True, ())


STARTED = 1_000_000
RUNNING = dataclasses.replace(DONE.service, started_at=STARTED)


@pytest.mark.parametrize(
    ("changes", "options", "restart"),
    [
        pytest.param({}, {}, False, id="nothing-newer"),
        pytest.param({"installed": {"gitlab-runner": STARTED}}, {}, False, id="program-of-the-same-second"),
        pytest.param({"installed": {"gitlab-runner": STARTED + 1}}, {}, True, id="program-replaced-under-it"),
        pytest.param({"written": {DRAIN.path: STARTED + 9}}, {}, False, id="a-file-that-systemd-reads"),
        pytest.param({"written": {"/etc/passwd": STARTED + 9}}, {}, False, id="a-file-that-is-not-ours"),
        pytest.param({"installed": {"gitlab-runner": STARTED + 1}}, {"restart": False}, False, id="not-wanted"),
    ],
)
def test_a_process_that_knows_less_than_the_host(
    changes: dict[str, t.Any], options: dict[str, t.Any], restart: bool
) -> None:
    plan = install.plan(host(service=RUNNING, **changes), wanted(**options))
    assert (plan.restart, plan.changed) == (restart, restart)


def test_a_run_killed_before_its_restart_is_finished() -> None:
    proxy = wanted(proxy={"http_proxy": "http://proxy:3128"})
    (written,) = install.plan(DONE, proxy).files
    files = {**DONE.files, written.path: written.content}
    for seconds, restart in ((STARTED - 1, False), (STARTED + 1, True)):
        plan = install.plan(host(service=RUNNING, files=files, written={written.path: seconds}), proxy)
        assert (plan.files, plan.restart, plan.changed) == ((), restart, restart)
    stopped = dataclasses.replace(RUNNING, active_state="inactive")
    state = host(service=stopped, files=files, written={written.path: STARTED + 1})
    assert not install.plan(state, dataclasses.replace(proxy, started=False)).changed


PEM = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
PROXY = managed.proxy_path("gitlab-runner")
NOTE = "/etc/gitlab-runner/.config.toml.fleetwright-restart.json"


def test_a_withdrawn_authority_goes_unless_another_service_declares_it() -> None:
    record = '{"gitlab-runner": ["a.example.com", "b.example.com"], "second": ["b.example.com"]}'
    state = host(service=RUNNING, files={**DONE.files, managed.RECORD: record})
    plan = install.plan(state, WANTED)
    assert plan.remove == ("/etc/gitlab-runner/certs/a.example.com.crt",)
    assert [(one.path, json.loads(one.content)) for one in plan.files] == [
        (managed.RECORD, {"second": ["b.example.com"]})
    ]
    assert plan.restart
    after = host(service=RUNNING, files={**DONE.files, managed.RECORD: plan.files[0].content})
    assert not install.plan(after, WANTED).changed


def test_authorities_are_recorded_with_their_service() -> None:
    authority, record = install.plan(DONE, wanted(ca_certificates={"a.example.com": PEM})).files
    assert (authority.path, record.mode) == ("/etc/gitlab-runner/certs/a.example.com.crt", "0600")
    files = {**DONE.files, authority.path: authority.content, record.path: record.content}
    assert not install.plan(host(files=files), wanted(ca_certificates={"a.example.com": PEM})).changed
    with pytest.raises(install.InstallError, match=r"authorities\.json on the host can't be read .* Remove it"):
        install.plan(host(files={managed.RECORD: "[1]"}), WANTED)


def test_a_removal_is_noted_for_the_process_that_still_has_it() -> None:
    """Killed between the removal and the restart: neither a file nor its time would tell of it."""
    state = host(service=RUNNING, files={**DONE.files, PROXY: "x", NOTE: '["listen_address"]'},
                 written={NOTE: STARTED + 1})  # fmt: skip
    plan = install.plan(state, WANTED)
    assert plan.note is not None
    assert (plan.note.path, json.loads(plan.note.content)) == (NOTE, [PROXY, "listen_address"])
    killed = host(service=RUNNING, files={**DONE.files, NOTE: plan.note.content}, written={NOTE: STARTED + 2})
    assert install.plan(killed, WANTED).restart
    assert not install.plan(killed, wanted(restart=False)).changed
    anew = dataclasses.replace(RUNNING, started_at=STARTED + 3)
    assert not install.plan(dataclasses.replace(killed, service=anew), WANTED).changed
    stopped = dataclasses.replace(RUNNING, active_state="inactive")
    assert install.plan(host(service=stopped, files={**DONE.files, PROXY: "x"}), wanted(started=False)).note is None


@pytest.mark.parametrize(
    ("mode", "written"),
    [("644:root:root", False), ("600:root:root", True), ("666:root:root", True), ("644:ec2-user:root", True)],
)
def test_modes_and_owners_are_repaired_without_a_restart(mode: str, written: bool) -> None:
    plan = install.plan(host(service=RUNNING, modes={DRAIN.path: mode}), WANTED)
    assert (bool(plan.files), plan.restart) == (written, False)
    authorities = wanted(ca_certificates={"a.example.com": PEM})
    authority, record = install.plan(DONE, authorities).files
    files = {**DONE.files, authority.path: authority.content, record.path: record.content}
    plan = install.plan(host(service=RUNNING, files=files, modes={authority.path: mode}), authorities)
    assert (bool(plan.files), plan.restart) == (written, False)


MACHINE = {"/etc/machine-id": "2f1d8f4b2c5e4a0f9b7d6c3e1a2b4c5d\n"}


@pytest.mark.parametrize(
    ("options", "active", "identity", "warned"),
    [
        pytest.param({}, "active", True, None, id="replaced"),
        pytest.param({"new_identity": False}, "active", False, "new_identity is false", id="kept"),
        pytest.param({"restart": False}, "active", False, "restart is false", id="a-daemon-would-keep-it"),
        pytest.param({"restart": False, "started": False}, "inactive", True, None, id="nobody-holds-it"),
    ],
)
def test_a_copied_identity(options: dict[str, t.Any], active: str, identity: bool, warned: str | None) -> None:
    service = dataclasses.replace(DONE.service, active_state=active)
    state = host(service=service, system_id="s_000000000000", files={**DONE.files, **MACHINE})
    plan = install.plan(state, wanted(**options))
    assert (plan.identity, plan.changed) == (identity, identity)
    assert [warned in text for text in plan.warnings if warned] == ([True] if warned else [])


SECOND = {"service": "second", "config_path": "/etc/second/config.toml"}
HOME = {"/etc/passwd": "gitlab-runner:x:990:990::/srv/runner:/bin/bash\n"}


def test_a_service_of_its_own_gets_its_unit_and_its_drop_in() -> None:
    state = host(service=Service(), files={**DONE.files, **HOME})
    plan = install.plan(state, wanted(**SECOND))
    assert plan.unit[:2] == ("gitlab-runner", "install")
    assert plan.unit[-1] == "/srv/runner"
    assert [one.path for one in plan.files] == ["/etc/systemd/system/second.service.d/zz-drain.conf"]
    assert (plan.service, plan.packages, plan.restart) == (True, (), False)
    there = dataclasses.replace(DONE.service, config_path="/etc/second/config.toml")
    files = {**DONE.files, **HOME, plan.files[0].path: plan.files[0].content}
    assert not install.plan(host(service=there, files=files), wanted(**SECOND)).changed


def test_the_package_installs_its_own_unit_and_account() -> None:
    assert install.plan(NEW, WANTED).unit == ()
    assert install.plan(NEW, wanted(**SECOND)).unit[-1] == "/home/gitlab-runner"
    assert install.plan(host(service=Service(), files={**DONE.files, **HOME}), WANTED).unit[-1] == "/srv/runner"
    assert install.plan(NEW, wanted(**SECOND, user="ci", working_directory="/ci")).unit[-1] == "/ci"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({**SECOND, "user": "ci"}, r"gitlab_runner_user ci has no account .* Create it, or give"),
        ({"service": "second"}, "needs a gitlab_runner_config_path of its own"),
        ({"registries": {"r": {"username": "u"}}}, r"gitlab_runner_registries\[r\] must have"),
    ],
)
def test_what_can_not_work_is_refused(options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(install.InstallError, match=message):
        install.plan(host(service=Service(), files={**DONE.files, **HOME}), wanted(**options))


@pytest.mark.parametrize(
    ("docker", "missing", "unit", "packages", "service"),
    [
        pytest.param("leave", [], Service(), (), False, id="left-alone"),
        pytest.param("install", ["docker"], Service(), ("docker",), True, id="missing"),
        pytest.param("install", [], Service("loaded", "inactive", "dead", "disabled"), (), True, id="not-running"),
        pytest.param("install", [], Service("loaded", "active", "running", "enabled"), (), False, id="there"),
    ],
)
def test_docker(docker: str, missing: list[str], unit: Service, packages: tuple[str, ...], service: bool) -> None:
    options = wanted(docker=docker, docker_packages=("docker",))
    plan = install.plan(host(missing=frozenset(missing), docker=unit), options)
    assert (plan.docker_packages, plan.docker_service, plan.changed) == (packages, service, service)
    assert ("docker" in options.packages()) == (docker == "install")


def test_registries_are_planned_without_their_secrets() -> None:
    options = wanted(registries={"r.example.com": {"username": "u", "password": "Secret-1"}})
    plan = install.plan(DONE, options)
    assert plan.registries
    assert plan.changed
    assert "Secret-1" not in f"{plan} {options}"
