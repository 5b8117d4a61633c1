# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package's scriptlets, run by a shell with other programs in GitLab's place (observed 1, 2, 3)."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from testbed.gitlab_server import spec
from testbed.gitlab_server.releases import release

STUB = """\
#!/bin/sh
echo "${0##*/} $*" >>"@ROOT@/calls"
[ -r "@ROOT@/say-${0##*/}" ] && cat "@ROOT@/say-${0##*/}"
code=$(cat "@ROOT@/code-${0##*/}" 2>/dev/null)
[ "$1" = backup-etc ] && exit "$(cat "@ROOT@/code-backup-etc" 2>/dev/null || echo 0)"
exit "${code:-0}"
"""
NAMES = ("gitlab-ctl", "gitlab-rake", "gitlab-rails", "gitlab-psql", "gitlab-backup")
SAY = "gitlab preinstall:"


@dataclasses.dataclass
class Machine:
    """A root on which scriptlets run; programs are stubs that note how they are called."""

    root: Path

    def run(self, section: str, version: str, argument: int, **env: str) -> tuple[int, list[str]]:
        text = spec.scriptlet(section, release(version))
        text = re.sub(r"(?<![\w.@])/(opt/gitlab|etc/|var/log/gitlab|usr/bin)", rf"{self.root}/\1", text)
        clean = {name: value for name, value in os.environ.items() if name != "EXTERNAL_URL"}
        done = subprocess.run(
            ["sh", "-c", text, "scriptlet", str(argument)],
            env={**clean, **env},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode, done.stdout.replace(str(self.root), "").splitlines()

    def put(self, path: str, text: str = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def calls(self) -> list[str]:
        file = self.root / "calls"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """18.8.11 installed, configured, running PostgreSQL 16."""
    found = Machine(tmp_path)
    for name in NAMES:
        found.put(f"opt/gitlab/bin/{name}", STUB.replace("@ROOT@", str(tmp_path))).chmod(0o755)
    for folder in ("opt/gitlab/service/puma", "etc/gitlab", "usr/bin"):
        (tmp_path / folder).mkdir(parents=True)
    found.put("opt/gitlab/etc/gitlab.rb.template", "# head\nexternal_url '@URL@'\n")
    found.put("opt/gitlab/version-manifest.json", json.dumps({"build_version": "18.8.11"}, indent=2))
    found.put("say-gitlab-psql", " 16.11\n\n")
    return found


BACKUP = (
    "gitlab-rake gitlab:backup:create SKIP=external_diffs,repositories,uploads,builds,artifacts,lfs,terraform_state,\
ci_secure_files,registry,pages,packages"
)
CHECKS = ["gitlab-ctl check-config --version=18.11", "gitlab-psql -d template1 -c SHOW server_version -qt"]
SAVES = [BACKUP, "gitlab-ctl backup-etc --no-delete-old-backups"]
FIRST = f"{SAY} Automatically backing up only the GitLab SQL database (excluding everything else!)"
SECOND = f"{SAY} Automatically backing up /etc/gitlab"


def test_before_an_install_only_a_folder_is_made(machine: Machine) -> None:
    assert machine.run("pre", "18.11.9", 1) == (0, [])
    assert (machine.root / "var/log/gitlab/reconfigure").is_dir()
    assert machine.calls() == []


def test_a_good_upgrade_checks_and_saves(machine: Machine) -> None:
    assert machine.run("pre", "18.11.9", 2) == (0, [FIRST, SECOND])
    assert machine.calls() == [*CHECKS, *SAVES]


@pytest.mark.parametrize(
    ("installed", "incoming", "stop", "link"),
    [
        pytest.param("18.8.11", "19.2.2", "18.11", "#upgrading-to-a-new-major-version", id="other-major"),
        pytest.param("18.2.8", "18.8.11", "18.5", "index.html#upgrade-paths", id="same-major"),
    ],
)
def test_a_skipped_stop_is_refused(machine: Machine, installed: str, incoming: str, stop: str, link: str) -> None:
    machine.put("opt/gitlab/version-manifest.json", json.dumps({"build_version": installed}, indent=2))
    old, new = (".".join(version.split(".")[:2]) for version in (installed, incoming))
    assert machine.run("pre", incoming, 2) == (
        1,
        [
            f"{SAY} It seems you are upgrading from {old} to {new}.",
            f"{SAY} It is required to upgrade to the latest {stop}.x version first before proceeding.",
            f"{SAY} Please follow the upgrade documentation at https://docs.gitlab.com/ee/update/{link}",
        ],
    )
    assert machine.calls() == []


@pytest.mark.parametrize(
    ("installed", "incoming"),
    [
        pytest.param("18.8.11", "18.11.9", id="minimum-itself"),
        pytest.param("18.11.9", "18.11.11", id="patch"),
        pytest.param("18.11.9", "18.8.11", id="downgrade"),
        pytest.param("18.10.8", "18.11.9", id="ten-is-more-than-eight"),
        pytest.param("18.11.0", "19.2.2", id="any-patch-will-do"),
    ],
)
def test_the_stop_check_looks_at_the_minor_only(machine: Machine, installed: str, incoming: str) -> None:
    machine.put("opt/gitlab/version-manifest.json", json.dumps({"build_version": installed}, indent=2))
    machine.put("say-gitlab-psql", " 17.7\n\n")
    assert machine.run("pre", incoming, 2)[0] == 0


def test_check_config_of_the_installed_package_decides(machine: Machine) -> None:
    machine.put("code-gitlab-ctl", "1")
    machine.put("say-gitlab-ctl", "Deprecations found. Please correct them and try again.\n")
    assert machine.run("pre", "18.11.9", 2) == (1, ["Deprecations found. Please correct them and try again."])


@pytest.mark.parametrize(("incoming", "code"), [("18.1.6", 1), ("18.2.0", 0)], ids=["before-18.2", "from-18.2"])
def test_skip_fail_config_check(machine: Machine, incoming: str, code: int) -> None:
    machine.put("opt/gitlab/version-manifest.json", json.dumps({"build_version": "17.11.7"}, indent=2))
    machine.put("etc/gitlab/skip-fail-config-check")
    machine.put("code-gitlab-ctl", "1")
    assert machine.run("pre", incoming, 2)[0] == code
    assert ("--no-fail" in machine.calls()[0]) == (not code)


def test_an_old_postgresql_is_refused(machine: Machine) -> None:
    machine.put("opt/gitlab/version-manifest.json", json.dumps({"build_version": "18.11.9"}, indent=2))
    assert machine.run("pre", "19.2.2", 2) == (
        1,
        [
            f"{SAY} ",
            f"{SAY} Your version of PostgreSQL is no longer supported. Please upgrade your PostgreSQL version to 17.",
            f"{SAY} Check https://docs.gitlab.com/omnibus/settings/database.html#upgrade-packaged-postgresql-server "
            "for details.",
            f"{SAY} ",
            f"{SAY} Upgrade failed. Retry the upgrade after upgrading your PostgreSQL version.",
        ],
    )


def test_without_a_database_it_goes_on(machine: Machine) -> None:
    machine.put("code-gitlab-psql", "2")
    assert machine.run("pre", "18.11.9", 2) == (
        0,
        [
            f"{SAY} ",
            f"{SAY} This node does not appear to be running a database",
            f"{SAY} Skipping version check, if you think this is an error exit now",
            f"{SAY} ",
            FIRST,
            SECOND,
        ],
    )


@pytest.mark.parametrize("name", ["skip-auto-backup", "skip-auto-reconfigure"])
def test_skip_files_drop_both_saves_and_no_check(machine: Machine, name: str) -> None:
    machine.put(f"etc/gitlab/{name}")
    assert machine.run("pre", "18.11.9", 2) == (0, [])
    assert machine.calls() == CHECKS


def test_without_puma_nothing_is_saved_silently(machine: Machine) -> None:
    (machine.root / "opt/gitlab/service/puma").rmdir()
    assert machine.run("pre", "18.11.9", 2) == (0, [])
    assert machine.calls() == CHECKS


def test_a_failed_database_backup_ends_it(machine: Machine) -> None:
    machine.put("code-gitlab-rake", "1")
    code, lines = machine.run("pre", "18.11.9", 2)
    assert (code, lines) == (
        1,
        [
            FIRST,
            f"{SAY} ",
            f"{SAY} Database backup failed! If you want to skip this backup, run the following command and try again:",
            f"{SAY} ",
            f"{SAY}  sudo touch /etc/gitlab/skip-auto-backup",
            f"{SAY} ",
        ],
    )
    assert machine.calls()[-1] == BACKUP


def test_a_failed_configuration_backup_does_not(machine: Machine) -> None:
    machine.put("code-backup-etc", "1")
    code, lines = machine.run("pre", "18.11.9", 2)
    failed = "Configuration backup failed - check permissions for /etc/gitlab/config_backup/ [is it nfs root_squash?]"
    assert (code, lines[-1]) == (0, f"{SAY} {failed}")


@pytest.mark.parametrize(
    ("before", "url", "after"),
    [
        pytest.param(None, "gitlab.corp.test", "# head\nexternal_url 'http://gitlab.corp.test'\n", id="fresh"),
        pytest.param(None, "", "# head\nexternal_url 'http://gitlab.example.com'\n", id="fresh-without"),
        pytest.param("external_url 'http://old'\nx\n", "", "external_url 'http://old'\nx\n", id="kept"),
        pytest.param(
            "external_url ENV['X']\nx\n", "https://new.test", 'external_url "https://new.test"\nx\n', id="replaced"
        ),
        pytest.param("  external_url 'a'\n", "new.test", "  external_url 'a'\n", id="indented-is-not-touched"),
    ],
)
def test_external_url(machine: Machine, before: str | None, url: str, after: str) -> None:
    file = machine.root / "etc/gitlab/gitlab.rb"
    if before is not None:
        file.write_text(before)
        file.chmod(0o640)
    assert machine.run("post", "18.11.9", 1, EXTERNAL_URL=url) == (0, [])
    assert file.read_text() == after
    assert file.stat().st_mode & 0o777 == (0o600 if before is None else 0o640)


def test_links_come_and_go(machine: Machine) -> None:
    machine.run("post", "18.11.9", 1)
    assert sorted(path.name for path in (machine.root / "usr/bin").iterdir()) == sorted(NAMES)
    machine.put("etc/system-release")
    machine.run("postun", "18.11.9", 1)
    assert len(list((machine.root / "usr/bin").iterdir())) == len(NAMES)
    machine.run("postun", "18.11.9", 0)
    assert list((machine.root / "usr/bin").iterdir()) == []


@pytest.mark.parametrize("code", [0, 1])
def test_posttrans_is_the_upgrade(machine: Machine, code: int) -> None:
    machine.put("etc/gitlab/gitlab.rb", "external_url 'http://gitlab.corp.test'\n")
    machine.put("code-gitlab-ctl", str(code))
    stub = machine.root / "opt/gitlab/bin/gitlab-ctl"
    stub.write_text(stub.read_text().replace('"${0##*/} $*"', '"$EXTERNAL_URL $*"'))
    assert machine.run("posttrans", "18.11.9", 0)[0] == code
    assert machine.calls() == ["http://gitlab.corp.test upgrade"]
