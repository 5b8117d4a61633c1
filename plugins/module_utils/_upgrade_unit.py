# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that must not be cut short, each in a systemd unit of its own. Standard library of Python 3.9.

A package transaction or pg_upgrade that is killed leaves the host in between. So they are no children of the program
that starts them: when it is killed they go on, and its next run waits for their end.
"""

from __future__ import annotations

import pathlib
import re
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Run

UNIT = "fleetwright-gitlab-upgrade-step"
SECONDS = 6 * 3600.0
PAUSE_SECONDS = 0.5
# KillMode: what a package starts is none of the unit's business, and lives on.
_START = ("systemd-run", "--quiet", "--collect", "--property=KillMode=process", "--setenv=HOME=/root")
# rc.new comes before the end, so that one that is missing says that the command was killed.
_SCRIPT = 'rm -f "$1.rc"; log=$1; shift; "$@" > "$log" 2>&1; echo $? > "$log.new"; sync; mv -f "$log.new" "$log.rc"'
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Interrupted(Exception):
    """The command ended without an exit status: it was killed, or the host was started anew."""


def finished(log: pathlib.Path) -> int | None:
    """The exit status of a command that has ended; None where it has not, or never began."""
    try:
        return int(pathlib.Path(f"{log}.rc").read_text("utf-8"))
    except (OSError, ValueError):
        return None


def said(log: pathlib.Path) -> str:
    """What it said, without colours; what was written over on a terminal (carriage returns) becomes lines."""
    try:
        return _COLOUR.sub("", log.read_text("utf-8", "replace")).replace("\r", "\n")
    except OSError:
        return ""


def forget(log: pathlib.Path) -> None:
    """Nothing of an earlier run with this log is left to be taken for this one's."""
    for ending in ("", ".rc", ".new"):
        pathlib.Path(f"{log}{ending}").unlink(missing_ok=True)


def await_end(run: Run) -> bool:
    """Wait until no command of an earlier run is at work; returns whether one was."""
    waited = False
    until = time.monotonic() + SECONDS
    while _is_active(run) and time.monotonic() < until:
        waited = True
        time.sleep(PAUSE_SECONDS)
    return waited


def _is_active(run: Run) -> bool:
    done = run(["systemctl", "list-units", "--no-legend", "--plain", "--state=active,activating,deactivating",
                f"{UNIT}-*"], timeout=60)  # fmt: skip
    return bool(done.stdout.strip())


def run_to_end(run: Run, argv: t.Sequence[str], log: pathlib.Path) -> int:
    """Run a command to its end; its output goes to log. Returns its exit status; raises Interrupted."""
    await_end(run)
    forget(log)
    unit = f"--unit={UNIT}-{time.time_ns()}"
    done = run([*_START, "--wait", unit, "/bin/sh", "-c", _SCRIPT, "sh", str(log), *argv], timeout=SECONDS)
    status = finished(log)
    if status is None:
        raise Interrupted(
            f"{' '.join(argv)} did not come to its end (systemd-run ended with {done.rc}: {done.words}). What it said "
            f"is in {log}."
        )
    return status


def last_words(text: str, lines: int = 8) -> str:
    """The end of an output, for a message."""
    found = [line.strip() for line in text.splitlines() if line.strip(" =")]
    return " | ".join(found[-lines:])[-1200:]
