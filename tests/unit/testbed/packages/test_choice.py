# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is packed as gitlab-runner, as the environment asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from testbed.errors import TestbedError
from testbed.packages.choice import Program, choose, reported_version
from testbed.packages.versions import VERSIONS, has_helper, numbers

GENUINE = """\
Version:      18.0.3
Git revision: d2b9bb80
Git branch:   18-0-stable
GO version:   go1.23.6
Built:        2025-07-15T12:00:00Z
OS/Arch:      linux/amd64
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(GENUINE, "18.0.3", id="genuine"),
        pytest.param(GENUINE.replace("18.0.3", "development version"), "development version", id="self-built"),
        pytest.param("usage: something else\n", "", id="other-program"),
    ],
)
def test_reported_version(output: str, expected: str) -> None:
    assert reported_version(output) == expected


def test_without_wishes_the_twin_is_packed_in_every_version() -> None:
    assert choose({}).programs == tuple(Program(version) for version in VERSIONS)
    assert choose({}).folder is None


def test_versions_are_sorted_and_lie_on_both_sides_of_the_helper_split() -> None:
    assert list(VERSIONS) == sorted(VERSIONS, key=numbers)
    assert [version for version in VERSIONS if not has_helper(version)] == ["17.5.5", "17.7.0"]


@pytest.mark.parametrize(
    ("env", "reports", "expected"),
    [
        pytest.param({}, {"a": "18.0.3"}, [("18.0.3", "a")], id="one-asked"),
        pytest.param({}, {"a": "18.11.4", "b": "18.2.0"}, [("18.2.0", "b"), ("18.11.4", "a")], id="sorted-by-number"),
        pytest.param(
            {"TESTBED_RUNNER_VERSIONS": "18.0.3:19.3.0"},
            {"a": "development version", "b": "17.5.5"},
            [("18.0.3", "a"), ("19.3.0", "b")],
            id="given-versions-win",
        ),
    ],
)
def test_genuine_programs(env: dict[str, str], reports: dict[str, str], expected: list[tuple[str, str]]) -> None:
    env = {"TESTBED_RUNNER_BINARY": ":".join(f"/{name}" for name in reports), **env}
    found = choose(env, ask=lambda path: reports[path.name]).programs
    assert found == tuple(Program(version, Path(f"/{name}")) for version, name in expected)


@pytest.mark.parametrize(
    ("env", "reports", "sentence"),
    [
        pytest.param({}, {"a": "development version"}, "TESTBED_RUNNER_VERSIONS=x.y.z", id="development-version"),
        pytest.param({}, {"a": ""}, "reports 'nothing'", id="no-version"),
        pytest.param({}, {"a": "18.0.3", "b": "18.0.3"}, "more than one program of version 18.0.3", id="twice"),
        pytest.param({"TESTBED_RUNNER_VERSIONS": "18.0.3"}, {"a": "", "b": ""}, "has 1 versions for the 2", id="count"),
        pytest.param({"TESTBED_RUNNER_VERSIONS": "18.0"}, {"a": ""}, "'18.0' is not a version", id="short-version"),
    ],
)
def test_bad_wishes_are_refused(env: dict[str, str], reports: dict[str, str], sentence: str) -> None:
    env = {"TESTBED_RUNNER_BINARY": ":".join(f"/{name}" for name in reports), **env}
    with pytest.raises(TestbedError, match=sentence):
        choose(env, ask=lambda path: reports[path.name])


def test_a_missing_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="which is not a file"):
        choose({"TESTBED_RUNNER_BINARY": str(tmp_path / "nowhere")})


def test_a_folder_without_packages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match=r"no \*\.rpm file"):
        choose({"TESTBED_PACKAGES": str(tmp_path)})
