# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates of templates: they pass what the roles bring, and they can fail."""

from __future__ import annotations

import pathlib
import shutil

import pytest
from gates import places, templates

BAD = pathlib.Path(__file__).parent / "templates" / "bad.template"
ARTIFACTS = places.ROOT / "roles" / "cloudformation_stack" / "files" / "artifacts.template"
# checkov and parliament have an environment of their own, which the lint gates make.
NEEDS_ENVIRONMENT = pytest.mark.skipif(
    not (places.BUILD / "venvs" / "policy" / "made-from").exists(), reason="build/venvs/policy was not made yet"
)


def test_templates_are_found(tmp_path: pathlib.Path) -> None:
    assert ARTIFACTS in templates.found()
    files = tmp_path / "roles" / "one" / "files"
    files.mkdir(parents=True)
    shutil.copy(BAD, files)
    (files / "other.template").write_text("a: 1\n")
    assert [path.name for path in templates.found(tmp_path)] == ["bad.template"]


def test_cfn_lint_finds_a_misspelt_property() -> None:
    found = templates.cfn_lint([BAD])
    assert found.failed == 1
    assert "BucktName" in found.text


def test_policies_are_found_where_roles_have_them() -> None:
    found = templates.policies(BAD)
    assert [where.rpartition(": ")[2] for where, _policy in found] == ["Role.reads"]
    assert found[0][1]["Statement"][0]["Resource"] == "*"


@NEEDS_ENVIRONMENT
def test_parliament_finds_an_action_that_is_none() -> None:
    found = templates.parliament([BAD])
    assert found.failed == 1
    assert "ListBukket" in found.text


@NEEDS_ENVIRONMENT
def test_checkov_finds_what_is_open_and_what_is_skipped_without_a_reason() -> None:
    found = templates.checkov([BAD])
    assert found.failed == 1
    assert "CKV_AWS_53" in found.text
    assert "CKV_AWS_18 is skipped without a reason" in found.text
