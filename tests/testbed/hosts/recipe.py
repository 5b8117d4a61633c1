# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image's recipe: which packages and files go in, and its digest."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import platform
from collections.abc import Mapping
from pathlib import Path

from testbed.errors import TestbedError
from testbed.hosts import systems
from testbed.packages import spec

FILES = Path(__file__).parent / "image"

INCLUDE = (
    *("systemd", "systemd-sysv", "dbus", "openssh-server", "sudo"),
    *("python3", "dnf", "python3-dnf", "dnf-plugins-core", "rpm"),
    *("git", "curl", "tar", "gzip", "xz-utils", "gpg", "gpg-agent", "ca-certificates", "openssl"),
    *("procps", "iproute2", "util-linux", "util-linux-extra", "passwd", "hostname", "less"),
)
# Nobody reads them on a test host, and the image is a third smaller.
EXCLUDE = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that decides what is in the image."""

    suite: str
    sources: tuple[str, ...]
    files: Mapping[str, str]
    customize: str
    provision: str

    def digest(self) -> str:
        """Name the content. Where the packages come from is not part of it, nor when."""
        content = [self.suite, INCLUDE, EXCLUDE, dict(self.files), self.customize, self.provision]
        text = json.dumps([*content, spec.base_spec(), platform.machine()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def os_release(text: str) -> dict[str, str]:
    """Read the lines of an os-release file."""
    pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {key: value.strip().strip("\"'") for key, value in pairs}


def suite_of(release: Mapping[str, str]) -> str:
    """Return the suite of the machine's own Debian."""
    suite = release.get("VERSION_CODENAME", "")
    if release.get("ID") != "debian" or not suite:
        raise TestbedError(
            f"The image is made from the machine's own Debian, and this is '{release.get('PRETTY_NAME', 'unknown')}'. "
            "Name a systemd image with dnf in its place: TESTBED_IMAGE=registry/name:tag."
        )
    return suite


def sources_of(targets: str, suite: str) -> tuple[str, ...]:
    """Return one-line sources for the suite from apt's own list of what it uses (uri|suite|component lines)."""
    wanted = (suite, f"{suite}-updates", f"{suite}-security")
    found = []
    for line in targets.splitlines():
        uri, release, component = line.split("|")
        if release in wanted and component == "main":
            found.append(f"deb {uri} {release} main")
    if not any(f" {suite} main" in line for line in found):
        raise TestbedError(f"apt has no source for {suite} main on this machine: see /etc/apt/sources.list.d.")
    return tuple(dict.fromkeys(found))


def recipe(system: systems.System, suite: str, sources: tuple[str, ...]) -> Recipe:
    """Put the recipe together."""
    return Recipe(
        suite=suite,
        sources=sources,
        files=systems.files(system),
        customize=(FILES / "customize.sh").read_text(),
        provision=(FILES / "provision.sh").read_text(),
    )
