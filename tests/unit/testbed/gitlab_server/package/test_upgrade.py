# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-ctl upgrade, which a package runs when all is in place (observed 3)."""

from __future__ import annotations

import pytest

from .conftest import Ground

STEP = "\rChecking PostgreSQL executables:"
OK = f"{STEP}Chef on postgresql-bin.json\n{STEP} \033[32mOK\033[0m\n"
SKIPPED = "It looks like GitLab has not been configured yet; skipping the upgrade script.\n"
BACKUP = "backup made during the upgrade (scroll up for the filename).\n"


@pytest.fixture
def node(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """A node on which 19.2.2 has just been put over 18.11.9."""
    monkeypatch.setenv("EXTERNAL_URL", "http://gitlab.corp.test")
    ground.install("19.2.2")
    return ground


def test_a_good_run(node: Ground) -> None:
    node.play.states["sidekiq"] = "down"
    code, out, err = node.ctl("upgrade")
    assert (code, err) == (0, "")
    assert out == OK + (
        "Shutting down all GitLab services except those needed for migrations\n"
        "ok: down: puma: 0s, normally up\n"
        "ok: down: sidekiq: 0s, normally up\n"
        "Ensuring the required services are running\n"
        "ok: run: gitaly: (pid 7) 0s\n"
        "ok: run: postgresql: (pid 7) 0s\n"
        "ok: run: redis: (pid 7) 0s\n"
        "run: gitaly: (pid 7) 5s; run: log: (pid 6) 9s\n"
        "run: postgresql: (pid 7) 5s; run: log: (pid 6) 9s\n"
        "run: redis: (pid 7) 5s; run: log: (pid 6) 9s\n"
        "Reconfigure GitLab to apply migrations\n"
        "Chef on dna.json\n"
        "gitlab Reconfigured!\n"
        "Restarting previously running GitLab services\n"
        "ok: run: gitaly: (pid 7) 0s\n"
        "ok: run: postgresql: (pid 7) 0s\n"
        "ok: run: puma: (pid 7) 0s\n"
        "ok: run: redis: (pid 7) 0s\n"
        "Upgrade complete! If your GitLab server is misbehaving try running\n"
        "  sudo gitlab-ctl restart\n"
        "before anything else.\n"
        "If you need to roll back to the previous version you can use the database\n" + BACKUP
    )
    assert node.play.states["sidekiq"] == "down"


def test_without_a_backup_it_says_so(node: Ground) -> None:
    node.put("etc/gitlab/skip-auto-backup")
    code, out, _err = node.ctl("upgrade")
    assert code == 0
    assert "The automatic database backup was skipped as requested.\n" in out
    assert BACKUP not in out


def test_skip_auto_reconfigure_claims_a_backup_and_migrates_nothing(node: Ground) -> None:
    node.put("etc/gitlab/skip-auto-reconfigure")
    code, out, _err = node.ctl("upgrade")
    assert code == 0
    assert out.startswith(OK + "Found /etc/gitlab/skip-auto-reconfigure, exiting...\nUpgrade complete!")
    assert out.endswith(BACKUP)
    assert node.play.calls.count("dna.json") == 0


def test_reconfigure_fails(node: Ground) -> None:
    node.play.chef_code = 1
    code, out, _err = node.ctl("upgrade")
    assert code == 1
    assert out.endswith(
        "Chef on dna.json\n===\n"
        "There was an error running gitlab-ctl reconfigure. Please check the output above for more\ndetails.\n===\n"
    )
    assert (node.play.states["puma"], node.play.states["sidekiq"]) == ("down", "down")


def test_a_needed_service_does_not_come_up(node: Ground) -> None:
    node.play.states["gitaly"] = "crash"
    code, out, _err = node.ctl("upgrade")
    assert code == 1
    assert "timeout: down: gitaly: 0s, normally up, want up\n" in out
    assert out.count("down: gitaly: 1s, normally up, want up; run: log") == 30
    assert out.endswith("Failed to start gitaly for migrations\n")
    assert node.play.states["puma"] == "down"


def test_redis_loses_its_dump(node: Ground) -> None:
    node.play.states["redis"] = "crash"
    dump = node.put("var/opt/gitlab/redis/dump.rdb")
    code, out, _err = node.ctl("upgrade")
    assert "Failed starting Redis; retrying after removing /var/opt/gitlab/redis/dump.rdb\n" in out
    assert (code, dump.exists()) == (1, False)  # the play's redis stays broken


@pytest.mark.parametrize("states", [{}, {"sidekiq": "unsupervised"}], ids=["no-service", "one-without-runsv"])
def test_not_configured_is_skipped_with_0(node: Ground, states: dict[str, str]) -> None:
    if states:
        node.play.states.update(states)
    else:
        node.places.services.rename(node.places.root / "gone")
    code, out, _err = node.ctl("upgrade")
    assert code == 0
    assert out.startswith(SKIPPED)
    assert "Thank you for installing GitLab!\nGitLab should be available at http://gitlab.corp.test\n" in out
    assert node.play.calls.count("dna.json") == 0


@pytest.mark.parametrize(
    ("url", "reconfigured", "text"),
    [
        pytest.param("http://gitlab.corp.test", 1, "GitLab should be available at http://gitlab.corp.test\n", id="url"),
        pytest.param("http://gitlab.example.com", 0, "GitLab was unable to detect a valid hostname", id="default"),
    ],
)
def test_a_fresh_host(node: Ground, monkeypatch: pytest.MonkeyPatch, url: str, reconfigured: int, text: str) -> None:
    """A real URL makes the package configure itself, skip file or not."""
    monkeypatch.setenv("EXTERNAL_URL", url)
    node.places.bootstrapped.unlink()
    node.places.services.rename(node.places.root / "gone")
    node.put("etc/gitlab/skip-auto-reconfigure")
    code, out, _err = node.ctl("upgrade")
    assert (code, node.play.calls.count("dna.json")) == (0, reconfigured)
    assert text in out
    assert (SKIPPED in out) == (not reconfigured)


def test_a_fresh_host_that_does_not_reconfigure(node: Ground) -> None:
    node.places.bootstrapped.unlink()
    node.play.chef_code = 1
    code, out, _err = node.ctl("upgrade")
    assert (code, "Thank you" in out) == (1, False)


def test_public_attributes_are_missing(node: Ground) -> None:
    node.places.public_attributes.unlink()
    text = "It looks like there was a problem with public attributes; run gitlab-ctl reconfigure manually to fix.\n"
    assert node.ctl("upgrade") == (1, text, "")


def test_postgresql_is_upgraded_by_the_releases_that_do(node: Ground) -> None:
    node.install("18.11.9")
    node.put("var/opt/gitlab/postgresql/data/PG_VERSION", "16\n")
    code, out, _err = node.ctl("upgrade")
    assert code == 0
    assert "\rEnsuring PostgreSQL is updated: \033[32mOK" in out
    assert (node.places.postgresql / "data/PG_VERSION").read_text() == "17\n"


def test_postgresql_stays_when_told(node: Ground) -> None:
    node.install("18.11.9")
    node.put("var/opt/gitlab/postgresql/data/PG_VERSION", "16\n")
    node.put("etc/gitlab/disable-postgresql-upgrade")
    code, out, _err = node.ctl("upgrade")
    assert code == 0
    assert "===\nSkipping the check for newer PostgreSQL version and automatic upgrade.\n" in out
    assert (node.places.postgresql / "data/PG_VERSION").read_text() == "16\n"


def test_a_failed_postgresql_upgrade_ends_it_with_puma_up(node: Ground) -> None:
    node.install("18.11.9")
    node.put("var/opt/gitlab/postgresql/data/PG_VERSION", "16\n")
    node.put("var/opt/gitlab-twin/faults/pg-upgrade-fails", "could not connect")
    code, out, _err = node.ctl("upgrade")
    assert code == 1
    assert out.endswith("Error ensuring PostgreSQL is updated. Please check the logs\n")
    assert (node.play.states["puma"], node.play.calls.count("dna.json")) == ("up", 0)


def test_the_run_after_it_counts_as_ok_and_migrates_on_the_old_one(node: Ground) -> None:
    node.install("18.11.9")
    node.put("var/opt/gitlab/postgresql/data/PG_VERSION", "16\n")
    fault = node.put("var/opt/gitlab-twin/faults/pg-upgrade-fails")
    node.ctl("upgrade")
    fault.unlink()
    code, out, err = node.ctl("upgrade")
    assert (code, node.play.calls.count("dna.json")) == (0, 1)
    assert "Cannot upgrade, /var/opt/gitlab/postgresql/data.17 is not empty." in err
    assert "\rEnsuring PostgreSQL is updated: \033[32mOK" in out
    assert (node.places.postgresql / "data/PG_VERSION").read_text() == "16\n"
