# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The repositories: the one that works, and the ones that a careful host must refuse."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import platform
import shutil
import tempfile
import typing as t
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from testbed import paths, programs
from testbed.packages import build, keys
from testbed.packages.choice import Choice, Program, choose
from testbed.packages.versions import HELPER, RUNNER, has_helper, numbers

DEFAULT = "gitlab-runner"
KEEP = 3  # repositories of earlier contents that stay in the cache


@dataclasses.dataclass(frozen=True)
class Content:
    """One repository folder: which packages it has and who signed what."""

    name: str
    packages: str  # which set of package files
    metadata: str = keys.METADATA


CONTENTS = (
    Content(DEFAULT, "signed"),
    Content("unsigned-packages", "unsigned"),
    Content("foreign-packages", "foreign"),
    Content("foreign-metadata", "signed", keys.STRANGER),
    Content("helper-missing", "helper-missing"),
    Content("helper-wrong", "helper-wrong"),
    Content("docker", "docker"),
)


@dataclasses.dataclass(frozen=True)
class Repositories:
    """What was built: the folder to serve, the folders in it, the versions offered."""

    www: Path
    names: tuple[str, ...]
    versions: tuple[str, ...]
    key_files: tuple[str, ...]


def tree_digest(roots: Iterable[Path]) -> str:
    """Return a digest over names, modes and contents of files."""
    digest = hashlib.sha256()
    for root in roots:
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.name if path == root else str(path.relative_to(root))
                digest.update(f"{name}\0{path.stat().st_mode & 0o777:o}\0{path.stat().st_size}\0".encode())
                with path.open("rb") as stream:
                    while block := stream.read(1 << 20):
                        digest.update(block)
    return digest.hexdigest()[:16]


def _name_and_version(package: Path) -> tuple[str, str]:
    query = ["rpm", "-qp", "--nosignature", "--qf", "%{NAME} %{VERSION}", str(package)]
    name, version = programs.run(query, f"read the package {package.name}").split()
    return name, version


def _others(choice: Choice, work: Path) -> dict[str, list[Path]]:
    """Copy the packages of the caller's folder without their signatures, by name."""
    found: dict[str, list[Path]] = {}
    if not choice.folder:
        return found
    target = work / "others"
    target.mkdir()
    for package in sorted(choice.folder.glob("*.rpm")):
        copy = Path(shutil.copy(package, target))
        programs.run(["rpmsign", "--delsign", copy], f"take the signature from {package.name}")
        found.setdefault(_name_and_version(copy)[0], []).append(copy)
    return found


def _copies(packages: Iterable[Path], folder: Path) -> list[Path]:
    folder.mkdir(parents=True)
    return [Path(shutil.copy(package, folder)) for package in packages]


def _newest_with_helper(choice: Choice) -> t.Optional[Program]:
    with_helper = [program for program in choice.programs if has_helper(program.version)]
    return max(with_helper, key=lambda program: numbers(program.version), default=None)


def _package_sets(choice: Choice, trees: Path, work: Path, signing: Mapping[str, keys.Key]) -> dict[str, list[Path]]:
    others = _others(choice, work)
    built = [p for program in choice.programs for p in build.build_runner(program, trees / program.version, work)]
    plain = [package for package in built if _name_and_version(package)[0] not in others]
    plain += [package for packages in others.values() for package in packages]
    sets = {"unsigned": plain, "signed": _copies(plain, work / "signed"), "foreign": _copies(plain, work / "foreign")}
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


def _publish(content: Content, packages: Sequence[Path], www: Path, signing: Mapping[str, keys.Key]) -> None:
    folder = www / content.name
    (folder / "Packages").mkdir(parents=True)
    for package in packages:
        os.link(package, folder / "Packages" / package.name)
    argv = ["createrepo_c", "--quiet", "--workers", "1", "--simple-md-filenames", str(folder)]
    programs.run(argv, f"index the repository {content.name}")
    keys.sign_file(signing[content.metadata], folder / "repodata" / "repomd.xml")


def _build(choice: Choice, trees: Path, work: Path, signing: Mapping[str, keys.Key]) -> None:
    www = work / "www"
    sets = _package_sets(choice, trees, work, signing)
    for content in CONTENTS:
        _publish(content, sets[content.packages], www, signing)
    (www / "keys").mkdir()
    for name in (keys.PACKAGES, keys.METADATA):
        shutil.copy(signing[name].public, www / "keys" / f"{name}.gpg.key")
    offered = {_name_and_version(path) for path in sets["signed"]}
    versions = sorted((version for name, version in offered if name == RUNNER), key=numbers)
    (work / "offer.json").write_text(json.dumps({"versions": versions}))


def _load(folder: Path) -> Repositories:
    offer = json.loads((folder / "offer.json").read_text())
    key_files = tuple(f"keys/{name}.gpg.key" for name in (keys.PACKAGES, keys.METADATA))
    return Repositories(folder / "www", tuple(item.name for item in CONTENTS), tuple(offer["versions"]), key_files)


def _tidy(cache: Path, current: Path) -> None:
    finished = [path for path in cache.glob("repository-*") if path != current]
    for path in sorted(finished, key=lambda item: item.stat().st_mtime)[: -(KEEP - 1)]:
        shutil.rmtree(path)


def clear_left_overs(cache: Path = paths.CACHE) -> None:
    """Remove what killed runs have left."""
    keys.clear_left_overs()
    for left_over in cache.glob("building-*"):
        shutil.rmtree(left_over)


def repositories(env: Mapping[str, str], cache: Path = paths.CACHE) -> Repositories:
    """Return the repositories for this environment, built unless the same content is in the cache."""
    choice = choose(env)
    cache.mkdir(parents=True, exist_ok=True)
    clear_left_overs(cache)
    signing = {name: keys.key(name, cache / "keys") for name in keys.NAMES}
    with tempfile.TemporaryDirectory(prefix="building-", dir=cache) as name:
        work = Path(name)
        for program in choice.programs:
            build.lay_out(program, work / "trees" / program.version)
        sources = [work / "trees", Path(__file__).parent, *(item.public for item in signing.values())]
        digest = tree_digest([*sources, *([choice.folder] if choice.folder else [])])
        final = cache / f"repository-{platform.machine()}-{digest}"
        if not final.exists():
            with programs.step(f"Building the package repository ({len(choice.programs)} versions)"):
                done = work / "done"
                done.mkdir()
                _build(choice, work / "trees", done, signing)
                for scratch in [path for path in done.iterdir() if path.name not in ("www", "offer.json")]:
                    shutil.rmtree(scratch)
                done.rename(final)
        os.utime(final)  # in use: the last to be tidied away
        _tidy(cache, final)
    return _load(final)
