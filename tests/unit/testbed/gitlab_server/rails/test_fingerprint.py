# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be lost is seen by the collection's own fingerprint, and is gone after a restore."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_fingerprint, _host_command
from testbed.gitlab_server.rails import damage

from .conftest import Instance

YES = {"GITLAB_ASSUME_YES": "1", "force": "yes"}
KEY = "of this instance"


def fingerprint(gitlab: Instance) -> _gitlab_fingerprint.Fingerprint:
    def run(argv: t.Sequence[str], **options: t.Any) -> _host_command.Completed:
        if not argv[0].endswith("gitlab-psql"):
            return _host_command.run(argv, **options)
        done = gitlab.psql("-h", str(gitlab.places.postgresql), *argv[1:], stdin=options["input"])
        return _host_command.Completed(done.rc, done.stdout, done.stderr)

    config = gitlab.places.root / "gitaly.toml"
    config.write_text(f'[[storage]]\nname = "default"\npath = "{gitlab.places.repositories}"\n')
    secrets = gitlab.places.root / "etc/gitlab/gitlab-secrets.json"
    return _gitlab_fingerprint.take(run, places=_gitlab_fingerprint.Places(str(config), str(secrets)))


@pytest.fixture
def loaded(gitlab: Instance) -> Instance:
    assert gitlab.rake("twin:load[5]").rc == 0
    write_secrets(gitlab, KEY)
    return gitlab


def write_secrets(gitlab: Instance, key: str) -> None:
    """Do what reconfigure does: keep the file's keys, or make new ones, and render them for Rails."""
    path = gitlab.places.root / "etc/gitlab/gitlab-secrets.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"gitlab_rails": {"db_key_base": key}}))
    gitlab.secret(key)


def test_nothing_is_unread_and_nothing_differs(loaded: Instance) -> None:
    first, second = fingerprint(loaded), fingerprint(loaded)
    assert first.unread == {}
    assert first.tables is not None
    assert first.repositories is not None
    assert set(first.tables) == set(_gitlab_fingerprint.TABLES)
    assert len(set(first.repositories.values())) == 5
    assert _gitlab_fingerprint.differences(first, second) == []


@pytest.mark.parametrize("kind", ["database", "repositories", "secrets"])
def test_each_damage_is_seen_and_mended(loaded: Instance, kind: str) -> None:
    before = fingerprint(loaded)
    assert loaded.rake("gitlab:backup:create", BACKUP="mine").rc == 0
    damage.inflict(kind, loaded.places)
    seen = _gitlab_fingerprint.differences(before, fingerprint(loaded))
    assert {difference.part for difference in seen} == {kind}
    write_secrets(loaded, KEY)
    assert loaded.rake("gitlab:db:configure").rc == 0
    assert loaded.rake("gitlab:backup:restore", BACKUP="mine", **YES).rc == 0
    assert _gitlab_fingerprint.differences(before, fingerprint(loaded)) == []


def test_older_code_over_a_newer_schema_is_seen(loaded: Instance) -> None:
    loaded.install("18.11.9")
    assert loaded.rake("gitlab:db:configure").rc == 0
    before = fingerprint(loaded)
    loaded.install("18.8.7")
    assert loaded.rake("gitlab:db:configure").rc == 0
    assert [one.name for one in _gitlab_fingerprint.differences(before, fingerprint(loaded))] == ["users"]
