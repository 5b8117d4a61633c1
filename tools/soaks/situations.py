# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade may find a service in: made on a host, and how the host must be afterwards."""

from __future__ import annotations

import dataclasses
import json
import time
import urllib.request

from testbed.gitlab_api.client import TwinClient

from soaks import fleet, kills, places

UNIT = "gitlab-runner.service"
DROP_IN = f"/etc/systemd/system/{UNIT}.d/zzz-soak.conf"
CONFIG = "/etc/gitlab-runner/config.toml"
KEPT = "/run/soak-config.toml"
STOP = f"systemctl stop {UNIT}"  # the drop-in lets the jobs end
READ = "systemctl daemon-reload"
# The unit is a file in /etc, over which `systemctl mask` does not write: who masks it moves it away.
MASK = f"ln -sf /dev/null /etc/systemd/system/{UNIT}; {READ}"
INSTALL = "gitlab-runner install --user=gitlab-runner --working-directory=/home/gitlab-runner"
JOB_SECONDS = 15
# The host's second runner gets another token; the daemon is made to read it, and polls with it.
OTHER_TOKEN = (
    f"""sed -i '/-own"$/,/^ *token = /s/^\\( *token = \\).*/\\1"TOKEN"/' {CONFIG}; systemctl reload {UNIT}; sleep 3"""
)
NORMAL = f"""
rm -f {DROP_IN}; systemctl unmask {UNIT}; test -e /etc/systemd/system/{UNIT} || {INSTALL}
{READ}; systemctl reset-failed {UNIT}; systemctl enable {UNIT}
cmp -s {KEPT} {CONFIG} || cat {KEPT} > {CONFIG}
systemctl start {UNIT}; systemctl reload {UNIT}
"""


@dataclasses.dataclass(frozen=True)
class Situation:
    """One kind: the script that makes it on a host, and is-active and is-enabled after the upgrade.

    TOKEN in the script is that of another host's runner. job: a job runs while it is made; paused: the host's second
    runner is paused in GitLab before, and must be so afterwards.
    """

    name: str
    script: str = "true"
    active: str = "active"
    enabled: str = "enabled"
    job: bool = False
    paused: bool = False


SITUATIONS = (
    Situation("stopped", STOP, "inactive"),
    Situation("someone-stops-it", f"systemctl stop --no-block {UNIT}", "inactive", job=True),
    Situation("masked", f"{STOP}; {MASK}", "inactive", "masked"),
    Situation(
        "failed",
        f"{STOP}; printf '[Service]\\nExecStartPre=/bin/false\\nRestart=no\\n' > {DROP_IN}; {READ}; "
        f"systemctl start {UNIT}; rm {DROP_IN}; {READ}",
        "inactive",
    ),
    Situation("waits-for-its-restart", f"kill -QUIT $(systemctl show {UNIT} -p MainPID --value); sleep 6"),
    Situation("disabled", f"systemctl disable {UNIT}", "active", "disabled"),
    Situation("no-drop-in", f"rm -f /etc/systemd/system/{UNIT}.d/zz-drain.conf; {READ}", job=True),
    Situation(
        "hostile-drop-in",
        f"printf '[Service]\\nKillSignal=SIGTERM\\nKillMode=control-group\\nTimeoutStopSec=5\\n' > {DROP_IN}; {READ}",
        job=True,
    ),
    Situation("paused-before", paused=True),
    Situation("shared", OTHER_TOKEN, job=True),
    Situation("foreign-entry", OTHER_TOKEN.replace("TOKEN", "glrt-ofAnotherGitLab0"), job=True),
)


def groups() -> list[Found]:
    """The situations, as many at once as there are hosts."""
    return [Found(SITUATIONS[first : first + 3]) for first in range(0, len(SITUATIONS), 3)]


@dataclasses.dataclass(frozen=True)
class Found:
    """One upgrade of the fleet with a situation on each host."""

    situations: tuple[Situation, ...]

    @property
    def key(self) -> str:
        return "found-" + "-and-".join(one.name for one in self.situations)

    @property
    def kinds(self) -> tuple[int, int]:
        """Kills and faults."""
        return 0, len(self.situations)

    def tried(self, client: TwinClient) -> tuple[list[str], list[int]]:
        """Make the situations, upgrade, and say what is wrong then; also the jobs that were queued for it."""
        versions = fleet.Versions.offered()
        fleet.brought(fleet.upgrade(versions.old), self.key)
        hosts = dict(zip(sorted(places.hosts()), self.situations))
        ids = [_job(client, name) for name, one in hosts.items() if one.job]
        runners = {one["description"]: one for one in client.runners()}
        token = runners[f"{next(iter(hosts))}-own"]["token"]
        for name, one in hosts.items():
            _made(name, one, token, int(runners[f"{name}-own"]["id"]))
        try:
            status, output = kills.finished(fleet.upgrade(versions.new))
            wrong = [] if status == 0 else [f"the upgrade failed: {output[-3000:]}"]
            wrong += fleet.differences(versions.new, {name: (one.active, one.enabled) for name, one in hosts.items()})
            expected = {f"{name}-own" for name, one in hosts.items() if one.paused}
            wrong += [f"{name} is paused, or no longer" for name in fleet.paused(client) ^ expected]
        finally:
            for name in hosts:
                places.on_host(places.hosts()[name], NORMAL)
                _pause(int(runners[f"{name}-own"]["id"]), paused=False)
        return wrong, ids


def _made(name: str, situation: Situation, token: str, own: int) -> None:
    script = f"cp {CONFIG} {KEPT}; {situation.script}"
    places.on_host(places.hosts()[name], script.replace("TOKEN", token))
    if situation.paused:
        _pause(own, paused=True)


def _job(client: TwinClient, host: str) -> int:
    """Queue a job that only this host takes, and wait until it runs."""
    (number,) = client.add_jobs(1, script=[f"sleep {JOB_SECONDS}"], tag_list=[host])
    until = time.monotonic() + 30
    while number not in [one["id"] for one in client.jobs("running")] and time.monotonic() < until:
        time.sleep(0.2)
    return number


def _pause(runner: int, *, paused: bool) -> None:
    """What an administrator does in GitLab."""
    state = places.state()
    request = urllib.request.Request(
        f"{state['api_url']}/api/v4/runners/{runner}",
        json.dumps({"paused": paused}).encode(),
        {"PRIVATE-TOKEN": state["admin_token"], "Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=30).close()
