# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The testbed's commands: `python -m testbed up|down|status|packages|aws|disk`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from testbed import lifecycle, requirements
from testbed.errors import TestbedError
from testbed.hosts import disk
from testbed.hosts.podman import Podman
from testbed.packages import repository, server_repository
from testbed.programs import say


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("no less than none")
    return number


def parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    top = argparse.ArgumentParser(prog="testbed", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring hosts, package repository and API twin up")
    up.add_argument("--hosts", type=_count, help="how many (as many as run already, else 3)")
    up.add_argument("--servers", type=_count, help="how many for GitLab servers (as many as run already, else none)")
    up.add_argument("--fresh", action="store_true", help="replace hosts that run already by new ones")
    up.add_argument("--s3", action="store_true", help="an S3 that the hosts reach")
    up.add_argument("--api-port", type=int, default=8080, help="port of the API twin")
    up.add_argument("--packages-port", type=int, default=8081, help="port of the package repository")
    down = commands.add_parser("down", help="take all of it away")
    down.add_argument("--all", action="store_true", help="the image and the repository cache too")
    down.add_argument("--force", action="store_true", help="also when another checkout runs it")
    commands.add_parser("status", help="say what runs; exit status 1 if something is missing")
    commands.add_parser("packages", help="build the package repository only")
    aws = commands.add_parser("aws", help="bring the AWS server up, alone or beside hosts; `down` stops it")
    aws.add_argument("--aws-port", type=int, default=8082, help="its port")
    small = commands.add_parser("disk", help="put a small disk over a folder of a host, or take it away")
    small.add_argument("host")
    small.add_argument("folder", type=Path)
    small.add_argument("size", nargs="?", help="such as 8m; without it the disk is taken away")
    return top


def _disk(host: str, folder: Path, size: str | None) -> None:
    podman = Podman()
    if size:
        disk.limit(podman, host, folder, size)
    else:
        disk.unlimit(podman, host, folder)


def _run(args: argparse.Namespace) -> int:
    if args.command == "status":
        return 0 if lifecycle.status() else 1
    if args.command == "disk":
        _disk(args.host, args.folder, args.size)
        return 0
    with lifecycle.alone():
        if args.command == "up":
            wish = lifecycle.Wish(args.hosts, args.servers, args.fresh, args.api_port, args.packages_port, s3=args.s3)
            lifecycle.up(wish)
        elif args.command == "aws":
            print(lifecycle.up_aws(args.aws_port))
        elif args.command == "down":
            lifecycle.down(everything=args.all, force=args.force)
        else:
            requirements.check()
            for found in (repository.repositories(os.environ), server_repository.repositories(os.environ)):
                say(f"  {found.www}: {' '.join(found.versions)}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; errors are sentences."""
    try:
        return _run(parser().parse_args(argv))
    except TestbedError as exc:
        say(f"testbed: {exc}")
        return 2
    except KeyboardInterrupt:
        say("testbed: interrupted; `down` takes away what has been started, `up` goes on from here.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
