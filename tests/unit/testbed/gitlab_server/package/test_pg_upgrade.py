# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-ctl pg-upgrade and revert-pg-upgrade (observed 8)."""

from __future__ import annotations

import shutil
import types

import pytest

from .conftest import Ground

DATA = "var/opt/gitlab/postgresql/data"


@pytest.fixture
def node(ground: Ground) -> Ground:
    """18.11.9 over PostgreSQL 16."""
    ground.put(f"{DATA}/PG_VERSION", "16\n")
    ground.put(f"{DATA}/gitlabhq_production.sqlite", "rows")
    return ground


def test_a_good_run(node: Ground) -> None:
    code, out, err = node.ctl("pg-upgrade", "-w")
    assert (code, err) == (0, "")
    assert "Waiting 30 seconds" not in out
    assert "Upgrading PostgreSQL to 17.7\n" in out
    assert out.endswith(
        "==== Upgrade has completed ====\nPlease verify everything is working and run the following if so\n"
        "sudo rm -rf /var/opt/gitlab/postgresql/data.16\nsudo rm -f /var/opt/gitlab/postgresql-version.old\n"
    )
    room = node.places.postgresql
    assert (room / "data/PG_VERSION").read_text() == "17\n"
    assert (room / "data/gitlabhq_production.sqlite").read_text() == "rows"
    assert (room / "data.16/PG_VERSION").read_text() == "16\n"
    assert (node.places.var / "postgresql-version.old").exists()


def test_without_no_wait_it_waits(node: Ground) -> None:
    _code, out, _err = node.ctl("pg-upgrade")
    assert "Waiting 30 seconds to ensure tasks complete before PostgreSQL upgrade.\n" in out


@pytest.mark.parametrize(
    ("version", "cluster", "words", "code", "err"),
    [
        pytest.param(
            "18.11.9", "17", "", 0, "The latest version 17.7 is already running, nothing to do\n", id="newest-already"
        ),
        pytest.param(
            "19.3.0", "17", "", 0, "The latest version 17.7 is already running, nothing to do\n", id="19.3-plain"
        ),
        pytest.param(
            "18.11.9",
            "16",
            "-V 15",
            1,
            "The specified major version 15 is not supported. Choose from one of 16, 17.\n",
            id="not-shipped",
        ),
        pytest.param("18.11.9", "16", "--frob", 1, None, id="bad-option"),
        pytest.param(
            "18.11.9",
            "16",
            "--timeout abc",
            64,
            "Command line parameter error: invalid value for duration: `abc`\n",
            id="bad-timeout",
        ),
    ],
)
def test_nothing_is_done(node: Ground, version: str, cluster: str, words: str, code: int, err: str | None) -> None:
    node.install(version)
    node.put(f"{DATA}/PG_VERSION", f"{cluster}\n")
    found, _out, said = node.ctl("pg-upgrade", "-w", *words.split())
    assert found == code
    assert err is None or said == err
    assert (node.places.postgresql / "data/PG_VERSION").read_text() == f"{cluster}\n"


def test_19_3_goes_to_18_by_name(node: Ground) -> None:
    node.install("19.3.0")
    node.put(f"{DATA}/PG_VERSION", "17\n")
    assert node.ctl("pg-upgrade", "-w", "-V", "18")[0] == 0
    assert (node.places.postgresql / "data/PG_VERSION").read_text() == "18\n"


def test_service_disabled(node: Ground) -> None:
    (node.places.services / "postgresql").rmdir()
    del node.play.states["postgresql"]
    code, _out, err = node.ctl("pg-upgrade", "-w")
    assert (code, err) == (0, "No currently installed postgresql in the omnibus instance found.\n")


def test_version_pinned(node: Ground) -> None:
    node.put("etc/gitlab/gitlab.rb", "postgresql['version'] = 16\n")
    code, out, err = node.ctl("pg-upgrade", "-w")
    assert (code, err) == (0, "")
    pinned = "postgresql['version'] is set in /etc/gitlab/gitlab.rb. Not checking for a PostgreSQL upgrade\n"
    assert out.endswith(pinned)


@pytest.mark.parametrize(
    ("left", "code", "err"),
    [
        pytest.param(
            "data.16",
            1,
            "Detected a potential failed upgrade.  Directory /var/opt/gitlab/postgresql/data.16 already exists.\n",
            id="old-data",
        ),
        pytest.param(
            "data.17",
            0,
            "Cannot upgrade, /var/opt/gitlab/postgresql/data.17 is not empty. "
            "Move or delete this directory to proceed with upgrade\n",
            id="new-data",
        ),
    ],
)
def test_left_overs(node: Ground, left: str, code: int, err: str) -> None:
    node.put(f"var/opt/gitlab/postgresql/{left}/PG_VERSION", "1\n")
    found, _out, said = node.ctl("pg-upgrade", "-w")
    assert (found, said) == (code, err)
    assert (node.places.postgresql / "data/PG_VERSION").read_text() == "16\n"


@pytest.mark.parametrize(("words", "code"), [("-w", 1), ("-w --skip-disk-check", 0)], ids=["checked", "skipped"])
def test_space(node: Ground, monkeypatch: pytest.MonkeyPatch, words: str, code: int) -> None:
    (node.places.postgresql / "data/big").write_bytes(bytes(30 << 20))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: types.SimpleNamespace(free=2 << 20))
    found, _out, err = node.ctl("pg-upgrade", *words.split())
    assert found == code
    assert err == ("Upgrade requires 61MB, but only 2MB is free.\n" if code else "")


def test_pg_upgrade_fails(node: Ground) -> None:
    node.put("var/opt/gitlab-twin/faults/pg-upgrade-fails", "connection to server failed")
    code, out, _err = node.ctl("pg-upgrade", "-w")
    assert code == 1
    assert "Error upgrading the data to version 17.7\nSTDOUT: connection to server failed\nSTDERR: \n" in out
    assert out.endswith(
        "== Fatal error ==\nError running pg_upgrade, please check logs\n== Reverting ==\n== Reverted ==\n"
        "== Reverted to 16.11. Please check output for what went wrong ==\n"
    )
    assert set(node.play.states.values()) == {"up"}
    assert (node.places.postgresql / "data/PG_VERSION").read_text() == "16\n"
    assert (node.places.postgresql / "data.17").is_dir()


def test_revert(node: Ground) -> None:
    node.ctl("pg-upgrade", "-w")
    node.put(f"{DATA}/gitlabhq_production.sqlite", "later rows")
    code, _out, _err = node.ctl("revert-pg-upgrade")
    assert code == 0
    room = node.places.postgresql
    assert (room / "data/PG_VERSION").read_text() == "16\n"
    assert (room / "data/gitlabhq_production.sqlite").read_text() == "rows"
    assert sorted(path.name for path in room.iterdir()) == ["data"]
    assert not (node.places.var / "postgresql-version.old").exists()


@pytest.mark.parametrize(
    ("words", "code", "err"),
    [
        pytest.param("", 1, "Already running 16.11\n", id="nothing-to-revert"),
        pytest.param(
            "--timeout abc",
            64,
            "Command line parameter error: invalid value for duration: `abc`\n",
            id="bad-timeout",
        ),
    ],
)
def test_no_revert(node: Ground, words: str, code: int, err: str) -> None:
    assert node.ctl("revert-pg-upgrade", *words.split()) == (code, "", err)
