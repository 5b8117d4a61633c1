# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rake: which tasks there are, and how a run of them ends."""

from __future__ import annotations

import errno
import importlib
import re
import sqlite3
import sys
import typing as t
from dataclasses import dataclass

from . import context, dialect
from .errors import Abort, Exit
from .places import Places

Task = t.Callable[[context.Context, tuple[str, ...]], None]

# task: module and function. {part} is a part of a backup by the name its task has.
TASKS: t.Mapping[str, str] = {
    "gitlab:backup:create": "backup.tasks:create",
    "gitlab:backup:restore": "backup.tasks:restore",
    "gitlab:backup:verify": "backup.tasks:verify",
    "gitlab:env:info": "tasks.info:env_info",
    "gitlab:check": "tasks.check:everything",
    "gitlab:gitlab_shell:check": "tasks.check:shell",
    "gitlab:gitaly:check": "tasks.check:gitaly",
    "gitlab:sidekiq:check": "tasks.check:sidekiq",
    "gitlab:app:check": "tasks.check:app",
    "gitlab:artifacts:check": "tasks.check:artifacts",
    "gitlab:lfs:check": "tasks.check:lfs",
    "gitlab:uploads:check": "tasks.check:uploads",
    "gitlab:doctor:secrets": "tasks.doctor:secrets",
    "gitlab:db:configure": "tasks.migrate:configure",
    "db:migrate": "tasks.migrate:migrate",
    "db:migrate:status": "tasks.migrate:status",
    "gitlab:background_migrations:status": "tasks.background:status",
    "gitlab:background_migrations:finalize": "tasks.background:finalize",
    "gitlab:shell:setup": "tasks.shell:setup",
    "cache:clear": "tasks.shell:clear_cache",
    "twin:load": "load.tasks:load",
}
_PART_TASK = re.compile(r"gitlab:backup:(\w+):(create|restore)")


@dataclass(frozen=True)
class Call:
    """One task with its arguments."""

    name: str
    arguments: tuple[str, ...] = ()


def parse(words: t.Sequence[str]) -> tuple[list[Call], dict[str, str]]:
    """Return the tasks and the variables of a command line; options have no meaning here."""
    calls: list[Call] = []
    variables: dict[str, str] = {}
    for word in words:
        variable = re.fullmatch(r"(\w+)=(.*)", word, re.DOTALL)
        if variable:
            variables[variable.group(1)] = variable.group(2)
        elif not word.startswith("-"):
            name, _bracket, inside = word.partition("[")
            # A comma separates arguments, unless there is a backslash before it.
            pieces = re.split(r"(?<!\\),", inside.rpartition("]")[0]) if inside else []
            calls.append(Call(name, tuple(piece.replace("\\,", ",") for piece in pieces)))
    return calls or [Call("default")], variables


def find(call: Call) -> t.Optional[tuple[Task, tuple[str, ...]]]:
    """Return the function of a task with its arguments."""
    name, arguments = call.name, call.arguments
    target = TASKS.get(name)
    part = _PART_TASK.fullmatch(name)
    if part and target is None:
        target, arguments = f"backup.tasks:part_{part.group(2)}", (part.group(1),)
    database = re.fullmatch(r"(.+):main", name)
    if target is None and database:
        target = TASKS.get(database.group(1))
    if target is None:
        return None
    module, function = target.split(":")
    return t.cast(Task, getattr(importlib.import_module(f".{module}", __package__), function)), arguments


def _abort(message: str, top: t.Optional[str] = None) -> int:
    sys.stdout.flush()
    tail = f"\nTasks: TOP => {top}" if top else ""
    sys.stderr.write(f"rake aborted!\n{message}\n{tail}\n(See full trace by running task with --trace)\n")
    return 1


def _boot(ctx: context.Context) -> None:
    ctx.faults.wait("rake-slow")
    broken = ctx.faults.get("rails-boot")
    if broken is not None:
        raise Abort("RuntimeError", broken or "Rails does not start")


def main(words: t.Sequence[str], at: t.Optional[Places] = None, env: t.Optional[t.Mapping[str, str]] = None) -> int:
    """Run the tasks of a command line and return the exit status."""
    calls, variables = parse(words)
    ctx = context.new(env, at)
    ctx.env.update(variables)
    for call in calls:
        found = find(call)
        if found is None:
            text = f"Don't know how to build task '{call.name}' (See the list of available tasks with `rake --tasks`)"
            return _abort(text)
        try:
            _boot(ctx)
            found[0](ctx, found[1])
        except Exit as exc:
            return exc.status
        except Abort as exc:
            return _abort(f"{exc.kind}: {exc}", call.name)
        except OSError as exc:
            kind = errno.errorcode.get(exc.errno or errno.EIO, "EIO")
            place = f"rb_sysopen - {exc.filename}" if exc.filename else "io_writev"
            return _abort(f"Errno::{kind}: {exc.strerror} @ {place}", call.name)
        except sqlite3.Error as exc:
            return _abort(f"ActiveRecord::StatementInvalid: ERROR:  {dialect.error(str(exc), '', '')}", call.name)
    return 0
