# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fingerprint's SQL on a real PostgreSQL with GitLab's table names, its digests on real repositories."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import time
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _git_refs,
    _gitlab_fingerprint,
    _gitlab_psql,
    _host_command,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_fingerprint import (
    Fingerprint,
    Places,
    Rows,
    differences,
)
from testbed import postgresql
from unit.plugins.module_utils.psql import Psql

GITLAB = """\
CREATE TABLE users (id bigserial PRIMARY KEY, username text);
CREATE TABLE projects (id bigserial PRIMARY KEY, name text);
CREATE TABLE issues (id bigserial PRIMARY KEY);
CREATE TABLE p_ci_builds (id bigint, partition_id bigint NOT NULL) PARTITION BY LIST (partition_id);
CREATE TABLE ci_builds PARTITION OF p_ci_builds FOR VALUES IN (100);
CREATE TABLE ci_builds_101 PARTITION OF p_ci_builds FOR VALUES IN (101);
CREATE TABLE ci_pipelines (id bigserial PRIMARY KEY);
CREATE SCHEMA gitlab_partitions_dynamic;
CREATE TABLE gitlab_partitions_dynamic.notes (id bigserial PRIMARY KEY);
CREATE TABLE labels (name text);
INSERT INTO users (username) SELECT 'user' || n FROM generate_series(1, 3000) AS n;
INSERT INTO projects (name) VALUES ('a'), ('b');
DELETE FROM projects WHERE name = 'b';
INSERT INTO p_ci_builds VALUES (1, 100), (2, 100), (7, 101);
"""
COUNTED = {
    "ci_builds": Rows(3, 7),
    "ci_pipelines": Rows(0, None),
    "issues": Rows(0, None),
    "projects": Rows(1, 1),
    "users": Rows(3000, 3000),
}


def test_tables_are_counted_in_one_call(cluster: postgresql.Cluster, database: str, gitlab_psql: Psql) -> None:
    cluster.sql(GITLAB, database)
    assert _gitlab_fingerprint.tables(gitlab_psql) == COUNTED
    assert len(gitlab_psql.calls) == 1


def test_the_call_changes_nothing_and_is_not_ended_by_the_servers_timeout(database: str, gitlab_psql: Psql) -> None:
    shown = _gitlab_psql.rows(
        gitlab_psql,
        ["SHOW statement_timeout;", "SHOW transaction_read_only;", "SHOW transaction_isolation;"],
        timeout=60,
    )
    assert shown == [["0"], ["on"], ["repeatable read"]]


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        pytest.param("", "none of GitLab's tables", id="an-empty-database"),
        pytest.param("DROP DATABASE gitlabhq_production WITH (FORCE)", "does not exist", id="no-database"),
    ],
)
def test_a_lost_database_is_said(
    cluster: postgresql.Cluster, database: str, gitlab_psql: Psql, prepare: str, words: str
) -> None:
    if prepare:
        cluster.sql(prepare)
    found = _gitlab_fingerprint.take(gitlab_psql, ["database"])
    assert found.tables is None
    assert words in found.unread["database"]
    assert [one.part for one in differences(Fingerprint(tables=COUNTED), found)] == ["database"]


@pytest.mark.parametrize(
    ("rc", "words"),
    [
        pytest.param(_host_command.TIMED_OUT, "no answer within 9 s", id="timeout"),
        pytest.param(2, "ended with 2: could not connect", id="down"),
    ],
)
def test_a_database_that_is_down(rc: int, words: str) -> None:
    def run(*unused: t.Any, **more: t.Any) -> _host_command.Completed:
        return _host_command.Completed(rc, "", "could not connect")

    with pytest.raises(_gitlab_psql.DatabaseError, match=words):
        _gitlab_psql.rows(run, ["SELECT 1;"], timeout=9)


