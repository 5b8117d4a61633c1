# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs programs: quiet when they work, a sentence with their last lines when they do not."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from testbed.errors import TestbedError

LAST_LINES = 15


def failure(attempt: str, code: int, output: str) -> TestbedError:
    """Return the error for a program that failed, with the end of what it said."""
    lines = [line for line in output.splitlines() if line.strip()][-LAST_LINES:]
    said = "\n  ".join(lines) if lines else "(it said nothing)"
    return TestbedError(f"Could not {attempt}: the program ended with {code}. It said:\n  {said}")


def run(
    argv: Sequence[str | Path],
    attempt: str,
    *,
    env: Mapping[str, str] | None = None,
    given: str | None = None,
    timeout: float = 600,
) -> str:
    """Run a program and return its standard output; `attempt` completes "Could not ..."."""
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(words, env=env, input=given, capture_output=True, text=True, timeout=timeout, check=False)
    except FileNotFoundError as exc:
        raise TestbedError(f"Could not {attempt}: {words[0]} is not installed (see apt-packages.txt).") from exc
    except subprocess.TimeoutExpired as exc:
        raise TestbedError(f"Could not {attempt}: `{shlex.join(words)}` was not done in {timeout:.0f} s.") from exc
    if done.returncode:
        raise failure(attempt, done.returncode, done.stdout + done.stderr)
    return done.stdout


def quietly(argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> bool:
    """Run a program whose failure means only that there was nothing to do."""
    done = subprocess.run([str(word) for word in argv], env=env, capture_output=True, check=False)
    return done.returncode == 0


def say(text: str) -> None:
    """Print one short line of progress."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Show what takes long before it starts, and how long it took."""
    say(f"  {text} ...")
    start = time.monotonic()
    yield
    say(f"  {text}: {time.monotonic() - start:.1f} s")


def wait_for(check: t.Callable[[], bool], seconds: float, pause: float = 0.1) -> bool:
    """Ask until the answer is yes or the time is over."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
