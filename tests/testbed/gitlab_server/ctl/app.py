# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which commands there are, how many words they take, and what a wrong one gets (observed 5)."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import typing as t

from ..places import here
from .node import Node, say
from .services import RUNIT, runit

Command = t.Callable[[Node, t.Sequence[str]], int]


@dataclasses.dataclass(frozen=True)
class Entry:
    """A command: its module and function, whether it takes words, what help says of it."""

    module: str
    function: str
    takes: bool
    text: str


COMMANDS: dict[str, Entry] = {
    "backup-etc": Entry("backup_etc", "backup_etc", True, "Backup GitLab configuration [options]"),
    "check-config": Entry("config", "check_config", True, "Check if there are any removed settings in gitlab.rb"),
    "deploy-page": Entry("config", "deploy_page", True, "Put up the deploy page"),
    "diff-config": Entry("config", "diff_config", False, "Compare the user configuration with package available one"),
    "graceful-kill": Entry("services", "graceful_kill", True, "Stop, then SIGKILL the process group."),
    "help": Entry("app", "show_help", False, "Print this help message."),
    "pg-upgrade": Entry("pg_upgrade", "pg_upgrade", True, "Upgrade the PostgreSQL DB to the latest supported version"),
    "reconfigure": Entry("config", "reconfigure", False, "Reconfigure the application."),
    "restart-except": Entry("services", "restart_except", True, "Restart all services except: SERVICE_NAME"),
    "revert-pg-upgrade": Entry("pg_upgrade", "revert_pg_upgrade", True, "Run this to revert the database"),
    "service-list": Entry("services", "service_list", False, "List all the services (a * says enabled)."),
    "show-config": Entry("config", "show_config", False, "Show what reconfigure would generate."),
    "tail": Entry("services", "tail", True, "Watch the service logs of all enabled services."),
    "upgrade": Entry("upgrade", "upgrade", False, "Run migrations after a package upgrade"),
    "upgrade-check": Entry("config", "upgrade_check", True, "Check if the upgrade is acceptable"),
}
RUNIT_TEXT = {
    "status": "Show the status of all the services.",
    "stop": "Stop services, and wait up to 30 seconds for them to stop.",
    "start": "Start services if they are down, and restart them if they stop.",
    "restart": "Stop the services if they are running, then start them again.",
}


def help_text() -> str:
    """Return the list of commands."""
    lines = [f"  {name}\n    {RUNIT_TEXT.get(name, f'Send the services a {name.upper()}.')}" for name in RUNIT]
    lines += [f"  {name}\n    {entry.text}" for name, entry in COMMANDS.items()]
    return "omnibus-ctl: command (subcommand)\n" + "\n".join(sorted(lines))


def show_help(_node: Node, _arguments: t.Sequence[str]) -> int:
    """Print the list of commands."""
    say(help_text())
    return 0


def _unknown(words: t.Sequence[str]) -> int:
    say("I don't know that command.")
    if len(words) == 2:
        say(f"Did you mean: omnibus-ctl {words[1]} {words[0]}?")
    say(help_text())
    return 1


def run(node: Node, words: t.Sequence[str]) -> int:
    """Run one command line and return its exit status."""
    name, arguments = (words[0], words[1:]) if words else ("", [])
    if name in RUNIT:
        return runit(node, name, arguments)
    entry = COMMANDS.get(name)
    if entry is None:
        return _unknown(words)
    if arguments and not entry.takes:
        say(f"The command {name} does not accept any arguments")
        return 2
    module = importlib.import_module(f"{__package__}.{entry.module}")  # only what this command needs
    command: Command = getattr(module, entry.function)
    return command(node, arguments)


def main() -> int:
    """Run the command line of this process."""
    return run(Node(here()), sys.argv[1:])
