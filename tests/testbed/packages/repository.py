# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner's repositories: the one that works, and the ones that a careful host must refuse."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from pathlib import Path

from testbed import paths
from testbed.packages import build, keys, publish, server_repository
from testbed.packages.choice import Choice, Program, choose
from testbed.packages.publish import Content, Repositories, copies, name_and_version
from testbed.packages.versions import HELPER, RUNNER, has_helper, numbers

DEFAULT = "gitlab-runner"
CONTENTS = (
    Content(DEFAULT, "signed"),
    Content("unsigned-packages", "unsigned"),
    Content("foreign-packages", "foreign"),
    Content("foreign-metadata", "signed", keys.STRANGER),
    Content("helper-missing", "helper-missing"),
    Content("helper-wrong", "helper-wrong"),
    Content("docker", "docker"),
)
KEY_FILES = {name: f"keys/{name}.gpg.key" for name in (keys.PACKAGES, keys.METADATA)}


def _newest_with_helper(choice: Choice) -> t.Optional[Program]:
    with_helper = [program for program in choice.programs if has_helper(program.version)]
    return max(with_helper, key=lambda program: numbers(program.version), default=None)


def _package_sets(choice: Choice, trees: Path, work: Path, signing: Mapping[str, keys.Key]) -> dict[str, list[Path]]:
    others = publish.others(choice.folder, work, lambda name: name not in server_repository.NAMES)
    built = [p for program in choice.programs for p in build.build_runner(program, trees / program.version, work)]
    plain = [package for package in built if name_and_version(package)[0] not in others]
    plain += [package for packages in others.values() for package in packages]
    sets = {"unsigned": plain, "signed": copies(plain, work / "signed"), "foreign": copies(plain, work / "foreign")}
    keys.sign_packages(signing[keys.PACKAGES], sets["signed"])
    keys.sign_packages(signing[keys.STRANGER], sets["foreign"])

    broken = _newest_with_helper(choice)
    missing = f"{HELPER}-{broken.version}-" if broken else "(no helper package at all)"
    sets["helper-missing"] = [package for package in sets["signed"] if not package.name.startswith(missing)]
    wrong = build.build_other_helper(broken, trees / broken.version, work) if broken else []
    keys.sign_packages(signing[keys.PACKAGES], wrong)
    sets["helper-wrong"] = sets["helper-missing"] + wrong
    sets["docker"] = build.build_docker(work)
    keys.sign_packages(signing[keys.PACKAGES], sets["docker"])
    return sets


def _build(choice: Choice, trees: Path, work: Path, signing: Mapping[str, keys.Key]) -> None:
    sets = _package_sets(choice, trees, work, signing)
    publish.publish_all(CONTENTS, sets, KEY_FILES, signing, work)
    offered = {name_and_version(path) for path in sets["signed"]}
    publish.offer(work, sorted((version for name, version in offered if name == RUNNER), key=numbers))


def repositories(env: Mapping[str, str], cache: Path = paths.CACHE) -> Repositories:
    """Return the repositories for this environment, built unless the same content is in the cache."""
    choice = choose(env)

    def lay_out(trees: Path) -> Iterable[Path]:
        for program in choice.programs:
            build.lay_out(program, trees / program.version)
        return [trees, *([choice.folder] if choice.folder else [])]

    folder = publish.kept(
        cache,
        "repository",
        f"Building the package repository ({len(choice.programs)} versions)",
        lay_out,
        lambda trees, work, signing: _build(choice, trees, work, signing),
    )
    return publish.load(folder, CONTENTS, KEY_FILES.values())
