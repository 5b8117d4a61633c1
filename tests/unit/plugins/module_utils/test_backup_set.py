# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of sets, and a manifest that survives writing and reading, and refuses what can't be."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_set
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import (
    Archive,
    Kind,
    Manifest,
    Part,
    Pieces,
    Release,
    SetError,
    State,
)

ID = "1795504809_2026_11_24_18.11.4"
SUM = base64.b64encode(bytes(32)).decode()
PARTS = (Part("db", State.INCLUDED, 2, 900), Part("registry", State.SKIPPED), Part("pages", State.DISABLED))
APPLICATION = Archive(Kind.APPLICATION, f"{ID}_gitlab_backup.tar", 10240, "a" * 64, 3, PARTS, Pieces(8192, (SUM, SUM)))
CONFIGURATION = Archive(Kind.CONFIGURATION, "gitlab_config_1795504809_2026_11_24.tar", 512, "b" * 64, 2)
MANIFEST = Manifest(
    id=ID,
    release=Release("18.11.4", "gitlab-ce-18.11.4-ce.0.el9"),
    archives=(APPLICATION, CONFIGURATION),
    host="gitlab.example.com",
    began="2026-11-24T07:20:09Z",
    ended="2026-11-24T07:31:40Z",
    tool="0.1.0",
    options={"skip": ["registry"]},
    information={"db_version": "20261101000000"},
    secrets_sha256="c" * 64,
    fingerprint_before={"tables": {"projects": [3, 9]}},
    warnings=("one",),
)


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert _backup_set.load(_backup_set.dump(MANIFEST), "x") == MANIFEST


def test_what_a_manifest_answers() -> None:
    assert (MANIFEST.application, MANIFEST.configuration) == (APPLICATION, CONFIGURATION)
    assert MANIFEST.skipped == ("registry",)
    assert MANIFEST.size == 10752
    assert MANIFEST.files[-1] == "manifest.json"


@pytest.mark.parametrize(
    ("version", "expected", "edition"),
    [
        pytest.param("18.11.4", ID, "ce", id="ce"),
        pytest.param("18.11.4-ee", f"{ID}-ee", "ee", id="ee"),
        pytest.param("18.11.4-pre", f"{ID}-pre", "ce", id="pre"),
        pytest.param("18.11.0-rc42-ee", "1795504809_2026_11_24_18.11.0-rc42-ee", "ee", id="rc"),
    ],
)
def test_ids_are_those_of_gitlab(version: str, expected: str, edition: str) -> None:
    made = _backup_set.new_id(1795504809.9, version)
    assert (made, Release(version).edition) == (expected, edition)
    assert _backup_set.made_at(made) == 1795504809


@pytest.mark.parametrize("text", ["", "latest", f"{ID}_gitlab_backup.tar", f"../{ID}", f"{ID}\n", "1795504809"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(SetError, match="gitlab_backup_info lists the sets"):
        _backup_set.checked_id(text)


def _edited(**changes: t.Any) -> str:
    return json.dumps({**json.loads(_backup_set.dump(MANIFEST)), **changes})


def _with_archive(number: int, **changes: t.Any) -> str:
    archives = json.loads(_backup_set.dump(MANIFEST))["archives"]
    archives[number].update(changes)
    return _edited(archives=archives)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(_backup_set.dump(MANIFEST)[:200], "cut off or damaged", id="cut-off"),
        pytest.param("", "cut off or damaged", id="empty"),
        pytest.param("[]", "format None", id="no-mapping"),
        pytest.param(_edited(format=2), "reads format 1", id="newer"),
        pytest.param(_edited(id="latest"), "not the id of a backup set", id="id"),
        pytest.param(_edited(archives=[]), "0 archives of the kind application", id="no-archives"),
        pytest.param(_edited(gitlab={"version": "18.11.3"}), "said to be of GitLab 18.11.3", id="other-version"),
        pytest.param(_edited(gitlab={}), "KeyError 'version'", id="no-version"),
        pytest.param(_with_archive(1, file="../../etc/passwd"), "not allowed", id="climbs-out"),
        pytest.param(_with_archive(1, file="manifest.json"), "not allowed", id="over-the-manifest"),
        pytest.param(_with_archive(0, file="other_gitlab_backup.tar"), "is called other", id="other-name"),
        pytest.param(_with_archive(1, sha256="B" * 64), "can't be", id="checksum"),
        pytest.param(_with_archive(1, size=-1), "can't be", id="size"),
        pytest.param(_with_archive(1, kind="application"), "2 archives", id="two-of-a-kind"),
        pytest.param(_with_archive(0, pieces={"size": 8192, "sha256": [SUM]}), "not 1 pieces", id="pieces-missing"),
        pytest.param(_with_archive(0, pieces={"size": 10240, "sha256": ["AAAA"]}), "no sha256", id="piece-checksum"),
    ],
)
def test_a_wrong_manifest_is_refused(text: str, words: str) -> None:
    with pytest.raises(SetError, match=words):
        _backup_set.load(text, "/sets/x/manifest.json")