def shell(script: str, cwd: pathlib.Path) -> None:
    """Run git commands; nobody's own git configuration has a say."""
    who = {f"GIT_{role}_{what}": "a@b.test" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["sh", "-ec", script], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


MAKE = """
git init --quiet --bare --initial-branch=main
tree=$(git mktree </dev/null)
first=$(git commit-tree $tree -m first)
git update-ref refs/heads/main $(git commit-tree $tree -p $first -m second)
git update-ref refs/heads/old $first
git update-ref refs/keep-around/$first $first
git tag -a v1 -m one $first
"""
SAME = {
    "packed": "git pack-refs --all",
    "collected": "git gc --quiet",
    "partly-packed": "git pack-refs --all; git branch -f old main; git branch -f old v1",
    "transient-ref": "git update-ref refs/tmp/x main",
    "lock": "touch refs/heads/main.lock",
}
OTHER = {
    "moved": "git update-ref refs/heads/main old",
    "moved-after-packing": "git pack-refs --all; git update-ref refs/heads/main old",
    "new": "git update-ref refs/heads/new old",
    "lost": "git update-ref -d refs/heads/old",
    "lost-tag": "git tag -d v1",
    "lost-own-ref": "rm -r refs/keep-around",
    "swapped": "git branch x main; git update-ref refs/heads/main old; git branch -f old x; git branch -D x",
    "default-branch": "git symbolic-ref HEAD refs/heads/old",
}


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> pathlib.Path:
    """A bare repository with two branches, a tag with a message and one of GitLab's own refs."""
    path = tmp_path / "repositories" / "@hashed" / "ab" / "cd" / "abcd.git"
    path.mkdir(parents=True)
    shell(MAKE, path)
    return path


def digest(path: pathlib.Path) -> str:
    return _git_refs.digest(str(path), _host_command.run)


@pytest.mark.parametrize("what", SAME)
def test_a_digest_stays(repository: pathlib.Path, what: str) -> None:
    before = digest(repository)
    shell(SAME[what], repository)
    assert digest(repository) == before


@pytest.mark.parametrize("what", OTHER)
def test_a_digest_changes(repository: pathlib.Path, what: str) -> None:
    before = digest(repository)
    shell(OTHER[what], repository)
    assert digest(repository) != before


def test_a_clone_made_from_a_bundle_has_the_same_digest(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """As GitLab's restore makes them: every ref from a bundle, into a new repository."""
    restored = tmp_path / "restored.git"
    shell(
        f"git bundle create {tmp_path}/all --all; git init --quiet --bare --initial-branch=main {restored};"
        f" git --git-dir {restored} fetch --quiet {tmp_path}/all 'refs/*:refs/*'",
        repository,
    )
    assert digest(restored) == digest(repository)


def test_git_is_asked_where_the_files_are_its_own(repository: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository with reftable; git itself answers as the files of the other kind do."""
    monkeypatch.setattr(_git_refs, "GIT", "git")
    of_files = digest(repository)
    (repository / "reftable").mkdir()
    assert digest(repository) == of_files


def test_repositories_are_found_where_gitlab_keeps_them(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    root = tmp_path / "repositories"
    for name in ("@snippets/1/2/s.git", "@pools/1/2/p.git", "+gitaly/tmp/t.git", "@hashed/ab/cd/abcd+7+deleted.git"):
        shutil.copytree(repository, root / name)
    shell("git init --quiet --bare @hashed/ab/cd/abcd.wiki.git", root)
    (root / "@hashed/ff/ff/broken.git").mkdir(parents=True)
    found = dict(_git_refs.digests(str(root), _host_command.run, until=time.monotonic() + 60))
    assert found == {
        "@hashed/ab/cd/abcd.git": digest(repository),
        "@hashed/ab/cd/abcd.wiki.git": _git_refs.EMPTY,
        "@hashed/ff/ff/broken.git": _git_refs.UNREADABLE,
        "@snippets/1/2/s.git": digest(repository),
    }


def test_time_is_bounded(repository: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(_git_refs.RefsError, match="more repositories than could be read"):
        dict(_git_refs.digests(str(tmp_path), _host_command.run, until=time.monotonic() - 1))


SECRETS = {
    "gitlab_rails": {"db_key_base": "a" * 128, "otp_key_base": "b" * 128},
    "gitlab_pages": {"api_secret_key": "k"},
}
KEYS = ["gitlab_pages.api_secret_key", "gitlab_rails.db_key_base", "gitlab_rails.otp_key_base"]


@pytest.fixture
def places(tmp_path: pathlib.Path, repository: pathlib.Path) -> Places:
    config = tmp_path / "config.toml"
    other = tmp_path / "other"
    other.mkdir()
    root = repository.parents[3]
    config.write_text(
        f"bin_dir = '/opt'\n[[storage]]\nname = 'default'\npath = '{root}'\n\n"
        f'[[storage]]\n  name = "other"\n  path = "{other}"\n[logging]\nformat = "json"\n'
    )
    secrets = tmp_path / "gitlab-secrets.json"
    secrets.write_text(json.dumps(SECRETS))
    return Places(str(config), str(secrets))


def taken(places: Places) -> Fingerprint:
    lines = [f"table|{name}|{row.count}|{'' if row.max_id is None else row.max_id}" for name, row in COUNTED.items()]
    answer = _host_command.Completed(0, "\n".join(lines))
    return _gitlab_fingerprint.take(lambda *unused, **more: answer, places=places)


def test_a_fingerprint_survives_json_and_shows_no_secret(places: Places) -> None:
    found = taken(places)
    text = json.dumps(found.as_dict())
    assert Fingerprint.from_dict(json.loads(text)) == found
    assert not found.unread
    assert list(found.secrets or {}) == KEYS
    assert not any(secret in text for secret in ("a" * 128, "b" * 128, '"k"'))
    with pytest.raises(ValueError, match="format 2"):
        Fingerprint.from_dict({**found.as_dict(), "format": 2})


REPOSITORY = "default/@hashed/ab/cd/abcd.git"
SECRETS_FILE = "$PWD/../../../../../gitlab-secrets.json"
# What is done in the repository's directory, and what must differ then.
DAMAGES: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "none": (":", []),
    "reformatted-secrets": (f"python3 -m json.tool {SECRETS_FILE} x; mv x {SECRETS_FILE}", []),
    "an-empty-repository-less": ("rm -r ../empty.git", []),
    "lost-repository": ("rm -r ../abcd.git", [("repositories", REPOSITORY)]),
    "emptied-repository": ("rm -r ../abcd.git/*", [("repositories", REPOSITORY)]),
    "lost-repositories": ("rm -r ../../../../../repositories", [("repositories", "all")]),
    "lost-secrets": (f"rm {SECRETS_FILE}", [("secrets", "all")]),
    "broken-secrets": (f"echo {{ > {SECRETS_FILE}", [("secrets", "all")]),
    "one-secret": (f'sed -i \'s/"k"/"l"/\' {SECRETS_FILE}', [("secrets", KEYS[0])]),
    "one-secret-more": (f'sed -i \'s/"k"/"k", "m": 1/\' {SECRETS_FILE}', [("secrets", "gitlab_pages.m")]),
    "new-secrets": (f"sed -i s/aaa/ccc/ {SECRETS_FILE}", [("secrets", name) for name in KEYS]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_changes_it(places: Places, repository: pathlib.Path, damage: str) -> None:
    shell("git init --quiet --bare ../empty.git", repository)
    before = taken(places)
    script, expected = DAMAGES[damage]
    shell(script, repository)
    assert [(one.part, one.name) for one in differences(before, taken(places))] == expected


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        pytest.param({"users": Rows(3000, 3000)}, [], id="same"),
        pytest.param({"users": Rows(2999, 3000)}, ["users"], id="one-row-less"),
        pytest.param({"users": Rows(3000, 3001)}, ["users"], id="one-row-for-another"),
        pytest.param({"users": Rows(3000, 3000), "notes": Rows(0, None)}, ["notes"], id="a-table-more"),
        pytest.param({"notes": Rows(0, None)}, ["notes", "users"], id="a-table-less"),
    ],
)
def test_tables_are_compared(tables: dict[str, Rows], expected: list[str]) -> None:
    found = differences(Fingerprint(tables={"users": Rows(3000, 3000)}), Fingerprint(tables=tables))
    assert [one.name for one in found] == expected


def test_a_part_that_nobody_asked_for_is_not_compared() -> None:
    assert differences(Fingerprint(secrets={"a": "1"}), Fingerprint(tables={}, secrets={"a": "1"})) == []
    assert dataclasses.asdict(Fingerprint())["tables"] is None
