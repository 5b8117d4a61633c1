# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that is measured: a host of the testbed that is controller and runner host at once."""

from __future__ import annotations

import json
import socket
import sys
import time
import typing as t
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from testbed import lifecycle, paths, programs, servers
from testbed.errors import TestbedError
from testbed.gitlab_api.client import TwinClient
from testbed.hosts import containers, inventory, names, network
from testbed.hosts.network import Network
from testbed.hosts.podman import Podman

NAME = names.container("fleetwright-bench")
API = "bench-api"
LATENCY_SECONDS = 0.1
READY_SECONDS = 60
FOLDER = "/opt/bench"
LOGS = "/run/bench"
CONTROLLER = str(paths.ROOT / ".venv/bin/python")
PYTHON = f"{FOLDER}/python"
SHELL = f"{FOLDER}/shell"
CONFIG = "/etc/gitlab-runner/config.toml"
ADMIN_TOKEN = "glpat-bench0000000000000000"

# Every module process is a line. The controller's cache of bytecode is not for the host's Python.
PYTHON_WRAPPER = f"""#!/bin/sh
echo x >> {LOGS}/modules
unset PYTHONPYCACHEPREFIX
exec /usr/bin/python3 "$@"
"""
# Ansible asks this shell to start this shell: the outer one says nothing new.
SHELL_WRAPPER = f"""#!/bin/sh
case $2 in "$0 "*) ;; *) printf '%s\\0' "$2" >> {LOGS}/commands ;; esac
exec /bin/sh "$@"
"""
# The checkout can't be written here, so compiled Python goes elsewhere: the warm-up fills it, as a first run would.
ENVIRONMENT = {
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    "BENCH_LOGS": LOGS,
    "PYTHONPYCACHEPREFIX": "/var/cache/bench",
    "ANSIBLE_COLLECTIONS_PATH": str(paths.ROOT / "build" / "installed"),
    "ANSIBLE_PIPELINING": "false",
    "ANSIBLE_FORKS": "20",
    "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
}
OLD = "/etc/gitlab-runner/*.toml /etc/gitlab-runner/*.bak"
RESET = f"systemctl stop gitlab-runner && rm -f {OLD} && systemctl start gitlab-runner"
COUNTING = {"ANSIBLE_EXECUTABLE": SHELL}


class Machine:
    """The bench's host, and the API twin that serves nobody else."""

    def __init__(self, podman: Podman, net: Network, image: str) -> None:
        self._podman = podman
        self._net = net
        self._image = image
        self.server = servers.Server(
            API, "testbed.gitlab_api", net.gateway, _free_port(net.gateway), ("--admin-token", ADMIN_TOKEN)
        )
        self.api = TwinClient(self.server.url)

    def start(self) -> None:
        """Start the twin and the host, with the checkout and the controller's Python under their own paths."""
        servers.ensure(self.server)
        mounts = [str(paths.ROOT)]
        if not Path(sys.base_prefix).is_relative_to("/usr"):
            mounts.append(sys.base_prefix)
        volumes = [word for path in mounts for word in ("--volume", f"{path}:{path}:ro")]
        where = ["--network", network.NAME, "--ip", self._net.address(names.BENCH_ADDRESS)]
        label = containers.owner_labels()
        attempt = "start the bench's host"
        self._podman(attempt, "run", "--detach", "--name", NAME, "--hostname", NAME, "--systemd=always",
                     *where, *volumes, *label, self._image, "/sbin/init")  # fmt: skip
        programs.wait_for(lambda: self._podman.quietly("exec", NAME, "systemctl", "--version"), READY_SECONDS)
        self.shell("systemctl is-system-running --wait || true", "wait for the bench's host")
        if not self._podman.quietly("exec", NAME, CONTROLLER, "-c", "import ansible, ssl"):
            raise TestbedError(
                f"The image {self._image} can't run {CONTROLLER}, which comes from this machine: "
                "measure on an image of this machine's own Debian (without TESTBED_IMAGE)."
            )
        self._furnish()

    def _furnish(self) -> None:
        """Put the wrappers and the stopwatch in place."""
        stopwatch = (Path(__file__).parent / "stopwatch.py").read_text()
        self.shell(f"mkdir -p {FOLDER} {LOGS}", "furnish the bench's host")
        for file, text, mode in (
            (PYTHON, PYTHON_WRAPPER, "0755"),
            (SHELL, SHELL_WRAPPER, "0755"),
            (f"{FOLDER}/stopwatch.py", stopwatch, "0644"),
        ):
            argv = ["podman", "exec", "--interactive", NAME, "install", "-m", mode, "/dev/stdin", file]
            programs.run(argv, f"write {file}", env=self._podman.env, given=text)

    def shell(self, words: str, attempt: str) -> str:
        """Run a shell command on the host."""
        return self._podman(attempt, "exec", NAME, "/bin/sh", "-c", words)

    def reset(self) -> None:
        """Go back to nothing registered and no config.toml, the service running."""
        self.api.reset()
        self.api.set_latency(LATENCY_SECONDS)
        self.shell(RESET, "start the service anew without a configuration")
        time.sleep(1.2)  # a daemon younger than a second is not signalled: that wait is not what is measured

    def check_service(self) -> None:
        """Fail unless the daemon runs: an idle host would be measured instead."""
        self.shell("systemctl is-active gitlab-runner", "find the service gitlab-runner running on the bench's host")

    def play(self, inventory_folder: Path, playbook: str, more: Mapping[str, str] | None = None) -> dict[str, t.Any]:
        """Run ansible-playbook under the stopwatch and return what it printed."""
        env = {**ENVIRONMENT, **(more or {})}
        options = [word for name, value in env.items() for word in ("--env", f"{name}={value}")]
        argv = [str(paths.ROOT / ".venv/bin/ansible-playbook"), "-i", str(inventory_folder), playbook]
        watch = ["/usr/bin/python3", f"{FOLDER}/stopwatch.py", *argv]
        said = self._podman(f"run {playbook}", "exec", *options, NAME, *watch)
        return dict(json.loads(said))

    def remove(self) -> None:
        """Take both away."""
        containers.remove(self._podman, [NAME])
        servers.stop(API)


def _free_port(address: str) -> int:
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _runs(podman: Podman) -> bool:
    """Tell whether a testbed is up that can be used as it is."""
    state = inventory.read()
    there = bool(state) and network.find(podman) is not None
    return there and servers.running_pid(lifecycle.REPOSITORY) is not None


@contextmanager
def machine() -> Iterator[tuple[Machine, dict[str, t.Any]]]:
    """Lend the machine and the testbed's state; a testbed that runs is used, else one is brought up and taken away."""
    with lifecycle.alone():
        podman = Podman()
        podman.quietly("rm", "--force", "--ignore", NAME)  # left by a run that was killed; `up` would count it
        used = _runs(podman)
        try:
            if not used:
                lifecycle.up(lifecycle.Wish(hosts=1))
            state, net = inventory.read(), network.find(podman)
            if net is None:
                raise TestbedError("The testbed has no network: run `make testbed-down`, then this again.")
            found = Machine(podman, net, str(state["image"]))
            try:
                found.start()
                yield found, state
            finally:
                found.remove()
        finally:
            if not used:
                lifecycle.down(everything=False, force=False)
