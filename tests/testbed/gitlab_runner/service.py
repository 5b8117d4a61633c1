# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd service: the unit file byte for byte, and what systemctl is asked (observed facts 8)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

UNIT_DIRECTORY = Path("/etc/systemd/system")
INSTALLED_AS = "/usr/bin/gitlab-runner"
UNIT = """\
[Unit]
Description=GitLab Runner
ConditionFileIsExecutable={program}
 
After=network.target 

[Service]
StartLimitInterval=5
StartLimitBurst=10
ExecStart={program} {arguments}



{user}



Restart=always

RestartSec=120
EnvironmentFile=-/etc/sysconfig/{name}

[Install]
WantedBy=multi-user.target
"""  # noqa: W291, W293 (the genuine file has these blanks)
NOT_INSTALLED, STOPPED = "the service is not installed", "Service has stopped"
# the word of `systemctl is-active`: (message, does it run?); every other word reads as not installed
STATES = {
    "active": ("Service is running", True),
    "activating": ("Service is running", True),
    "inactive": (STOPPED, False),
    "failed": ("service in failed state", False),
}


class ServiceError(Exception):
    """What the genuine program says about a failed step."""


@dataclass(frozen=True)
class Wish:
    """What `install` was called with."""

    name: str
    config: str
    working_directory: str
    user: str = ""
    init_user: str = ""


def program() -> str:
    return str(Path(sys.argv[0]).resolve())


def unit_text(wish: Wish, executable: str) -> str:
    words = ["run", "--config", wish.config, "--working-directory", wish.working_directory, "--service", wish.name]
    if wish.user and not wish.init_user:
        words += ["--user", wish.user]
    user = f"User={wish.init_user}" if wish.init_user else ""
    return UNIT.format(program=executable, arguments=" ".join(f'"{word}"' for word in words), user=user, name=wish.name)


def unit_file(name: str) -> Path:
    return UNIT_DIRECTORY / f"{name}.service"


def is_installed(name: str) -> bool:
    """Tell whether there is a unit, also a masked one."""
    file = unit_file(name)
    return file.exists() or file.is_symlink()


def systemctl(*words: str) -> None:
    """Call systemctl; raises ServiceError with the exit status as Go words it."""
    if shutil.which("systemctl") is None:
        raise ServiceError('exec: "systemctl": executable file not found in $PATH')
    status = subprocess.run(
        ["systemctl", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode
    if status:
        raise ServiceError(f"exit status {status}")


def install(wish: Wish) -> None:
    file = unit_file(wish.name)
    if is_installed(wish.name):
        raise ServiceError(f"Init already exists: {file}")
    file.write_text(unit_text(wish, program()), encoding="utf-8")
    file.chmod(0o644)
    systemctl("enable", f"{wish.name}.service")
    systemctl("daemon-reload")


def uninstall(name: str) -> None:
    systemctl("disable", f"{name}.service")
    unit_file(name).unlink()
    systemctl("daemon-reload")


def control(verb: str, name: str) -> None:
    if verb == "uninstall":
        uninstall(name)
    else:
        systemctl(verb, f"{name}.service")


def status(name: str) -> tuple[str, bool]:
    """Return the message about a service and whether it runs."""
    if shutil.which("systemctl") is None:
        return "exit status 1", False
    if not is_installed(name):
        return NOT_INSTALLED, False
    done = subprocess.run(
        ["systemctl", "is-active", f"{name}.service"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
        encoding="utf-8",
    )
    return STATES.get(done.stdout.strip(), (NOT_INSTALLED, False))
