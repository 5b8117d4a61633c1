# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories built for real, with small programs in the runner's place."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from testbed.packages import keys
from testbed.packages.publish import Content, Repositories, tree_digest
from testbed.packages.repository import CONTENTS, repositories

VERSIONS = ("17.7.0", "18.0.3", "19.3.0")


def _programs(folder: Path) -> dict[str, str]:
    folder.mkdir()
    for version in VERSIONS:
        file = folder / version
        file.write_text(f'#!/bin/sh\necho "Version:      {version}"\n')
        file.chmod(0o755)
    return {"TESTBED_RUNNER_BINARY": ":".join(str(folder / version) for version in VERSIONS)}


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return _programs(tmp_path_factory.mktemp("env") / "programs")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def built(env: dict[str, str], cache: Path) -> Repositories:
    return repositories(env, cache)


def _packages(built: Repositories, name: str) -> dict[str, Path]:
    return {path.name: path for path in (built.www / name / "Packages").iterdir()}


RUNNERS = {f"gitlab-runner-{version}-1" for version in VERSIONS}
HELPERS = {f"gitlab-runner-helper-images-{version}-1" for version in VERSIONS[1:]}
NEWEST_HELPER = "gitlab-runner-helper-images-19.3.0"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("gitlab-runner", RUNNERS | HELPERS, id="default"),
        pytest.param("unsigned-packages", RUNNERS | HELPERS, id="unsigned"),
        pytest.param("helper-missing", (RUNNERS | HELPERS) - {f"{NEWEST_HELPER}-1"}, id="helper-missing"),
        pytest.param(
            "helper-wrong", (RUNNERS | HELPERS | {f"{NEWEST_HELPER}-2"}) - {f"{NEWEST_HELPER}-1"}, id="helper-wrong"
        ),
    ],
)
def test_content(built: Repositories, name: str, expected: set[str]) -> None:
    assert {file.rsplit(".", 2)[0] for file in _packages(built, name)} == expected


@pytest.mark.parametrize(
    ("name", "signer"),
    [
        pytest.param("gitlab-runner", keys.PACKAGES, id="default"),
        pytest.param("unsigned-packages", None, id="unsigned"),
        pytest.param("foreign-packages", keys.STRANGER, id="foreign"),
        pytest.param("helper-wrong", keys.PACKAGES, id="helper-wrong"),
    ],
)
def test_signatures_of_packages(built: Repositories, cache: Path, name: str, signer: str | None) -> None:
    wanted = keys.key(signer, cache / "keys").fingerprint[-16:].lower() if signer else "(none)"
    for package in _packages(built, name).values():
        assert wanted in keys.signature(package)


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content.name)
def test_signatures_of_metadata(built: Repositories, cache: Path, content: Content, tmp_path: Path) -> None:
    name, metadata = content.name, content.metadata
    public = keys.key(metadata, cache / "keys").public
    ring = tmp_path / "ring.gpg"
    subprocess.run(["gpg", "--batch", "--quiet", "--dearmor", "--output", ring, public], check=True)
    file = built.www / name / "repodata" / "repomd.xml"
    argv = ["gpgv", "--keyring", str(ring), f"{file}.asc", str(file)]
    assert subprocess.run(argv, capture_output=True, check=False).returncode == 0


def test_what_is_served(built: Repositories) -> None:
    assert built.versions == VERSIONS
    assert built.key_files == ("keys/packages.gpg.key", "keys/metadata.gpg.key")
    for name in built.key_files:
        assert (built.www / name).read_text().startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert not list(built.www.rglob("*.key.part")) + list(built.www.rglob("stranger*"))


def test_the_same_content_is_not_built_again(built: Repositories, env: dict[str, str], cache: Path) -> None:
    before = built.www.stat().st_mtime_ns
    assert repositories(env, cache) == built
    assert built.www.stat().st_mtime_ns == before


def test_other_packages_take_the_place_of_those_of_the_same_name(
    built: Repositories, env: dict[str, str], cache: Path, tmp_path: Path
) -> None:
    for name, package in _packages(built, "foreign-packages").items():
        if name.startswith("gitlab-runner-18.0.3-1"):
            (tmp_path / name).write_bytes(package.read_bytes())
    other = repositories({**env, "TESTBED_PACKAGES": str(tmp_path)}, cache)
    assert other.versions == ("18.0.3",)
    found = _packages(other, "gitlab-runner")
    assert {file.rsplit(".", 2)[0] for file in found} == {"gitlab-runner-18.0.3-1"} | HELPERS
    ours = keys.key(keys.PACKAGES, cache / "keys").fingerprint[-16:].lower()
    assert all(ours in keys.signature(package) for package in found.values())


def test_what_a_killed_run_left_is_removed(built: Repositories, env: dict[str, str], cache: Path) -> None:
    (cache / "building-killed" / "www").mkdir(parents=True)
    repositories(env, cache)
    assert not list(cache.glob("building-*"))


def test_only_homes_of_ended_processes_are_cleared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, alive, other = (tmp_path / f"testbed-gpg-{name}" for name in ("99999999-a", f"{os.getpid()}-b", "x"))
    for home in (dead, alive, other):
        home.mkdir(mode=0o700)
    keys.clear_left_overs()
    assert sorted(tmp_path.iterdir()) == sorted([alive, other])


def test_digest_sees_content_names_and_modes(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    file.chmod(0o644)
    seen = {tree_digest([tmp_path])}
    file.chmod(0o755)
    seen.add(tree_digest([tmp_path]))
    file.write_text("2")
    seen.add(tree_digest([tmp_path]))
    file.rename(tmp_path / "b")
    seen.add(tree_digest([tmp_path]))
    assert len(seen) == 4
