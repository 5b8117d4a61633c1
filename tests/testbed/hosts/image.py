# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the image, or derives it from the one that the caller names; both stay in podman's store by their digest."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from testbed import paths, programs
from testbed.hosts import systems
from testbed.hosts.podman import Podman
from testbed.hosts.recipe import EXCLUDE, FILES, INCLUDE, Recipe, os_release, recipe, sources_of, suite_of
from testbed.packages import build

NAME = "localhost/fleetwright-testbed"
CHOICE = "TESTBED_IMAGE"
KEEP = 4
INIT = 'CMD ["/sbin/init"]'


# mmdebstrap mounts into the new root. In namespaces of its own those mounts, and all that it started, end with it;
# and it ends with us, however we end.
CONTAINED = ("setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


def _machine_recipe(env: Mapping[str, str]) -> Recipe:
    suite = suite_of(os_release(Path("/etc/os-release").read_text()))
    query = ["apt-get", "indextargets", "--format", "$(REPO_URI)|$(RELEASE)|$(COMPONENT)", "Created-By: Packages"]
    return recipe(systems.choose(env), suite, sources_of(programs.run(query, "ask apt for its sources"), suite))


def _acquire_options() -> str:
    """Return the machine's own settings for fetching packages, such as a proxy."""
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Retries")
    dump = programs.run(["apt-config", "dump", "--no-empty"], "ask apt for its settings")
    return "".join(f"{line}\n" for line in dump.splitlines() if line.startswith(wanted))


def _write_overlay(found: Recipe, folder: Path) -> None:
    for name, text in {**found.files, "provision.sh": found.provision}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _bootstrap(found: Recipe, work: Path) -> Path:
    overlay, tar, options = work / "overlay", work / "root.tar", work / "apt.conf"
    _write_overlay(found, overlay)
    options.write_text(_acquire_options() + 'APT::Install-Recommends "false";\n')
    base = build.build_base(work)
    env = {**os.environ, "OVERLAY": str(overlay), "BASE_PACKAGE": str(base), "TMPDIR": str(work)}
    argv = [*CONTAINED, "mmdebstrap", "--mode=root", "--variant=minbase"]
    argv += [f"--aptopt={options}", f"--include={','.join(INCLUDE)}"]
    argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDE]
    hook = f'sh {shlex.quote(str(FILES / "customize.sh"))} "$1"'
    argv += [f"--customize-hook={hook}", "--skip=cleanup/apt", found.suite, str(tar), *found.sources]
    programs.run(argv, "make the hosts' image", env=env, timeout=900)
    return tar


def clear_left_overs() -> None:
    """Remove what killed runs have left."""
    for left_over in paths.CACHE.glob("image-*"):
        shutil.rmtree(left_over)


@contextmanager
def _work_folder() -> Iterator[Path]:
    """Lend a folder."""
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    clear_left_overs()
    with tempfile.TemporaryDirectory(prefix="image-", dir=paths.CACHE) as name:
        yield Path(name)


def _make(podman: Podman, found: Recipe, tag: str) -> None:
    with _work_folder() as work:
        with programs.step("Making the hosts' image from the machine's Debian"):
            tar = _bootstrap(found, work)
        with programs.step("Handing the image to podman"):
            change = ["--change", INIT, "--change", "STOPSIGNAL SIGRTMIN+3"]
            podman("hand the image to podman", "import", "--quiet", *change, tar, tag)


def _derive(podman: Podman, origin: str, tag: str) -> None:
    with _work_folder() as folder, programs.step(f"Preparing {origin}"):
        (folder / "provision.sh").write_text((FILES / "provision.sh").read_text())
        lines = [f"FROM {origin}", "USER root", "COPY provision.sh /provision.sh"]
        lines += ["RUN sh /provision.sh && rm /provision.sh", INIT, "STOPSIGNAL SIGRTMIN+3"]
        (folder / "Containerfile").write_text("\n".join(lines) + "\n")
        podman(f"prepare the image {origin}", "build", "--pull=never", "--tag", tag, folder, timeout=900)


def _id_of(podman: Podman, origin: str) -> str:
    """Return the image's id, fetched if it is not here: a tag may name another image tomorrow."""
    if not podman.quietly("image", "exists", origin):
        with programs.step(f"Fetching {origin}"):
            podman(f"fetch the image {origin} that {CHOICE} names", "pull", "--quiet", origin, timeout=900)
    return podman(f"read the image {origin}", "image", "inspect", "--format", "{{.Id}}", origin).strip()


def derived_tag(image_id: str, provision: str) -> str:
    """Name what is made of an image by what goes into it."""
    return f"{NAME}:custom-{hashlib.sha256(f'{image_id} {provision}'.encode()).hexdigest()[:12]}"


def image(podman: Podman, env: Mapping[str, str]) -> str:
    """Return the tag of the image for this environment, made if it is not there yet."""
    origin = env.get(CHOICE)
    if origin:
        tag = derived_tag(_id_of(podman, origin), (FILES / "provision.sh").read_text())
    else:
        found = _machine_recipe(env)
        tag = f"{NAME}:{systems.choose(env).name}-{found.digest()}"
    if tag not in tags(podman):
        if origin:
            _derive(podman, origin, tag)
        else:
            _make(podman, found, tag)
    return tag


def tags(podman: Podman) -> list[str]:
    """List the testbed's images that podman has, newest first."""
    found = podman.listing("list podman's images", "images", "--sort", "created", "--format", "json")
    names = [name for item in found for name in item.get("Names") or [] if name.startswith(f"{NAME}:")]
    return list(dict.fromkeys(names))  # an image of two names is listed twice, each time with both


def tidy(podman: Podman) -> None:
    """Remove images of earlier recipes, but for the newest few: checkouts with different recipes share the store."""
    for tag in tags(podman)[KEEP:]:
        podman.quietly("rmi", tag)  # one that a container still uses stays


def remove_all(podman: Podman) -> list[str]:
    """Remove the testbed's images."""
    found = tags(podman)
    for tag in found:
        podman(f"remove the image {tag}", "rmi", "--force", tag)
    return found
