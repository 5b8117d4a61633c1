# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds rpm files from specs and from what is laid out for them."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

from testbed import programs
from testbed.errors import TestbedError
from testbed.packages import spec
from testbed.packages.choice import Program
from testbed.packages.versions import HELPER, RELEASE, has_helper

SCRIPTS = Path(__file__).parent / "scripts"
DOCKER = Path(__file__).parent / "docker"
EPOCH = "1767225600"  # one build date for all, so that equal input gives equal packages
# What kind each file is nobody reads here, and telling it would be most of a build: libmagic gets almost no patterns.
MAGIC = "0\tstring\t\\x7fELF\tELF\n"


def _twin(version: str, dest: Path) -> None:
    try:
        from testbed.gitlab_runner.pack import pack
    except ModuleNotFoundError as exc:
        raise TestbedError(f"The gitlab-runner twin is not there ({exc}): set TESTBED_RUNNER_BINARY.") from exc
    pack(version, dest)


def lay_out(program: Program, dest: Path) -> None:
    """Lay out the files of one version under dest, as they will be on a host."""
    if program.binary:
        target = dest / "usr/bin/gitlab-runner"
        target.parent.mkdir(parents=True)
        shutil.copyfile(program.binary, target)
        target.chmod(0o755)
    else:
        _twin(program.version, dest)
    shutil.copytree(SCRIPTS, dest / "usr/share/gitlab-runner")
    images = dest / "usr/lib/gitlab-runner/helper-images"
    images.mkdir(parents=True, exist_ok=True)
    # The real files are container images of tens of megabytes; no job here starts a container.
    (images / f"prebuilt-{platform.machine()}.tar.xz").write_text(f"helper image {program.version}\n")


def rpmbuild(text: str, name: str, tree: Path, work: Path) -> list[Path]:
    """Build the spec over a copy of the tree and return the packages."""
    top = work / f"rpmbuild-{name}"
    buildroot = top / "root"
    shutil.copytree(tree, buildroot, symlinks=True)
    file = top / f"{name}.spec"
    file.write_text(text)
    macros = {"_topdir": str(top), "_rpmdir": str(top / "rpms"), "_dbpath": str(top / "db"), "_tmppath": str(top)}
    defines = [word for key, value in macros.items() for word in ("--define", f"{key} {value}")]
    (top / "magic").write_text(MAGIC)
    env = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, "LC_ALL": "C.UTF-8", "MAGIC": str(top / "magic")}
    # Without an %install section rpmbuild keeps what is in the build root.
    argv = ["rpmbuild", "-bb", "--noclean", "--nodeps", *defines, "--buildroot", str(buildroot), str(file)]
    programs.run(argv, f"build the package {name}", env=env)
    return sorted((top / "rpms").rglob("*.rpm"))


def build_runner(program: Program, tree: Path, work: Path, release: str = RELEASE) -> list[Path]:
    """Build the package pair of one version."""
    twin = (tree / "usr/lib/gitlab-runner/twin").exists()
    text = spec.runner_spec(program.version, twin_files=twin, release=release)
    return rpmbuild(text, f"gitlab-runner-{program.version}-{release}", tree, work)


def build_other_helper(program: Program, tree: Path, work: Path) -> list[Path]:
    """Build the helper package of a version with a release that the runner package does not ask for."""
    if not has_helper(program.version):
        return []
    return [path for path in build_runner(program, tree, work, release="2") if path.name.startswith(HELPER)]


def build_docker(work: Path) -> list[Path]:
    """Build a package that has Docker's name, programs and socket, and runs no container."""
    tree = work / "docker"
    for source, target in (("docker", "usr/bin/docker"), ("dockerd", "usr/bin/dockerd")):
        (tree / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(DOCKER / source, tree / target)
        (tree / target).chmod(0o755)
    unit = tree / "usr/lib/systemd/system/docker.service"
    unit.parent.mkdir(parents=True)
    shutil.copyfile(DOCKER / "docker.service", unit)
    return rpmbuild(spec.docker_spec(), spec.DOCKER_NAME, tree, work)


def build_base(work: Path) -> Path:
    """Build the package that speaks for the host's own programs."""
    empty = work / "empty"
    empty.mkdir(parents=True, exist_ok=True)
    return rpmbuild(spec.base_spec(), spec.BASE_NAME, empty, work)[0]
