# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every decision of installing and configuring a GitLab server."""

from __future__ import annotations

import base64
import dataclasses
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _dnf_words,
    _server_plan,
    _server_run,
    _server_version,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import ConfigFile, HostState, Service
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_plan import InstallError, Wanted

KEYS = ("https://packages.gitlab.com/gpgkey/gpg.key", "https://packages.gitlab.com/present.gpg")
FORMER = ("https://packages.gitlab.com/former.gpg",)
BASEURL = "https://packages.gitlab.com/gitlab/gitlab-ce/el/9/$basearch"
ROCKY = {"ID": "rocky", "VERSION_ID": "9.4", "PRETTY_NAME": "Rocky Linux 9.4"}
REPO = f"""\
[gitlab_gitlab-ce]
name = GitLab CE
baseurl = {BASEURL}
enabled = 1
gpgcheck = 1
repo_gpgcheck = 1
metadata_expire = 300
gpgkey = {KEYS[0]}
 {KEYS[1]}
"""
WANTED = Wanted("", "", KEYS, FORMER, True, True, "https://gitlab.corp.test", {"nginx": {"listen_port": 80}})
GOOD = {_server_plan.BOOTSTRAPPED: 1, _server_plan.ATTRIBUTES: 1, _server_plan.RUBY: 1}
DONE = HostState(
    ConfigFile(_server_plan.CONFIG, WANTED.text.encode(), "0600", "root", "root"),
    service=Service("loaded", "active", "running", "enabled", 812),
    packages={"gitlab-ce": "18.2.8-ce.0.el9"},
    os_release=ROCKY,
    locks=("gitlab-ce-0:18.2.8-ce.0.el9.*",),
    files={_server_plan.REPOSITORY_FILE: REPO, _server_plan.LOCK_PLUGIN: ""},
    written=GOOD,
)
NEW = HostState(ConfigFile(_server_plan.CONFIG), os_release=ROCKY)


def host(**changes: t.Any) -> HostState:
    return dataclasses.replace(DONE, **changes)


def wanted(**changes: t.Any) -> Wanted:
    return dataclasses.replace(WANTED, **changes)


def config(text: str, mode: str = "0600") -> ConfigFile:
    return ConfigFile(_server_plan.CONFIG, text.encode(), mode, "root", "root")


def steps(state: HostState, declared: Wanted = WANTED) -> set[str]:
    """Names of the steps that a plan takes."""
    plan = _server_plan.plan(state, declared)
    told = ("installed_version", "baseurl", "gpgkeys")
    return {name for name, value in vars(plan).items() if value and name not in told}


def test_nothing_to_do() -> None:
    plan = _server_plan.plan(DONE, WANTED)
    assert not plan.changed
    assert (plan.installed_version, plan.baseurl, plan.gpgkeys) == ("18.2.8", BASEURL, KEYS)


def test_a_new_host() -> None:
    assert steps(NEW) == {"repository", "packages", "lock_plugin", "config"}
    assert _server_plan.plan(NEW, WANTED).packages == ("gitlab-ce",)


PENDING = {**GOOD, _server_plan.PENDING: 1}


