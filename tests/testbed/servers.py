# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs in the background: started once, found again by pid, stopped only if they are ours."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from testbed import paths, programs
from testbed.errors import TestbedError

MARK = "TESTBED_SERVER"
ANSWER_SECONDS = 60  # moto alone reads 4 s of programs, on an idle machine
STOP_SECONDS = 10
# The new process writes its own number before it becomes the server: there is no moment at which a killed `up` leaves
# a server that nobody knows.
RECORD_THEN_RUN = 'echo $$ >"$1.part" && mv "$1.part" "$1" && shift && exec "$@"'


@dataclasses.dataclass(frozen=True)
class Server:
    """A python module that serves HTTP on an address and a port."""

    name: str
    module: str
    address: str
    port: int
    arguments: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The server's base URL."""
        return f"http://{self.address}:{self.port}"

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return paths.LOGS / f"{self.name}.log"

    def argv(self) -> list[str]:
        """Return the command line."""
        where = ["--bind", self.address, "--port", str(self.port)]
        return [sys.executable, "-m", self.module, *where, *self.arguments]


def _records(root: Path) -> Path:
    return paths.SERVERS if root == paths.ROOT else root / "build" / "testbed" / "servers"


def _pid_file(name: str, root: Path) -> Path:
    return _records(root) / f"{name}.pid"


def _read(pid: int, what: str) -> list[str]:
    try:
        return [part.decode() for part in Path(f"/proc/{pid}/{what}").read_bytes().split(b"\0") if part]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _ended(pid: int) -> bool:
    """Tell whether the process and its last thread are gone: until then its sockets are held."""
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state in ("Z", "X") and len(list((process / "task").iterdir())) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return True


def running_pid(name: str, root: Path = paths.ROOT) -> t.Optional[int]:
    """Return the pid of a checkout's server; a number that now belongs to another program is not its."""
    file = _pid_file(name, root)
    if not file.exists() or not file.read_text().strip().isdigit():
        return None
    pid = int(file.read_text())
    return pid if f"{MARK}={root}/{name}" in _read(pid, "environ") else None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True  # any answer is an answer
    except OSError:
        return False


def _ensure_port_is_free(server: Server) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.address, server.port))
        except OSError as exc:
            raise TestbedError(
                f"Could not start {server.name} on {server.address} port {server.port}: {exc.strerror}. "
                f"Stop what listens there, or give another port: `up --{server.name}-port N`."
            ) from exc


def _spawn(server: Server) -> subprocess.Popen[bytes]:
    file = _pid_file(server.name, paths.ROOT)
    for folder in (paths.SERVERS, paths.LOGS):
        folder.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, MARK: f"{paths.ROOT}/{server.name}", "PYTHONPATH": str(paths.SOURCE.parent)}
    argv = ["/bin/sh", "-c", RECORD_THEN_RUN, "sh", str(file), *server.argv()]
    with server.log.open("ab") as log:
        return subprocess.Popen(
            argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=paths.ROOT
        )


def ensure(server: Server) -> None:
    """Have the server run with these very arguments, and wait until it answers."""
    pid = running_pid(server.name)
    if pid is not None and _read(pid, "cmdline") == server.argv() and _answers(server.url):
        return
    stop(server.name)
    _ensure_port_is_free(server)
    process = _spawn(server)
    if programs.wait_for(lambda: process.poll() is not None or _answers(server.url), ANSWER_SECONDS):
        if process.poll() is None:
            return
        said = server.log.read_text(errors="replace")
        raise programs.failure(f"start {server.name} ({server.log})", process.returncode, said)
    stop(server.name)
    raise TestbedError(f"{server.name} did not answer at {server.url} in {ANSWER_SECONDS} s: see {server.log}.")


def stop(name: str, root: Path = paths.ROOT) -> bool:
    """Stop a checkout's server of this name, if it runs; returns whether it did."""
    pid = running_pid(name, root)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        if not programs.wait_for(lambda: _ended(pid), STOP_SECONDS, pause=0.02):
            os.kill(pid, signal.SIGKILL)
            programs.wait_for(lambda: _ended(pid), STOP_SECONDS, pause=0.02)
    _pid_file(name, root).unlink(missing_ok=True)
    return pid is not None


def stop_all(root: Path = paths.ROOT) -> int:
    """Stop every server that an `up` of this checkout has started; returns how many ran."""
    return sum(stop(file.stem, root) for file in sorted(_records(root).glob("*.pid")))
