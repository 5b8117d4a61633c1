# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's repositories: gitlab-ce in every release of the table, and what a careful host must refuse."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from testbed import paths
from testbed.gitlab_server import pack, releases, spec
from testbed.gitlab_server.releases import CE, EE, RELEASES, Release
from testbed.hosts import systems
from testbed.packages import build, choice, keys, publish
from testbed.packages.publish import Content, Repositories, copies, name_and_version
from testbed.packages.versions import numbers

SERVER = "gitlab-ce"
NAMES = (SERVER, "gitlab-ee")
DIST = {"al2023": "amazon2023", "el9": "el9"}
ENTERPRISE = releases.release("18.8.11")  # one is enough to show what a change of edition does
PARALLEL = 2

CONTENTS = (
    Content(SERVER, "signed"),
    Content("gitlab-ee", "enterprise"),
    Content("gitlab-ce-unsigned-packages", "unsigned"),
    Content("gitlab-ce-foreign-packages", "foreign"),
    Content("gitlab-ce-foreign-metadata", "newest", keys.STRANGER),
)
# In the order in which GitLab names them: metadata, packages of today, packages of before February 2025.
KEY_FILES = {
    keys.METADATA: "server-keys/gpg.key",
    keys.PACKAGES: "server-keys/gitlab-gitlab-ce-present.pub.gpg",
    keys.FORMER: "server-keys/gitlab-gitlab-ce-former.pub.gpg",
}


def _build_one(release: Release, edition: str, dist: str, trees: Path, work: Path) -> Path:
    name = f"gitlab-{edition}-{release.version}"
    tree = work / "trees" / name
    shutil.copytree(trees / "common", tree, symlinks=True)
    pack.lay_out_release(release, edition, tree)
    built = build.rpmbuild(spec.server_spec(release, edition, dist), name, tree, work)
    shutil.rmtree(tree)
    return built[0]


def _package_sets(
    folder: Path | None, dist: str, trees: Path, work: Path, signing: Mapping[str, keys.Key]
) -> dict[str, list[Path]]:
    others = publish.others(folder, work, lambda name: name in NAMES)
    wanted = [(release, CE) for release in RELEASES if SERVER not in others] + [(ENTERPRISE, EE)]
    with ThreadPoolExecutor(PARALLEL) as pool:
        built = list(pool.map(lambda item: _build_one(item[0], item[1], dist, trees, work), wanted))
    present = [path for path, (release, _name) in zip(built[:-1], wanted, strict=False) if not release.former_key]
    former = [path for path, (release, _name) in zip(built[:-1], wanted, strict=False) if release.former_key]
    present += others.get(SERVER, [])
    newest = max(present, key=lambda path: numbers(name_and_version(path)[1]))
    sets = {"unsigned": copies([newest], work / "unsigned"), "foreign": copies([newest], work / "foreign")}
    enterprise = [built[-1], *others.get("gitlab-ee", [])]
    keys.sign_packages(signing[keys.PACKAGES], [*present, *enterprise])
    keys.sign_packages(signing[keys.FORMER], former)
    keys.sign_packages(signing[keys.STRANGER], sets["foreign"])
    return {**sets, "signed": [*former, *present], "newest": [newest], "enterprise": enterprise}


def _build(folder: Path | None, dist: str, trees: Path, work: Path, signing: Mapping[str, keys.Key]) -> None:
    sets = _package_sets(folder, dist, trees, work, signing)
    publish.publish_all(CONTENTS, sets, KEY_FILES, signing, work)
    publish.offer(work, sorted({name_and_version(path)[1] for path in sets["signed"]}, key=numbers))


def repositories(env: Mapping[str, str], cache: Path = paths.CACHE) -> Repositories:
    """Return the repositories for this environment, built unless the same content is in the cache."""
    folder = choice.folder(env)
    dist = DIST[systems.choose(env).name]

    def lay_out(trees: Path) -> Iterable[Path]:
        pack.lay_out_common(trees / "common")
        (trees / "dist").write_text(dist)
        inputs = [Path(pack.__file__), Path(spec.__file__), Path(releases.__file__), spec.SCRIPTLETS]
        return [trees, *inputs, *([folder] if folder else [])]

    found = publish.kept(
        cache,
        "server-repository",
        f"Building the server's package repository ({len(RELEASES)} versions)",
        lay_out,
        lambda trees, work, signing: _build(folder, dist, trees, work, signing),
    )
    return publish.load(found, CONTENTS, KEY_FILES.values())
