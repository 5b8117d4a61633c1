# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: global flags, the table of commands, help, and how the program ends."""

from __future__ import annotations

import importlib
import os
import sys
import typing as t

from . import build as builds
from .app import App, Command
from .flags import Flag, FlagError, Values, flag, parse
from .golang import GoPanic
from .logs import LEVEL_WORDS, Fatal, Logger
from .traits import Trait, Traits

GLOBAL_FLAGS = (
    flag("cpuprofile", env="CPU_PROFILE", usage="write cpu profile to file"),
    flag("debug", "b", "RUNNER_DEBUG", usage="debug mode"),
    flag("log-format", env="LOG_FORMAT", usage="Choose log format (options: runner, text, json)"),
    flag("log-level l", env="LOG_LEVEL", usage="Log level (options: debug, info, warn, error, fatal, panic)"),
    flag("help h", "b", usage="show help"),
    flag("version v", "b", usage="print the version"),
)
HELP_FLAG = flag("help h", "b", usage="show help")
# command: (module, what it is for, since which trait)
COMMANDS: t.Mapping[str, tuple[str, str, t.Optional[Trait]]] = {
    "list": ("list_runners", "List all configured runners", None),
    "run": ("run", "run multi runner service", None),
    "register": ("register", "register a new runner", None),
    "reset-token": ("reset_token", "reset a runner's token", None),
    "install": ("install", "install service", None),
    "uninstall": ("service_verbs", "uninstall service", None),
    "start": ("service_verbs", "start service", None),
    "stop": ("service_verbs", "stop service", None),
    "restart": ("service_verbs", "restart service", None),
    "status": ("status", "get status of a service", None),
    "run-single": ("run_single", "start single runner", None),
    "unregister": ("unregister", "unregister specific runner", None),
    "verify": ("verify", "verify all registered runners", None),
    "lint": ("lint", "check the configuration file", Trait.LINT),
}


def known(traits: Traits) -> list[str]:
    return [name for name, (_first, _second, trait) in COMMANDS.items() if trait is None or traits.has(trait)]


def _flag_lines(flags: t.Iterable[Flag]) -> str:
    lines = []
    for one in flags:
        names = ", ".join(f"{'--' if len(name) > 1 else '-'}{name}" for name in one.names)
        env = f" [${one.env}]" if one.env else ""
        lines.append(f"   {names + ' value' if one.kind != 'b' else names}  {one.usage}{env}\n")
    return "".join(lines)


def help_text(app: App) -> str:
    rows = [(name, COMMANDS[name][1]) for name in known(app.traits)] + [
        ("help, h", "Shows a list of commands or help for one command")
    ]
    commands = "".join(f"   {name:<12}  {usage}\n" for name, usage in rows)
    return (
        "NAME:\n   gitlab-runner - a GitLab Runner\n\n"
        "USAGE:\n   gitlab-runner [global options] command [command options] [arguments...]\n\n"
        f"VERSION:\n   {app.build.version} ({app.build.revision})\n\n"
        "AUTHOR:\n   GitLab Inc. <support@gitlab.com>\n\n"
        f"COMMANDS:\n{commands}\nGLOBAL OPTIONS:\n{_flag_lines(GLOBAL_FLAGS)}"
    )


def command_help(name: str, flags: t.Iterable[Flag]) -> str:
    return (
        f"NAME:\n   gitlab-runner {name} - {COMMANDS[name][1]}\n\n"
        f"USAGE:\n   gitlab-runner {name} [command options] [arguments...]\n\nOPTIONS:\n{_flag_lines(flags)}"
    )


def _logger(values: Values) -> Logger:
    level = values.text("log-level") or "info"
    return Logger(
        values.text("log-format") or "runner", "debug" if values.on("debug") else LEVEL_WORDS.get(level, level)
    )


def _command(app: App, words: t.Sequence[str]) -> int:
    name = words[0]
    if name in ("help", "h"):
        sys.stdout.write(help_text(app))
        return 0
    if name not in known(app.traits):
        app.announce()
        app.logger.fatal(f"Command {name} not found.")
    module = t.cast(Command, importlib.import_module(f".commands.{COMMANDS[name][0]}", __package__))
    flags = (*module.flags(app), HELP_FLAG)
    try:
        values = parse(words[1:], flags)
    except FlagError as exc:
        app.announce()
        sys.stdout.write(f"Incorrect Usage: {exc}\n\n{command_help(name, flags)}\n")
        sys.stdout.flush()
        app.logger.fatal(str(exc))
    if values.on("help"):
        sys.stdout.write(command_help(name, flags))
        return 0
    app.announce()
    values.defaults["command"] = name
    return module.run(app, values)


def main(words: t.Sequence[str]) -> int:
    """Run one command line and return the exit status."""
    build = builds.load()
    traits = Traits(build.version)
    try:
        values = parse(words, GLOBAL_FLAGS)
    except FlagError as exc:
        app = App(build, traits, Logger())
        sys.stdout.write(f"Incorrect Usage: {exc}\n\n{help_text(app)}\n")
        sys.stdout.flush()
        app.logger.log("fatal", str(exc))
        return 1
    app = App(
        build,
        traits,
        _logger(values),
        bool(values.text("log-level")) or values.on("debug"),
        bool(values.text("log-format")),
    )
    if values.on("version"):
        sys.stdout.write(build.version_text())
        return 0
    if values.on("help") or not values.rest:
        sys.stdout.write(help_text(app))
        return 0
    try:
        return _command(app, values.rest)
    except Fatal as exc:
        return int(exc.code or 0)


def start() -> t.NoReturn:
    """Be the program."""
    from . import early

    early.go_defaults()
    try:
        status = main(sys.argv[1:])
    except GoPanic as exc:
        sys.stderr.write(f"panic: {exc}\n\ngoroutine 1 [running]:\nmain.main()\n")
        status = 2
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # no waiting for threads: what must be finished is finished
