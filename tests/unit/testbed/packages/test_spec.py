# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The specs against the facts about the real packages (runner facts 3.4, 9)."""

from __future__ import annotations

import pytest
from testbed.packages.spec import base_spec, runner_spec


def _lines(version: str, twin_files: bool = True) -> list[str]:
    return runner_spec(version, twin_files=twin_files).splitlines()


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        pytest.param("17.5.5", [], id="before-the-split"),
        pytest.param("17.7.0", [], id="last-before-the-split"),
        pytest.param("17.7.1", ["Requires: gitlab-runner-helper-images = 17.7.1-1"], id="first-with-helper"),
        pytest.param("19.3.0", ["Requires: gitlab-runner-helper-images = 19.3.0-1"], id="newest"),
    ],
)
def test_the_helper_is_required_at_exactly_the_same_version(version: str, expected: list[str]) -> None:
    lines = _lines(version)
    assert [line for line in lines if line.startswith("Requires: gitlab-runner")] == expected
    assert ("BuildArch: noarch" in lines) == bool(expected)


@pytest.mark.parametrize("version", ["17.5.5", "18.0.3"])
def test_names_of_every_version(version: str) -> None:
    lines = _lines(version)
    assert {"Name: gitlab-runner", f"Version: {version}", "Release: 1", "AutoReqProv: no"} <= set(lines)
    assert {"Requires: git", "Requires: curl", "Requires: tar"} <= set(lines)
    assert {"Conflicts: gitlab-runner-beta", "Conflicts: gitlab-ci-multi-runner"} <= set(lines)
    assert not any(line.startswith("Epoch:") for line in lines)


def test_helper_images_are_in_the_main_package_before_the_split_only() -> None:
    folder = "/usr/lib/gitlab-runner/helper-images"
    assert folder in _lines("17.7.0")
    lines = _lines("17.7.1")
    assert lines.index(folder) == lines.index("%files -n gitlab-runner-helper-images") + 1
    assert lines.count(folder) == 1


def test_only_the_twin_has_a_folder_of_its_own() -> None:
    assert "/usr/lib/gitlab-runner/twin" in _lines("18.0.3")
    assert "/usr/lib/gitlab-runner/twin" not in _lines("18.0.3", twin_files=False)


def test_erasing_stops_the_service_and_upgrading_does_not() -> None:
    text = "\n".join(_lines("18.0.3"))
    assert 'if [ "$1" = 0 ]; then\n    /usr/share/gitlab-runner/pre-remove' in text
    assert text.index("post-install") < text.index("clear-docker-cache prune")
    assert 'if [ -z "$NO_DOCKER_PRUNE" ]' in text


@pytest.mark.parametrize(
    "name", ["/bin/sh", "git", "curl", "tar", "openssl", "shadow-utils", "dnf-command(versionlock)"]
)
def test_the_base_package_speaks_for_the_debian_programs(name: str) -> None:
    assert f"Provides: {name}" in base_spec().splitlines()