@pytest.mark.parametrize(
    ("state", "declared", "expected"),
    [
        pytest.param(host(config=config("external_url 'http://old'")), WANTED, {"config", "reconfigure"}, id="changed"),
        pytest.param(host(config=ConfigFile(_server_plan.CONFIG)), WANTED, {"config", "reconfigure"}, id="lost-config"),
        pytest.param(host(config=config(WANTED.text, "0644")), WANTED, {"config"}, id="readable-by-others"),
        pytest.param(host(written=PENDING), WANTED, {"reconfigure"}, id="a-run-was-killed-after-the-write"),
        pytest.param(host(written={**GOOD, _server_plan.AWAITED: 1}), WANTED, {"ready"}, id="not-seen-ready"),
        pytest.param(host(written={}), WANTED, {"reconfigure"}, id="the-packages-reconfigure-failed"),
        pytest.param(
            host(written={_server_plan.BOOTSTRAPPED: 1}), WANTED, {"reconfigure"}, id="a-later-reconfigure-failed"
        ),
        pytest.param(host(service=Service("loaded", "inactive", "dead", "enabled")), WANTED, {"supervisor"}, id="down"),
        pytest.param(
            host(service=Service("loaded", "active", "running", "disabled", 1)), WANTED, {"supervisor"}, id="disabled"
        ),
        pytest.param(host(service=Service()), WANTED, set(), id="no-unit"),
        pytest.param(host(locks=()), WANTED, {"lock"}, id="no-lock"),
        pytest.param(host(locks=("gitlab-ce-0:18.2.7-ce.0.el9.*",)), WANTED, {"lock", "unlock"}, id="another-lock"),
        pytest.param(DONE, wanted(version_lock=False), {"unlock"}, id="lock-not-wanted"),
        pytest.param(host(locks=(*DONE.locks, "kernel-0:1-1.*")), WANTED, set(), id="others-locks-stay"),
        pytest.param(host(files={_server_plan.REPOSITORY_FILE: REPO}), WANTED, {"lock_plugin"}, id="no-lock-plugin"),
        pytest.param(
            host(files={**DONE.files, _server_plan.REPOSITORY_FILE: REPO.replace("repo_gpgcheck = 1", "")}),
            WANTED, {"repository"}, id="repository-without-its-signature-check",
        ),
        pytest.param(DONE, wanted(baseurl="http://mirror.corp.test/ce"), {"repository"}, id="mirror"),
        *(pytest.param(DONE, wanted(version=version), set(), id=version)
          for version in ("18", "18.2", "18.2.8", "18.2.8-ce.0.el9")),
    ],
)  # fmt: skip
def test_steps(state: HostState, declared: Wanted, expected: set[str]) -> None:
    assert steps(state, declared) == expected


REFUSED = (
    (host(os_release={"ID": "debian", "VERSION_ID": "12"}), WANTED, ["debian is not supported", "server_check_os"]),
    (host(os_release={"ID": "rhel", "VERSION_ID": "8.10"}), WANTED, ["older than 3.9"]),
    (host(packages={"gitlab-ee": "18.2.8-ee.0.el9"}), WANTED, ["gitlab-ee 18.2.8-ee.0.el9 is installed", "replace it"]),
    (host(service=Service("masked")), WANTED, ["gitlab-runsvdir is masked", "systemctl unmask"]),
    (DONE, wanted(version="18.5.2"), ["18.2.8 is installed", "never changes", "gitlab_upgrade", "to 18.2.8"]),
    (DONE, wanted(version="18.2.9"), ["playbook gitlab_upgrade"]),
    (DONE, wanted(version="19"), ["playbook gitlab_upgrade"]),
    (DONE, wanted(version="18.2.7"), ["playbook gitlab_rollback"]),
    (DONE, wanted(version="18.1"), ["playbook gitlab_rollback"]),
    (NEW, wanted(version="newest"), ["gitlab_server_version is 'newest'", "nothing for the newest"]),
    (NEW, wanted(version="18.2.8-ee.0.el9"), ["of the Enterprise Edition"]),
    (
        dataclasses.replace(NEW, os_release={"ID": "rhel", "VERSION_ID": "10.0"}), wanted(version="18.2"),
        ["packages of 18.6 and later for this operating system"],
    ),
    (dataclasses.replace(NEW, written=GOOD), WANTED, ["data is here, but its package is not", "that exact version"]),
    (NEW, wanted(initial_root_password="short"), ["fewer than 8 characters"]),
    (NEW, wanted(external_url=""), ["gitlab_server_external_url is missing"]),
    (NEW, wanted(config={"git_data_dirs": {"default": {"path": "/x"}}}), ["git_data_dirs was removed in GitLab 18.0"]),
    (NEW, wanted(version="19", config={"spamcheck": {"enable": True}}), ["spamcheck was removed in GitLab 19.0"]),
    (DONE, wanted(config_extra="git_data_dirs({})"), ["git_data_dirs was removed"]),
    (host(config=config("nginx['x'] = 1")), WANTED, ["did not write", "server_replace_config", "--check --diff"]),
)  # fmt: skip


@pytest.mark.parametrize(("state", "declared", "words"), REFUSED)
def test_refused(state: HostState, declared: Wanted, words: list[str]) -> None:
    with pytest.raises(InstallError) as raised:
        _server_plan.plan(state, declared)
    assert [word for word in words if word not in str(raised.value)] == []


