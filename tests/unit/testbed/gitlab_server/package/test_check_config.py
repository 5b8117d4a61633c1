# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-ctl check-config judges what the last reconfigure left (observed 5, server facts 5.3)."""

from __future__ import annotations

import typing as t

import pytest

from .conftest import Ground

BIN_PATH = {"gitaly": {"configuration": {"git": {"bin_path": "/usr/bin/git"}}}}
SPAMCHECK = (
    "* spamcheck has been deprecated since 19.0 and was removed in 19.0. "
    "Spamcheck has been removed from the Linux package in 19.0."
)
IGNORED = "* gitaly['configuration']['git']['bin_path'] has been deprecated since 18.3 and is ignored by Gitaly."
LAST = "Deprecations found. Please correct them and try again."


@pytest.mark.parametrize(
    ("version", "attributes", "words", "code", "lines"),
    [
        pytest.param("18.11.9", {}, "--version=19.2", 0, [], id="clean"),
        pytest.param("18.11.9", {"spamcheck": {}}, "--version=19.2", 1, [SPAMCHECK, LAST], id="removed"),
        pytest.param("18.11.9", {"spamcheck": {}}, "--version=18.11", 0, [], id="not-yet-removed"),
        pytest.param("18.11.9", BIN_PATH, "--version=19.2", 1, [IGNORED, LAST], id="ignored"),
        pytest.param("18.11.9", {"spamcheck": {}}, "-n --version=19.2", 0, [SPAMCHECK, LAST], id="no-fail"),
        pytest.param("18.11.9", {"spamcheck": {}}, "--no-fail --version=19.2", 0, [SPAMCHECK, LAST], id="no-fail-long"),
        pytest.param("18.11.9", {"spamcheck": {}}, "", 0, [], id="without-a-version-always-fine"),
        pytest.param("18.11.9", {"spamcheck": {}}, "19.2", 0, [], id="version-as-a-word-always-fine"),
        pytest.param("18.8.11", {"spamcheck": {}}, "--version=19.2", 0, [], id="older-package-knows-less"),
        pytest.param("17.11.7", {"git_data_dirs": {}}, "--version=18.2", 1, None, id="git_data_dirs"),
        pytest.param("18.11.6", {"mattermost": {}}, "--version=19.0", 0, [], id="misses-mattermost"),
        pytest.param("18.11.7", {}, "--version=19.0", 1, None, id="blocks-falsely"),
        pytest.param("18.11.9", {}, "--version=19.0", 0, [], id="blocks-no-longer"),
        pytest.param("18.11.9", {"mattermost": {}}, "--version=19.0", 1, None, id="sees-mattermost"),
    ],
)
def test_findings(
    ground: Ground, version: str, attributes: dict[str, t.Any], words: str, code: int, lines: list[str] | None
) -> None:
    ground.install(version)
    ground.attributes(attributes)
    found, out, err = ground.ctl("check-config", *words.split())
    assert (found, err) == (code, "")
    assert lines is None or out.splitlines() == lines
    assert lines is not None or out.splitlines()[-1] == LAST


@pytest.mark.parametrize(
    ("version", "code"), [("18.11.9", 1), ("19.2.2", 1), ("19.3.0", 0)], ids=["18.11", "19.2", "from-19.3.0"]
)
def test_an_interrupted_reconfigure_leaves_malformed_json(ground: Ground, version: str, code: int) -> None:
    ground.install(version)
    ground.put("opt/gitlab/embedded/nodes/host.json", '{"name": "host"}')
    found, out, _err = ground.ctl("check-config", "--version=19.2")
    assert found == code
    assert out.startswith("Malformed configuration JSON file found at /opt/gitlab/embedded/nodes/host.json.\n")
    assert len(out.splitlines()) == 5


def test_nothing_to_judge(ground: Ground) -> None:
    (ground.places.nodes / "host.json").unlink()
    assert ground.ctl("check-config", "--version=19.2") == (
        0,
        "JSON file with existing configuration not found inside /opt/gitlab/embedded/nodes.\nSkipping config check.\n",
        "",
    )


def test_public_attributes_are_needed(ground: Ground) -> None:
    ground.places.public_attributes.unlink()
    text = "Public attributes file is missing, run gitlab-ctl reconfigure to re-create it.\n"
    assert ground.ctl("check-config", "--version=19.2") == (1, text, "")


def test_a_bad_option(ground: Ground) -> None:
    code, out, err = ground.ctl("check-config", "--frob")
    assert (code, out) == (1, "")
    assert "invalid option: --frob" in err
