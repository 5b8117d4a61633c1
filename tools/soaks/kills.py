# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook, kills its controller at a step that the host has just announced, and looks at what is left."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import signal
import subprocess
import time
import typing as t

from gates import places as gates_places
from testbed import paths as testbed_paths
from testbed.hosts import ssh

from soaks import places

STEPS = ("drain", "packages", "verify", "resume")
JOURNAL = "/var/lib/fleetwright/gitlab-runner/upgrade.json"
STEP_SECONDS = 60
RUN_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Run:
    """One call of a playbook, as its users make it; hosts limits it to some."""

    playbook: str
    variables: t.Mapping[str, t.Any]
    inventory: pathlib.Path
    hosts: str = ""

    def argv(self) -> list[str]:
        pairs = [f"{name}={value}" for name, value in self.variables.items()]
        extra = [word for pair in pairs for word in ("-e", pair)]
        where = [f"--inventory={testbed_paths.INVENTORY}", f"--inventory={self.inventory}"]
        limit = ["--limit", self.hosts] if self.hosts else []
        return ["ansible-playbook", *where, *limit, f"fleetwright.gitlab_aws.{self.playbook}", *extra]


def environment() -> dict[str, str]:
    more = {"ANSIBLE_COLLECTIONS_PATH": str(gates_places.BUILD / "installed"), "ANSIBLE_PIPELINING": "true"}
    return gates_places.environment(more)


def finished(run: Run) -> tuple[int, str]:
    """Run a playbook to its end; exit status and output."""
    done = subprocess.run(
        run.argv(), env=environment(), capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )
    return done.returncode, done.stdout + done.stderr


def killed(run: Run, step: str, address: str, sign: signal.Signals = signal.SIGKILL) -> str:
    """Run a playbook until a host announces the step, then end its controller; says what came of it.

    KILL takes every process of the controller at once, as a machine that loses power does; other signals go to
    ansible-playbook alone, as Ctrl-C and `kill` do.
    """
    places.on_host(address, "touch /run/soak-mark")
    words = f'until test {JOURNAL} -nt /run/soak-mark && grep -q "step.: .{step}" {JOURNAL}; do sleep 0.02; done'
    watch = subprocess.Popen(ssh.command(address, f"sudo -n timeout {STEP_SECONDS} sh -c '{words}'"))
    playing = subprocess.Popen(
        run.argv(), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        while watch.poll() is None and playing.poll() is None:
            time.sleep(0.02)
    except KeyboardInterrupt:
        end(playing.pid, signal.SIGKILL)
        raise
    if playing.poll() is not None:
        watch.kill()
        output = playing.communicate()[0]
        return f"ended before {step} was seen: {output[-1500:]}"
    end(playing.pid, sign)
    playing.communicate(timeout=RUN_SECONDS)
    return "killed"


def end(pid: int, sign: signal.Signals) -> None:
    """Send a signal: KILL to all that descend from the process too, as when a machine loses power."""
    targets = family(pid) if sign is signal.SIGKILL else [pid]
    for one in targets:
        try:
            os.kill(one, sign)
        except ProcessLookupError:
            continue


def family(pid: int, proc: pathlib.Path = pathlib.Path("/proc")) -> list[int]:
    """A process and all that descend from it: Ansible's workers have sessions of their own."""
    parents: dict[int, list[int]] = {}
    for folder in proc.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found