@pytest.mark.parametrize(
    ("state", "declared"),
    [
        pytest.param(host(os_release={"ID": "debian", "VERSION_ID": "12"}), wanted(check_os=False), id="any-system"),
        pytest.param(host(config=config("nginx['x'] = 1")), wanted(replace_config=True), id="replaced"),
        pytest.param(host(config=config("# x\nexternal_url 'http://a'\n")), WANTED, id="the-packages-template"),
        pytest.param(DONE, wanted(config={"spamcheck": {"enable": True}}), id="removed-only-later"),
        pytest.param(
            dataclasses.replace(NEW, os_release={"ID": "rhel", "VERSION_ID": "10.0"}), wanted(version="18"), id="line"
        ),
        pytest.param(dataclasses.replace(NEW, written=GOOD), wanted(version="18.2.8"), id="data-and-its-version"),
        pytest.param(
            NEW, wanted(version="17.11", config={"git_data_dirs": {"default": {"path": "/x"}}}), id="not-yet-removed"
        ),
    ],
)
def test_not_refused(state: HostState, declared: Wanted) -> None:
    _server_plan.plan(state, declared)


@pytest.mark.parametrize(
    ("version", "spec", "former"),
    [
        ("", "gitlab-ce", False),
        ("18", "gitlab-ce-18.*", False),
        ("18.2", "gitlab-ce-18.2.*", False),
        ("18.2.8", "gitlab-ce-18.2.8-*", False),
        ("18.2.8-ce.0.el9", "gitlab-ce-18.2.8-ce.0.el9", False),
        ("17", "gitlab-ce-17.*", False),
        ("17.9.0", "gitlab-ce-17.9.0-*", False),
        ("17.8", "gitlab-ce-17.8.*", True),
        ("16", "gitlab-ce-16.*", True),
    ],
)
def test_versions(version: str, spec: str, former: bool) -> None:
    plan = _server_plan.plan(NEW, wanted(version=version))
    assert plan.packages == (spec,)
    assert plan.gpgkeys == (KEYS + FORMER if former else KEYS)


def test_a_number_is_no_version() -> None:
    with pytest.raises(ValueError, match=r"the number 18\.1; quote it"):
        _server_version.version_of(18.10)
    assert [_server_version.version_of(value) for value in (None, "", 18, "18.10")] == ["", "", "18", "18.10"]


LOG = """\
Running transaction
  Running scriptlet: gitlab-ce-18.2.8-ce.0.el9.x86_64                   1/1
\x1b[0mRecipe: gitlab::database_migrations
Running handlers:
There was an error running gitlab-ctl reconfigure:

bash[migrate gitlab-rails database] had an error
warning: %posttrans(gitlab-ce-18.2.8-ce.0.el9.x86_64) scriptlet failed, exit status 1
"""


def test_the_reason_of_a_failed_reconfigure_is_found() -> None:
    look = _server_run.parse(f"status 0\r\nlog {base64.b64encode(LOG.encode()).decode()}\r\n")
    assert (look.running, look.status) == (False, 0)
    assert look.last_line.startswith("warning: %posttrans")
    assert _server_run.reason(look.log) == (
        "Recipe: gitlab::database_migrations | Running handlers: | "
        "There was an error running gitlab-ctl reconfigure: | bash[migrate gitlab-rails database] had an error | "
        "warning: %posttrans(gitlab-ce-18.2.8-ce.0.el9.x86_64) scriptlet failed, exit status 1"
    )
    assert _server_run.reason("") == ""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("state running\nlog YQ==\n", (True, None, "a")),
        ("state running\nstatus 0\n", (True, None, "")),
        ("", (False, None, "")),
        ("status 1\nlog YSANYg==\n", (False, 1, "b")),
    ],
)
def test_looks(output: str, expected: tuple[bool, int | None, str]) -> None:
    look = _server_run.parse(output)
    assert (look.running, look.status, look.last_line) == expected


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("No match for argument: gitlab-ce-99", 'set gitlab_server_version to one of those that "dnf list'),
        ("Status code: 404 for http://x/repodata/repomd.xml", "reaches gitlab_server_repo_baseurl"),
        ("Package gitlab-ce is not signed", "gitlab_server_repo_gpgkeys holds the key"),
        ("No space left on device", "Make room"),
        ("something new", "/var/log/dnf.log"),
    ],
)
def test_remedies(said: str, words: str) -> None:
    assert words in _dnf_words.remedy(said, "gitlab-ce", "gitlab_server")


def test_a_password_is_in_no_command_line() -> None:
    script = _server_run.install("gitlab-ce", "pass'word")
    assert "export GITLAB_ROOT_PASSWORD='pass'\"'\"'word'\n" in script
    assert "pass" not in _server_run.start() + _server_run.look()
