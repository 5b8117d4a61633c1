# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small disks: a folder on a host gets a file system of its own that fills soon."""

from __future__ import annotations

from pathlib import Path

from testbed import programs
from testbed.hosts import names
from testbed.hosts.podman import Podman


def _in_mounts_of(podman: Podman, host: str) -> list[str]:
    """Return how a command is run among the host's mounts: a container may not mount by itself."""
    inspect = ["inspect", "--format", "{{.State.Pid}}", names.container(host)]
    pid = podman(f"ask for the processes of {host}", *inspect).strip()
    return ["nsenter", "--target", pid, "--mount"]


def limit(podman: Podman, host: str, folder: Path, size: str) -> None:
    """Put a file system of this size (such as 8m) over a folder, with the folder's owner and mode; it is empty."""
    inside = _in_mounts_of(podman, host)
    attempt = f"make a small disk at {folder} on {host}"
    uid, gid, mode = programs.run([*inside, "stat", "--format", "%u %g %a", folder], attempt).split()
    options = f"size={size},uid={uid},gid={gid},mode={mode}"
    programs.run([*inside, "mount", "-t", "tmpfs", "-o", options, "small-disk", folder], attempt)


def unlimit(podman: Podman, host: str, folder: Path) -> None:
    """Take the small disk away; what lay under it is there again."""
    programs.run([*_in_mounts_of(podman, host), "umount", folder], f"take the small disk at {folder} from {host}")
