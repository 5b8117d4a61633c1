# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix of the registration: creates, resets and deletes, killed before the request, the answer and the write.

Then the same is run again, and nothing may be there twice, nothing lost, and no note of the killed run left.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import pathlib
import random
import signal
import subprocess
import time
import tomllib
import typing as t

import yaml
from gates import places as gates_places
from testbed import paths as testbed_paths
from testbed.gitlab_api.client import TwinClient

from soaks import kills, places
from soaks.progress import Progress

NAME = "runner_registration"
HOSTS = 1
DELAY = 1.5  # seconds that GitLab thinks about a request during which the controller is killed
PATIENCE = 60.0
REQUESTS = {
    "create": ("POST", "/user/runners$", "POST /api/v4/user/runners"),
    "reset": ("POST", "/reset_authentication_token$", "POST /api/v4/runners/:id/reset_authentication_token"),
    "delete": ("DELETE", r"/runners/\d+$", "DELETE /api/v4/runners/:id"),
}
MOMENTS = ("request", "answer", "write")
SCOPES = {"all": ("api",), "few": ("create_runner", "manage_runner")}


@dataclasses.dataclass(frozen=True)
class Case:
    """One kill: of what, before which moment, by which signal, with which access token, for how many runners."""

    what: str
    moment: str
    sign: str = "SIGKILL"
    scopes: str = "all"
    runners: int = 2

    @property
    def key(self) -> str:
        return f"{self.what}-{self.moment}-{self.sign}-{self.scopes}-{self.runners}"


def cases(seed: int) -> list[Case]:
    """Every case in an order that the seed gives."""
    parts = (tuple(REQUESTS), MOMENTS, ("SIGKILL", "SIGTERM"), tuple(SCOPES), (1, 20))
    found = [Case(*one) for one in itertools.product(*parts)]
    random.Random(seed).shuffle(found)
    return found


def quick() -> list[Case]:
    """Each kind of kill once."""
    return [Case(what, moment) for what, moment in itertools.product(REQUESTS, MOMENTS)]


class Host(t.Protocol):
    """A host with a config.toml of its own, and how Ansible reaches it."""

    @property
    def inventory(self) -> t.Mapping[str, t.Any]:
        """The variables with which Ansible reaches it."""

    @property
    def config_path(self) -> str: ...

    def shell(self, words: str) -> str:
        """Run words there; their output."""


class Site:
    """One host, one GitLab, and the task that is killed and run again."""

    def __init__(self, host: Host, client: TwinClient, url: str, folder: pathlib.Path) -> None:
        self.host, self.client, self.url, self.folder = host, client, url, folder

    def config(self) -> dict[str, t.Any]:
        return tomllib.loads(self.host.shell(f"cat {self.host.config_path} 2>/dev/null || true"))

    def notes(self) -> list[str]:
        """What a run has left beside the configuration for the next one."""
        folder, _sep, name = self.host.config_path.rpartition("/")
        return [one for one in self.host.shell(f"ls -A {folder}").split() if one.startswith(f".{name}.")]

    def argv(self, case: Case, token: str, *, removing: bool, rotating: bool) -> list[str]:
        """Write the play and the inventory; the command that runs it."""
        runner = {"runner_type": "instance_type", "executor": "shell", "state": "absent" if removing else "present"}
        options = {
            "api_url": self.url, "api_token": token, "config_path": self.host.config_path, "service": "no-such-service",
            "runners": [{**runner, "name": f"r{number}"} for number in range(case.runners)], "rotate_tokens": rotating,
        }  # fmt: skip
        task = {"name": "Register", "fleetwright.gitlab_aws.gitlab_runner_registration": options}
        play = {"name": "Soak", "hosts": "all", "gather_facts": False, "tasks": [task]}
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, value in (
            ("play.yml", [play]),
            ("hosts.json", {"all": {"hosts": {"soak": dict(self.host.inventory)}}}),
        ):
            (self.folder / name).touch(mode=0o600)
            (self.folder / name).write_text(json.dumps(value))
        return ["ansible-playbook", "-i", str(self.folder / "hosts.json"), str(self.folder / "play.yml")]


