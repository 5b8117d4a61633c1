# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services under runit's supervision."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t

from ..places import Places
from .files import folder, link, write

UNIT = "gitlab-runsvdir"
WAIT = 30.0
# name -> account and program; the rest are programs that only stay up.
PROGRAMS = {
    "gitaly": "git sign-service /var/opt/gitlab/gitaly/gitaly.socket",
    "nginx": "root nginx",
    "postgresql": "gitlab-psql:gitlab-psql:git postgres",
    "puma": "git:git puma",
    "redis": "gitlab-redis:gitlab-redis:git redis-server",
    "sidekiq": "git:git sidekiq",
}
OTHER = "gitlab-prometheus idle-service"
# What a version that has changed restarts, if it runs (the version files of the real recipes).
WITH_THE_CODE = ("gitaly", "gitlab-kas", "gitlab-workhorse", "nginx", "puma", "sidekiq")


def run_script(name: str) -> str:
    """Return the script that runit runs."""
    account, program = PROGRAMS.get(name, OTHER).split(" ", 1)
    words = f"{name} {account} /opt/gitlab/embedded/bin/{program}"
    return f"#!/bin/sh\nexec 2>&1\nexec /opt/gitlab/embedded/bin/service-run {words}\n"


def log_script(name: str) -> str:
    """Return the script of the log's service."""
    return f"#!/bin/sh\nexec /opt/gitlab/embedded/bin/svlogd -tt /var/log/gitlab/{name}\n"


def lay_out(places: Places, names: t.Sequence[str]) -> list[str]:
    """Write the service folders and links; services not named are taken out. Returns those that are new."""
    new = []
    for room in (places.services, places.opt / "init", places.opt / "sv"):
        folder(room)
    for name in names:
        sv = places.opt / "sv" / name
        folder(places.log / name, 0o700)
        write(sv / "run", run_script(name), mode=0o755)
        write(sv / "log/run", log_script(name), mode=0o755)
        link(places.opt / "init" / name, "/opt/gitlab/embedded/bin/sv")
        if not (places.services / name).is_symlink():
            new.append(name)
            link(places.services / name, f"/opt/gitlab/sv/{name}")
    return new


def disable(places: Places, names: t.Sequence[str]) -> list[str]:
    """Take the services out that are not named; returns their names."""
    gone = sorted(one.name for one in places.services.iterdir() if one.name not in names)
    for name in gone:
        sv(places, "stop", name)
        (places.services / name).unlink()
    return gone


def sv(places: Places, command: str, name: str) -> subprocess.CompletedProcess[str]:
    """Run runit's own program on one service."""
    env = {**os.environ, "SVDIR": str(places.services), "SVWAIT": "30"}
    words = [str(places.embedded / "bin/sv"), command, name]
    return subprocess.run(words, env=env, text=True, capture_output=True, check=False)


def is_up(places: Places, name: str) -> bool:
    """Tell whether a service runs."""
    return sv(places, "status", name).stdout.startswith("run:")


def start_supervision(places: Places) -> None:
    """Have systemd run the supervisor, at every boot too. The unit is no part of the package: it outlives it."""
    text = (places.embedded / "cookbooks" / f"{UNIT}.service").read_text(encoding="utf-8")
    if write(places.root / f"usr/lib/systemd/system/{UNIT}.service", text):
        subprocess.run(["systemctl", "daemon-reload"], check=True)
        subprocess.run(["systemctl", "enable", UNIT], check=True, capture_output=True)
    subprocess.run(["systemctl", "start", UNIT], check=True)


def wait_for(places: Places, names: t.Sequence[str]) -> list[str]:
    """Wait until the supervisor has the services; returns those it does not get."""
    end = time.monotonic() + WAIT
    missing = list(names)
    while missing and time.monotonic() < end:
        missing = [name for name in missing if not _supervised(places, name)]
        if missing:
            time.sleep(0.05)
    return missing


def _supervised(places: Places, name: str) -> bool:
    ok = places.services / name / "supervise/ok"
    try:
        os.close(os.open(ok, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
