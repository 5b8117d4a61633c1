# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One process of a job: a group of its own, script on stdin, output as it comes."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import typing as t

GRACEFUL_KILL = 600.0  # seconds between SIGTERM and SIGKILL (runner facts 1.7)
CHUNK = 65536


class Process:
    """Runs a program to its end; terminate() may come from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: t.Optional[subprocess.Popen[bytes]] = None
        self._terminated = False

    def run(
        self,
        argv: t.Sequence[str],
        output: t.Callable[[bytes], None],
        script: str = "",
        env: t.Optional[t.Mapping[str, str]] = None,
    ) -> int:
        """Return the exit status, negative for a signal; a program terminated before it began gives -15."""
        with tempfile.TemporaryFile() as stdin:
            stdin.write(script.encode())
            stdin.seek(0)
            with self._lock:
                if self._terminated:
                    return -signal.SIGTERM
                self._child = subprocess.Popen(
                    argv,
                    stdin=stdin,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    env=None if env is None else dict(env),
                )
        pipe = self._child.stdout
        if pipe is not None:
            with pipe:
                while True:
                    chunk = os.read(pipe.fileno(), CHUNK)
                    if not chunk:
                        break
                    output(chunk)
        return self._child.wait()

    def terminate(self) -> None:
        with self._lock:
            self._terminated = True
        self._signal(signal.SIGTERM)
        killer = threading.Timer(GRACEFUL_KILL, self._signal, (signal.SIGKILL,))
        killer.daemon = True
        killer.start()

    def _signal(self, number: int) -> None:
        child = self._child
        if child is None or child.returncode is not None:
            return
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:  # it ended by itself meanwhile
            return
