# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that speak to runit (observed 5)."""

from __future__ import annotations

import os
import re
import signal
import sys
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .node import Node, say

RUNIT = ("status", "stop", "start", "restart", "hup", "term", "int", "kill", "usr1", "usr2", "once")
SVWAIT = "30"
SVWAIT_HONOURED = (19, 1, 0)
LINE = re.compile(r"^(run|down|fail|warning): ([^:]+): ")


def rating(command: str, line: str, code: int) -> int:
    """Return what one service's line adds to the exit status."""
    if command != "status":
        return code
    return {"down": 3, "warning": 4}.get(line.partition(":")[0], code)


def enabled(node: Node) -> list[str]:
    """Return the enabled services, in order."""
    if not node.places.services.is_dir():
        return []
    return sorted(path.name for path in node.places.services.iterdir())


def wait_seconds(node: Node) -> str:
    """Return how long runit waits: the caller's SVWAIT counts since 19.1.0 only."""
    given = os.environ.get("SVWAIT")
    return given if given and node.release.numbers >= SVWAIT_HONOURED else SVWAIT


def one(node: Node, command: str, service: str) -> tuple[str, int]:
    """Run one runit command on one service and return its line and what it counts for."""
    env = {"SVDIR": str(node.places.services), "SVWAIT": wait_seconds(node)}
    done = node.run([str(node.places.embedded / "bin/sv"), command, service], env=env)
    return done.stdout + done.stderr, rating(command, done.stdout, done.returncode)


def each(node: Node, command: str, names: t.Sequence[str]) -> int:
    """Run one runit command on services and show their lines in order; returns the sum of what they count for.

    GitLab's own asks one after the other. runit looks every 0.4 s whether it is done: together takes a tenth of it.
    """
    total = 0
    with ThreadPoolExecutor(max(len(names), 1)) as pool:
        for text, code in pool.map(lambda name: one(node, command, name), names):
            sys.stdout.write(text)
            sys.stdout.flush()
            total += code
    return total


def runit(node: Node, command: str, arguments: t.Sequence[str]) -> int:
    """Run a runit command: on one service, silently on none when it is not enabled, else on all."""
    names = enabled(node)
    if arguments:
        names = [arguments[0]] if arguments[0] in names else []  # a second name is ignored
    return each(node, command, names)


def _group(pid: str) -> list[int]:
    """Return the processes of a group that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, group = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if group == pid and state != "Z":
            found.append(int(stat.parent.name))
    return sorted(found)


def graceful_kill(node: Node, arguments: t.Sequence[str]) -> int:
    """Stop services, and kill what is left of their process groups."""
    total = 0
    for name in enabled(node):
        if arguments and name != arguments[0]:
            continue
        file = node.places.services / name / "supervise/pid"
        pid = file.read_text().strip() if file.exists() else ""
        total += runit(node, "stop", [name])
        left = _group(pid) if pid else []
        if left:
            words = " ".join(map(str, left))
            say(f"found stuck pids still running in process group: {words}, sending SIGKILL")
            os.killpg(int(pid), signal.SIGKILL)
    return total


def restart_except(node: Node, arguments: t.Sequence[str]) -> int:
    """Restart every service but those named."""
    names = enabled(node)
    for name in arguments:
        if name not in names:
            say(f"Service '{name}' not found")
            return 1
    say(f"Restarting all services except: {', '.join(arguments)}.")
    return each(node, "restart", [name for name in names if name not in arguments])


def service_list(node: Node, _arguments: t.Sequence[str]) -> int:
    """List the services that are laid out; a star says enabled."""
    on = enabled(node)
    room = node.places.opt / "sv"
    for name in sorted(path.name for path in room.iterdir()) if room.is_dir() else ():
        say(f"{name}{'*' if name in on else ''}")
    return 0


def tail(node: Node, arguments: t.Sequence[str]) -> int:
    """Show the end of the logs (the real one goes on showing them)."""
    for name in arguments or enabled(node):
        log = node.places.log / name / "current"
        if log.exists():
            say(f"==> /var/log/gitlab/{name}/current <==")
            say("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]))
    return 0