def finished(argv: t.Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(
        argv, env=gates_places.environment(), capture_output=True, text=True, timeout=kills.RUN_SECONDS, check=False
    )
    return done.returncode, done.stdout + done.stderr


def killed(site: Site, case: Case, argv: t.Sequence[str]) -> str:
    """Run until the moment has come, then end the controller; "" or what went wrong."""
    method, path, route = REQUESTS[case.what]
    fault = {"method": method, "path": path, "delay": DELAY, "reset": case.moment == "request", "times": case.runners}
    site.client.clear_requests()
    site.client.set_faults([] if case.moment == "write" else [fault])
    playing = subprocess.Popen(
        argv, env=gates_places.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    while playing.poll() is None and not _has_come(site.client, case, route):
        time.sleep(0.005)
    if playing.poll() is not None:
        return f"it ended before its kill: {playing.communicate()[0][-1500:]}"
    kills.end(playing.pid, signal.Signals[case.sign])
    playing.communicate(timeout=kills.RUN_SECONDS)
    time.sleep(0 if case.moment == "write" else DELAY + 0.3)  # what GitLab has in hand it finishes
    site.client.clear_faults()
    return ""


def _has_come(client: TwinClient, case: Case, route: str) -> bool:
    if case.moment != "write":
        return any(rule["hits"] for rule in client.faults())
    return bool(client.requests()["by_route"].get(route, 0) >= case.runners)


def wrong(site: Site, case: Case) -> list[str]:
    """What is not as it must be after the second run."""
    found = []
    declared = {} if case.what == "delete" else {f"r{number}": 1 for number in range(case.runners)}
    tokens = {one["description"]: one["token"] for one in site.client.runners()}
    counts = {name: [one["description"] for one in site.client.runners()].count(name) for name in tokens}
    if counts != declared:
        found.append(f"GitLab has {counts}")
    entries = {one["name"]: one["token"] for one in site.config().get("runners", [])}
    lost = sorted(name for name in {*entries, *tokens} if entries.get(name) != tokens.get(name))
    found += [f"the token of {name} is lost" for name in lost]
    return found + [f"{name} is left" for name in site.notes()]


def tried(site: Site, case: Case) -> list[str]:
    """Kill one run, run it again, and say what is wrong then."""
    site.client.reset()
    folder = site.host.config_path.rpartition("/")[0]
    site.host.shell(f"mkdir -p {folder} && rm -f {folder}/config.toml* {folder}/.config.toml*")
    everything, few = site.client.token(["api"]), site.client.token(SCOPES[case.scopes])
    if case.what != "create":
        status, output = finished(site.argv(case, everything, removing=False, rotating=False))
        if status:
            return [f"the runners can't be made: {output[-1500:]}"]
    goal = {"removing": case.what == "delete", "rotating": case.what == "reset"}
    outcome = killed(site, case, site.argv(case, few, **goal))
    status, output = finished(site.argv(case, few, **goal))
    if status and case.scopes == "few" and "an earlier run was stopped while it created this runner" in output:
        # with a token that may not list it stops, and makes no second one: the remedy is one run with another
        status, output = finished(site.argv(case, everything, **goal))
    again = [outcome] if outcome else []
    again += [f"the second run failed: {output[-1500:]}"] if status else []
    goal["rotating"] = False
    status, output = finished(site.argv(case, few, **goal))
    if status or "changed=0" not in output:
        again.append(f"it does not settle: {output[-1500:]}")
    return again + wrong(site, case)


@dataclasses.dataclass(frozen=True)
class TestbedHost:
    """A host of the testbed, with a folder that no service reads."""

    address: str
    config_path: str = "/etc/soak/config.toml"

    @property
    def inventory(self) -> t.Mapping[str, t.Any]:
        group = yaml.safe_load(testbed_paths.INVENTORY.read_text())["gitlab_runner"]
        known = {name: value for name, value in group["vars"].items() if name.startswith("ansible_")}
        return {**known, "ansible_host": self.address}

    def shell(self, words: str) -> str:
        return places.on_host(self.address, words)


def prepare() -> None:
    """Nothing: each case starts from nothing."""


def soaked(todo: t.Sequence[Case], progress: Progress, _seed: int) -> Progress:
    """Go through the cases that are left, on the first host."""
    state = places.state()
    host = TestbedHost(next(iter(places.hosts().values())))
    site = Site(host, TwinClient(state["api_url"]), state["api_url"], places.PROGRESS / NAME)
    for case in todo:
        if case.key in progress.done:
            continue
        started = time.monotonic()
        progress.done[case.key] = tried(site, case)
        progress.seconds += time.monotonic() - started
        progress.keep()
        print(f"  {case.key}: {'; '.join(progress.done[case.key]) or 'well'}", flush=True)
    return progress
