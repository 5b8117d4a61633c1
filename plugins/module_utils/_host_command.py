# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs run on a host: one way to start them, to wait for them and to end them. Standard library of Python 3.9.

Nothing secret belongs into argv: every user of the host can read it there.
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import os
import signal
import subprocess
import threading
import typing as t

# As the shell and coreutils' timeout say it.
NOT_FOUND = 127
TIMED_OUT = 124
# Time for a program to end by itself, in seconds, before it is killed.
GRACE = 10
KEPT_LINES = 200


@dataclasses.dataclass(frozen=True)
class Completed:
    """What came of a program. rc is its exit status, negative for a signal, NOT_FOUND or TIMED_OUT."""

    rc: int
    stdout: str
    stderr: str = ""

    @property
    def words(self) -> str:
        """The end of what it said, for a message: standard error where there is any, else standard output."""
        return (self.stderr.strip() or self.stdout.strip())[-500:]


class Run(t.Protocol):
    """How the code of this collection starts programs; tests hand in a fake."""

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        env: t.Mapping[str, str] | None = None,
        timeout: float | None = None,
        input: str | None = None,
    ) -> Completed: ...


class Stream(t.Protocol):
    """A program whose lines are handed over while it runs."""

    def __call__(
        self,
        argv: t.Sequence[str],
        on_line: t.Callable[[str], None],
        *,
        env: t.Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Completed: ...


def run(
    argv: t.Sequence[str],
    *,
    env: t.Mapping[str, str] | None = None,
    timeout: float | None = None,
    input: str | None = None,
) -> Completed:
    """Run a program to its end. env is added to this process's; timeout is in seconds.

    After the timeout its whole process group is ended, and what it had said until then is returned.
    """
    try:
        process = _start(argv, env, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL)
    except OSError as exc:
        return _not_started(argv, exc)
    try:
        out, errors = process.communicate(input, timeout)
    except subprocess.TimeoutExpired:
        _end(process)
        out, errors = process.communicate()
        return Completed(TIMED_OUT, out, f"{errors}\nended after {timeout:g} s")
    except BaseException:
        _end(process)
        raise
    return Completed(process.returncode, out, errors)


def stream(
    argv: t.Sequence[str],
    on_line: t.Callable[[str], None],
    *,
    env: t.Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run a program and hand over each line of its output and its errors, in their order, while it runs.

    The result's stdout holds the last KEPT_LINES of them. What on_line raises ends the program.
    """
    try:
        process = _start(argv, env, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    except OSError as exc:
        return _not_started(argv, exc)
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _end(process)

    timer = threading.Timer(timeout, expire) if timeout is not None else None
    kept: collections.deque[str] = collections.deque(maxlen=KEPT_LINES)
    try:
        if timer:
            timer.start()
        for line in t.cast("t.IO[str]", process.stdout):
            kept.append(line)
            on_line(line.rstrip("\r\n"))
        process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        if timer:
            timer.cancel()
        t.cast("t.IO[str]", process.stdout).close()
    if expired.is_set():
        return Completed(TIMED_OUT, "".join(kept), f"ended after {timeout:g} s")
    return Completed(process.returncode, "".join(kept))


def _start(
    argv: t.Sequence[str], env: t.Mapping[str, str] | None, *, stdin: int, stderr: int = subprocess.PIPE
) -> subprocess.Popen[str]:
    # AnsibleModule.run_command is not there in the programs that a timer runs, and knows neither lines nor time.
    return subprocess.Popen(  # pylint: disable=ansible-bad-function
        list(argv),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},  # messages as the vendor wrote them
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # so that all that it starts can be ended with it
    )


def _not_started(argv: t.Sequence[str], exc: OSError) -> Completed:
    return Completed(NOT_FOUND, "", f"{argv[0]}: {exc.strerror or exc}")


def _end(process: subprocess.Popen[str]) -> None:
    """End the process group: asked first, killed after GRACE seconds."""
    for number, wait in ((signal.SIGTERM, GRACE), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait)
            return
