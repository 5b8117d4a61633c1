# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the hosts: a key of the testbed's own and the options that ssh is called with."""

from __future__ import annotations

import shutil
from pathlib import Path

from testbed import paths, programs

USER = "ec2-user"
# Hosts come and go under the same addresses: nothing is remembered about them, and a connection whose host is gone
# is given up soon.
OPTIONS = (
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "GlobalKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
    "IdentitiesOnly=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=2",
    "ControlMaster=auto",
    "ControlPersist=60s",
    f"ControlPath={paths.SSH_CONTROL}/%C",
)


def public_key_file() -> Path:
    """Return where the public half is."""
    return paths.SSH_KEY.with_suffix(".pub")


def ensure_key() -> None:
    """Make the key on first use, and the folder for shared connections."""
    paths.SSH_CONTROL.mkdir(mode=0o700, parents=True, exist_ok=True)
    if paths.SSH_KEY.exists() and public_key_file().exists():
        return
    paths.SSH_KEY.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths.SSH_KEY.unlink(missing_ok=True)
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "fleetwright-testbed", "-f", str(paths.SSH_KEY)]
    programs.run(make, "make the testbed's ssh key")


def arguments() -> str:
    """Return the options as one line, for ansible_ssh_common_args."""
    return " ".join(f"-o {option}" for option in OPTIONS)


def command(address: str, words: str) -> list[str]:
    """Return the command line that runs something on a host."""
    options = [word for option in OPTIONS for word in ("-o", option)]
    return ["ssh", "-i", str(paths.SSH_KEY), *options, f"{USER}@{address}", words]


def close_connections() -> None:
    """End the shared connections: the hosts behind them are about to go."""
    if not paths.SSH_CONTROL.is_dir():
        return
    for control in paths.SSH_CONTROL.iterdir():
        # The socket of a process that is gone already answers with an error: it is removed below all the same.
        programs.quietly(["ssh", "-o", f"ControlPath={control}", "-O", "exit", "testbed"])
        control.unlink(missing_ok=True)


def forget() -> None:
    """Remove the folder for shared connections."""
    close_connections()
    shutil.rmtree(paths.SSH_CONTROL, ignore_errors=True)
