# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a backup, each with its time; its questions; where the faults of tests strike."""

from __future__ import annotations

import os
import signal
import sys
import time
import typing as t

from ..context import Context
from ..errors import Abort, Exit
from .options import Options


class PartFailed(Exception):
    """A database or file part failed: the run goes on, and ends with 1."""


class Progress:
    """Where a run tells what it does."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._quiet = bool(ctx.env.get("CRON"))  # then it goes to a buffer that nobody sees (server facts 1.2)

    def line(self, text: str) -> None:
        """Print one message; of several lines only the first has the time."""
        self.plain(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC -- {text}")

    def plain(self, text: str) -> None:
        """Print a message without time."""
        if not self._quiet:
            self._ctx.say(text)

    def reached(self, name: str) -> None:
        """Be killed here, when the fault says so; be slow, when it says that."""
        if self._ctx.faults.names("backup-kill", name):
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        if name not in ("archive", "archive-half", "upload"):
            self._ctx.faults.wait("backup-slow")

    def fault(self, name: str, part: str) -> bool:
        return self._ctx.faults.names(name, part)

    def ask(self, options: Options) -> None:
        """Ask until the answer is yes or no; no ends the task, a closed stdin crashes it (server facts 2.4)."""
        if options.assume_yes:
            return
        while True:
            self._ctx.out.write("Do you want to continue (yes/no)? ")
            self._ctx.out.flush()
            answer: t.Optional[str] = self._ctx.stdin.readline() or None
            if answer is None:
                raise Abort("NoMethodError", "undefined method `chomp' for nil")
            if answer.strip() == "yes":
                return
            if answer.strip() == "no":
                self._ctx.say("Quitting...")
                raise Exit(1)
