# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long commands on a GitLab server: each runs as a systemd unit of its own, so it goes on when the controller dies.

A package transaction or a reconfigure that is killed half way leaves rpm's database, or the server, in between.
"""

from __future__ import annotations

import base64
import dataclasses
import re
import shlex

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_plan import (
    AWAITED,
    FOLDER,
    PENDING,
    RUNNING,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_version import PROGRAM

UNIT = "fleetwright-gitlab-server"
LOOK_SECONDS = 5
RECONFIGURED = "gitlab Reconfigured!"
FAILED = "There was an error running gitlab-ctl reconfigure"
RECONFIGURE_LOGS = "/var/log/gitlab/reconfigure"
# dnf's progress, which says nothing of what went wrong.
_OF_DNF = re.compile(
    r"\s*(Preparing|Installing|Verifying|Running scriptlet|Running transaction|Downloading Packages|Total +[\d.]|-{9}"
    r"|The downloaded packages were saved|You can remove cached packages|.* +[\d.]+ [kM]?B/s \|)"
)
# dnf of our own is not held back by our own lock, which is moved after the transaction.
DNF = "dnf -y --disableplugin=versionlock"

_SCRIPT = r"""#!/bin/sh
export LC_ALL=C.UTF-8 HOME=/root
cd {folder} || exit 1
exec 9> run.lock
flock 9
rm -f run.sh  # it may hold a password
(umask 077; : > {pending} && : > {awaited} && : > run.log && : > run.status.new) || exit 1
{before}{command} > run.log 2>&1 9>&-
status=$?
! grep -qF '{reconfigured}' run.log || rm -f {pending}
echo "$status" > run.status.new
sync
mv -f run.status.new run.status
rm -f {running}
"""
# A name of its own for each, because what a program leaves behind (dnf's gpg-agent) keeps a unit from going; and
# what the package starts is none of the unit's business, and lives on.
_START = r"""umask 077
mkdir -p {folder} && cd {folder} || exit 1
flock -n run.lock true || {{ echo 'another one is under way' >&2; exit 1; }}
cat > run.sh && rm -f run.status run.log && : > {running} || exit 1
systemd-run --quiet --collect --property=KillMode=process --unit={unit}-$(date +%s) /bin/sh {folder}/run.sh || exit 1
n=0
until test -f run.status || ! flock -n run.lock true || test $n -ge 50; do sleep 0.1; n=$((n + 1)); done
"""
# Stays on the host while there is nothing to say.
_LOOK = r"""cd {folder} 2>/dev/null || exit 0
flock -w {seconds} run.lock true || echo 'state running'
! flock -n run.lock true || rm -f {running}
test -f run.status && printf 'status %s\n' "$(cat run.status)"
test -f run.log && printf 'log %s\n' "$(tail -c 16000 run.log | base64 -w0)"
exit 0
"""


@dataclasses.dataclass(frozen=True)
class Look:
    """How a command stands: status is None while it runs, and where it ended without one (it was killed)."""

    running: bool
    status: int | None = None
    log: str = dataclasses.field(default="", repr=False)

    @property
    def last_line(self) -> str:
        """The last thing that it said, short enough for a line of progress."""
        lines = [line.strip() for line in self.log.splitlines() if line.strip()]
        return lines[-1][:100] if lines else ""


def look() -> str:
    """Wait a moment for the command's end, then say how it stands."""
    return _LOOK.format(folder=FOLDER, running=RUNNING, seconds=LOOK_SECONDS)


def parse(output: str) -> Look:
    found = dict(re.findall(r"^(state|status|log) (\S*)\r?$", output, re.MULTILINE))
    status = found.get("status", "")
    return Look(
        found.get("state") == "running",
        int(status) if status.isdigit() and "state" not in found else None,
        _readable(base64.b64decode(found.get("log", "")).decode("utf-8", "replace")),
    )


def _readable(log: str) -> str:
    """Without colours; what was written over on a terminal (carriage returns) becomes lines."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", log).replace("\r", "\n")


def start() -> str:
    """Run the script that comes on standard input."""
    return _START.format(folder=FOLDER, running=RUNNING, unit=UNIT)


def install(spec: str, root_password: str = "") -> str:
    """The transaction that brings the package; its own reconfigure runs in it.

    The mark for a reconfigure stays until one says that it was good: the package skips it without an error where its
    supervisor does not run (server observations 3).
    """
    password = f"export GITLAB_ROOT_PASSWORD={shlex.quote(root_password)}\n" if root_password else ""
    return _script(
        password,
        f"{{ rpm -q --quiet {PROGRAM} || {DNF} install {shlex.quote(spec)}; }}",
    )


def reconfigure() -> str:
    return _script("", "/opt/gitlab/bin/gitlab-ctl reconfigure")


def _script(before: str, command: str) -> str:
    return _SCRIPT.format(
        folder=FOLDER, before=before, command=command, reconfigured=RECONFIGURED,
        pending=PENDING, awaited=AWAITED, running=RUNNING,
    )  # fmt: skip


def reason(log: str) -> str:
    """What a failed reconfigure says of itself, around the words that gitlab-ctl ends with; else its last lines."""
    lines = [line.strip() for line in log.splitlines() if line.strip(" =") and not _OF_DNF.match(line)]
    ends = [number for number, line in enumerate(lines) if FAILED in line]
    last = ends[-1] if ends else len(lines)
    return " | ".join(lines[max(0, last - (4 if ends else 8)) : last + 5])[-1200:]
