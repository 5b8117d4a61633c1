# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both kinds of repositories are made with: signed sets of packages, published, and kept by their content."""

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
from testbed.packages import keys

KEEP = 3  # repositories of earlier contents that stay in the cache
OFFER = "offer.json"


@dataclasses.dataclass(frozen=True)
class Content:
    """One repository folder: which packages it has and who signed what."""

    name: str
    packages: str  # which set of package files
    metadata: str = keys.METADATA


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


def name_and_version(package: Path) -> tuple[str, str]:
    """Ask rpm for a package's name and version."""
    query = ["rpm", "-qp", "--nosignature", "--qf", "%{NAME} %{VERSION}", str(package)]
    name, version = programs.run(query, f"read the package {package.name}").split()
    return name, version


def others(folder: t.Optional[Path], work: Path, wanted: t.Callable[[str], bool]) -> dict[str, list[Path]]:
    """Copy the wanted packages of the caller's folder without their signatures, by name."""
    found: dict[str, list[Path]] = {}
    target = work / "others"
    target.mkdir()
    for package in sorted(folder.glob("*.rpm")) if folder else ():
        name = name_and_version(package)[0]
        if wanted(name):
            copy = Path(shutil.copy(package, target))
            programs.run(["rpmsign", "--delsign", copy], f"take the signature from {package.name}")
            found.setdefault(name, []).append(copy)
    return found


def copies(packages: Iterable[Path], folder: Path) -> list[Path]:
    """Copy packages into a new folder."""
    folder.mkdir(parents=True)
    return [Path(shutil.copy(package, folder)) for package in packages]


def publish(content: Content, packages: Sequence[Path], www: Path, signing: Mapping[str, keys.Key]) -> None:
    """Make one repository folder: packages, index, signature of the index."""
    folder = www / content.name
    (folder / "Packages").mkdir(parents=True)
    for package in packages:
        os.link(package, folder / "Packages" / package.name)
    argv = ["createrepo_c", "--quiet", "--workers", "1", "--simple-md-filenames", str(folder)]
    programs.run(argv, f"index the repository {content.name}")
    keys.sign_file(signing[content.metadata], folder / "repodata" / "repomd.xml")


def publish_all(
    contents: Sequence[Content],
    sets: Mapping[str, Sequence[Path]],
    key_files: Mapping[str, str],
    signing: Mapping[str, keys.Key],
    work: Path,
) -> None:
    """Make every repository folder under www, and the public keys; key_files says where which one lies."""
    www = work / "www"
    for content in contents:
        publish(content, sets[content.packages], www, signing)
    for name, file in key_files.items():
        (www / file).parent.mkdir(exist_ok=True)
        shutil.copy(signing[name].public, www / file)


def offer(work: Path, versions: Sequence[str]) -> None:
    """Write down which versions there are."""
    (work / OFFER).write_text(json.dumps({"versions": list(versions)}))


def load(folder: Path, contents: Sequence[Content], key_files: Iterable[str]) -> Repositories:
    """Read what was built."""
    known = json.loads((folder / OFFER).read_text())
    return Repositories(
        folder / "www", tuple(item.name for item in contents), tuple(known["versions"]), tuple(key_files)
    )


def _tidy(cache: Path, kind: str, current: Path) -> None:
    finished = [path for path in cache.glob(f"{kind}-{platform.machine()}-*") if path != current]
    for path in sorted(finished, key=lambda item: item.stat().st_mtime)[: -(KEEP - 1)]:
        shutil.rmtree(path)


def clear_left_overs(cache: Path = paths.CACHE) -> None:
    """Remove what killed runs have left."""
    keys.clear_left_overs()
    for left_over in cache.glob("building-*"):
        shutil.rmtree(left_over)


def kept(
    cache: Path,
    kind: str,
    text: str,
    lay_out: t.Callable[[Path], Iterable[Path]],
    build: t.Callable[[Path, Path, Mapping[str, keys.Key]], None],
) -> Path:
    """Return the folder that holds a build of this content, built unless it is in the cache.

    lay_out fills a folder and returns all that decides the content; build makes www and the offer in another folder.
    """
    cache.mkdir(parents=True, exist_ok=True)
    clear_left_overs(cache)
    signing = {name: keys.key(name, cache / "keys") for name in keys.NAMES}
    with tempfile.TemporaryDirectory(prefix="building-", dir=cache) as name:
        trees, done = Path(name) / "trees", Path(name) / "done"
        sources = [*lay_out(trees), Path(__file__).parent, *(item.public for item in signing.values())]
        final = cache / f"{kind}-{platform.machine()}-{tree_digest(sources)}"
        if not final.exists():
            with programs.step(text):
                done.mkdir()
                build(trees, done, signing)
                for scratch in [path for path in done.iterdir() if path.name not in ("www", OFFER)]:
                    shutil.rmtree(scratch)
                done.rename(final)
        os.utime(final)  # in use: the last to be tidied away
        _tidy(cache, kind, final)
    return final
