# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How podman is called here, and the settings that some kernels and limits need."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import shutil
import typing as t
from pathlib import Path

from testbed import paths, programs
from testbed.errors import TestbedError

# What podman asks for when nobody says otherwise (it is root here).
DEFAULT_NOFILE = 1048576
DEFAULT_NPROC = 4194304
LABEL = "fleetwright.testbed"


@dataclasses.dataclass(frozen=True)
class Machine:
    """What decides whether podman needs settings of its own."""

    hybrid_cgroups: bool
    may_raise_limits: bool  # CAP_SYS_RESOURCE
    nofile: int
    nproc: int


CAP_SYS_RESOURCE = 24


def _may_raise_limits(status: str) -> bool:
    mask = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(mask, 16) >> CAP_SYS_RESOURCE & 1)


def _hard_limit(which: int, unlimited: int) -> int:
    limit = resource.getrlimit(which)[1]
    return unlimited if limit == resource.RLIM_INFINITY else limit


def machine() -> Machine:
    """Look at this machine."""
    pid_max = int(Path("/proc/sys/kernel/pid_max").read_text())
    return Machine(
        hybrid_cgroups=not Path("/sys/fs/cgroup/cgroup.controllers").exists(),
        may_raise_limits=_may_raise_limits(Path("/proc/self/status").read_text()),
        nofile=_hard_limit(resource.RLIMIT_NOFILE, DEFAULT_NOFILE),
        # podman itself gives up what is beyond pid_max, so no container can have it back.
        nproc=min(_hard_limit(resource.RLIMIT_NPROC, DEFAULT_NPROC), pid_max),
    )


def containers_conf(found: Machine) -> str:
    """Return the containers.conf this machine needs; empty when podman's own defaults do."""
    parts = []
    if found.hybrid_cgroups:  # crun refuses them
        parts.append('[engine]\nruntime = "runc"\n')
    if not found.may_raise_limits and (found.nofile < DEFAULT_NOFILE or found.nproc < DEFAULT_NPROC):
        limits = f'"nofile={found.nofile}:{found.nofile}", "nproc={found.nproc}:{found.nproc}"'
        parts.append(f"[containers]\ndefault_ulimits = [{limits}]\n")
    return "".join(parts)


class Podman:
    """Calls podman with the settings this machine needs."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise TestbedError("The testbed's hosts need root (for systemd and the network): use sudo.")
        self.env = dict(os.environ)
        found = machine()
        text = containers_conf(found)
        if found.hybrid_cgroups and not shutil.which("runc", path="/usr/sbin:/usr/bin:/sbin:/bin"):
            raise TestbedError("This kernel has hybrid cgroups, where podman needs runc: `apt-get install runc`.")
        if text and "CONTAINERS_CONF" not in os.environ:
            conf = paths.CACHE / "containers.conf"
            conf.parent.mkdir(parents=True, exist_ok=True)
            conf.write_text(text)
            self.env["CONTAINERS_CONF"] = str(conf)

    def __call__(self, attempt: str, *args: str | Path, timeout: float = 300) -> str:
        """Run podman and return what it printed."""
        return programs.run(["podman", *args], attempt, env=self.env, timeout=timeout)

    def quietly(self, *args: str) -> bool:
        """Run podman where a refusal is as good as done."""
        return programs.quietly(["podman", *args], env=self.env)

    def listing(self, attempt: str, *args: str) -> list[dict[str, t.Any]]:
        """Run a podman command that answers with a JSON list."""
        return list(json.loads(self(attempt, *args) or "[]"))
