# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Diagnostics, secrets, the runner, the loader."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from testbed.gitlab_server.rails import faults

from .conftest import VERSION, Instance


def sections(text: str) -> dict[str, dict[str, str]]:
    """Read env:info as a program does: at the first colon of a line."""
    found: dict[str, dict[str, str]] = {}
    for block in text.strip().split("\n\n"):
        title, *lines = block.splitlines()
        found[title] = {key: value.strip() for key, _colon, value in (line.partition(":") for line in lines)}
    return found


def test_env_info(gitlab: Instance) -> None:
    gitlab.settings(
        gitlab={"host": "gitlab.example.org", "https": True}, omniauth={"enabled": True, "providers": ["saml"]}
    )
    done = gitlab.rake("gitlab:env:info")
    info = sections(done.stdout)
    assert done.rc == 0
    assert list(info) == ["System information", "GitLab information", "GitLab Shell", "Gitaly"]
    assert info["GitLab information"]["Version"] == VERSION
    assert info["GitLab information"]["URL"] == "https://gitlab.example.org"
    assert info["GitLab information"]["Omniauth Providers"] == "saml"
    assert info["GitLab Shell"]["Version"] != VERSION
    assert "Bundler Version:2" in done.stdout  # no blank before this value (server facts 3.1)


def test_rails_that_does_not_start(gitlab: Instance) -> None:
    gitlab.fault("rails-boot", "a gem is missing")
    for done in (gitlab.rake("gitlab:env:info"), gitlab.runner("puts 1")):
        assert done.rc == 1
        assert "a gem is missing" in done.stderr


def test_every_fault_has_a_place_where_it_strikes() -> None:
    folder = Path(faults.__file__).parent
    code = "".join(path.read_text() for path in folder.rglob("*.py") if path.name != "faults.py")
    assert [name for name in faults.FAULTS if f'"{name}"' not in code] == []


def test_slow(gitlab: Instance) -> None:
    gitlab.fault("rake-slow", "0.3")
    started = time.monotonic()
    gitlab.rake("gitlab:env:info")
    assert time.monotonic() - started >= 0.3


def test_check_says_yes(gitlab: Instance) -> None:
    done = gitlab.rake("gitlab:check", SANITIZE="true")
    assert (done.rc, "Try fixing it:" in done.stdout) == (0, False)
    assert done.stdout.startswith("Checking GitLab subtasks ...\n\nChecking GitLab Shell ...\n")
    assert done.stdout.endswith("Checking GitLab subtasks ... Finished\n")


@pytest.mark.parametrize("why", ["fault", "migrations", "repositories"])
def test_check_says_no_and_ends_with_0(gitlab: Instance, why: str) -> None:
    if why == "fault":
        gitlab.fault("check-fails", "Sidekiq")
    elif why == "migrations":
        gitlab.install("18.9.8")
    else:
        gitlab.sql("INSERT INTO project_repositories (project_id, disk_path) VALUES (9, '@hashed/gone')")
    done = gitlab.rake("gitlab:check")
    assert done.rc == 0
    assert done.stdout.count("  Try fixing it:") == done.stdout.count("  Please fix the error above and rerun") == 1


def totals(gitlab: Instance) -> dict[str, int]:
    done = gitlab.rake("gitlab:doctor:secrets")
    assert done.rc == 0
    lines = [line.partition("INFO -- : ")[2] for line in done.stdout.splitlines()]
    assert (lines[0], lines[-1]) == ("Checking encrypted values in the database", "Done!")
    assert lines[-2].startswith("Total: ")
    found = {line[2:].split(" failures: ")[0]: int(line.rpartition(" ")[2]) for line in lines if line.startswith("- ")}
    return {**found, "Total": int(lines[-2].split()[1])}


def test_doctor_finds_lost_secrets_and_ends_with_0(gitlab: Instance) -> None:
    gitlab.rake("twin:load[5]")
    assert set(totals(gitlab).values()) == {0}
    gitlab.secret("another key")
    found = totals(gitlab)
    assert found["Ci::Variable"] == 5
    assert found["ApplicationSetting"] == 1
    assert found["Total"] == sum(number for model, number in found.items() if model != "Total")
    gitlab.secret("of this instance")
    assert set(totals(gitlab).values()) == {0}


def test_the_first_password_is_the_one_given(tmp_path: Path) -> None:
    passwords = []
    for name, password in (("a", "one"), ("b", "one"), ("c", "two")):
        gitlab = Instance(tmp_path / name)
        gitlab.places.database().unlink()
        assert gitlab.rake("gitlab:db:configure", GITLAB_ROOT_PASSWORD=password).rc == 0
        passwords.append(gitlab.sql("SELECT encrypted_password FROM users WHERE username = 'root'"))
    assert passwords[0] == passwords[1] != passwords[2]


@pytest.mark.parametrize(
    ("code", "said"),
    [("puts Gitlab::VERSION", VERSION), ("puts User.count", "1"), ("User.count", ""), ("print(Project.count)", "0")],
)
def test_runner(gitlab: Instance, code: str, said: str) -> None:
    assert gitlab.runner(code).stdout.strip() == said


def test_loaded_repositories_are_git_repositories_that_differ(gitlab: Instance) -> None:
    assert gitlab.rake("twin:load[4,2]").rc == 0
    found = sorted(gitlab.places.repositories.rglob("*.git"))
    refs = {
        subprocess.run(["git", "-C", str(path), "show-ref"], capture_output=True, check=True).stdout for path in found
    }
    assert len(found) == len(refs) == 4
    subprocess.run(["git", "-C", str(found[0]), "fsck", "--strict"], check=True, capture_output=True)
    assert sum(path.stat().st_size for path in gitlab.places.shared.rglob("fill-*")) >= 2 << 20


def test_loading_again_adds(gitlab: Instance) -> None:
    for count in ("4", "8"):
        assert gitlab.rake("twin:load[4]").rc == 0
        assert gitlab.sql("SELECT count(*) FROM projects") == count
        assert len(list(gitlab.places.repositories.rglob("*.git"))) == int(count)


def test_loaded_files_are_those_of_the_database(gitlab: Instance) -> None:
    gitlab.rake("twin:load[3]")
    for task in ("gitlab:uploads:check", "gitlab:lfs:check"):
        assert "- 1..3: Failures: 0" in gitlab.rake(task).stdout
    next(gitlab.places.uploads.rglob("screenshot.png")).unlink()
    assert "- 1..3: Failures: 1" in gitlab.rake("gitlab:uploads:check").stdout
