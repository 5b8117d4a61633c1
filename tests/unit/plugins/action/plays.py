# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays that ansible-playbook runs on this machine, against a GitLab twin and a config.toml of their own."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import typing as t

import yaml
from testbed.gitlab_api import TwinServer

ROOT = pathlib.Path(__file__).resolve().parents[4]
NAMESPACE = "fleetwright.gitlab_aws"
SERVICE = "fleetwright-test-no-such-service"
ENVIRONMENT = "PASSWORD=SecretOfTheEnvironment"
Task = tuple[str, dict[str, t.Any]]


class Host:
    """A config.toml on this machine, and plays that are run against it; programs are looked for in bin first."""

    def __init__(self, folder: pathlib.Path, twin: TwinServer) -> None:
        self.folder = folder
        self.twin = twin
        self.path = folder / "etc" / "config.toml"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        (self.path.parent / ".runner_system_id").write_text("s_1746f8786189")
        self.bin = folder / "bin"
        self.bin.mkdir()

    def program(self, name: str, text: str) -> None:
        """Put a program in front of this machine's own."""
        file = self.bin / name
        file.write_text(text)
        file.chmod(0o755)

    def play(self, *runners: dict[str, t.Any], flags: t.Sequence[str] = (), **options: t.Any) -> str:
        """Register and configure as the role does; returns everything that was printed."""
        api = {"api_url": self.twin.url, "api_token": options.pop("api_token", self.twin.admin_token)}
        entries = {"runners": list(runners), "url": self.twin.url, "service": SERVICE}
        registration = {**api, **entries, "config_path": str(self.path), **options.pop("registration", {})}
        config = {**entries, "path": str(self.path), **options}
        return self.run(("gitlab_runner_registration", registration), ("gitlab_runner_config", config), flags=flags)

    def run(self, *tasks: Task, flags: t.Sequence[str] = (), rc: int = 0) -> str:
        """Run tasks until one fails; returns everything that was printed."""
        done = self._playbook([_task(number, *task) for number, task in enumerate(tasks)], flags)
        text = done.stdout + done.stderr
        assert (done.returncode != 0) == (rc != 0), text
        return text

    def results(self, *tasks: Task) -> list[dict[str, t.Any]]:
        """Run every task, also after failed ones; returns what each registered."""
        answers = self.folder / "results.json"
        wanted = "{{ [" + ", ".join(f"result_{number}" for number in range(len(tasks))) + "] | to_json }}"
        plays = [{**_task(number, *task), "ignore_errors": True} for number, task in enumerate(tasks)]
        keep = {"ansible.builtin.copy": {"content": wanted, "dest": str(answers), "mode": "0600"}, "diff": False}
        done = self._playbook([*plays, {"name": "Keep what was said", **keep}], ())
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        found: list[dict[str, t.Any]] = json.loads(answers.read_text())
        return found

    def _playbook(self, tasks: list[dict[str, t.Any]], flags: t.Sequence[str]) -> subprocess.CompletedProcess[str]:
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        playbook = self.folder / "playbook.yml"
        play = {"hosts": "localhost", "gather_facts": False, "vars": here, "tasks": tasks}
        playbook.write_text(yaml.safe_dump([play]))
        argv = [sys.executable, "-m", "ansible", "playbook", "-i", "localhost,", *flags, str(playbook)]
        env = {
            **os.environ,
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "collections"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "1",
        }
        return subprocess.run(argv, capture_output=True, text=True, env=env, timeout=120, check=False)

    @property
    def config(self) -> dict[str, t.Any]:
        return tomllib.loads(self.path.read_text())

    def secrets(self) -> set[str]:
        found = {entry["token"] for entry in self.config.get("runners", [])}
        known = {runner["token"] for runner in self.twin.client.runners()}
        return {*found, *known, self.twin.admin_token, ENVIRONMENT[9:]}


def _task(number: int, name: str, options: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"name": name, f"{NAMESPACE}.{name}": options, "register": f"result_{number}"}


def changed(output: str) -> int:
    """How many tasks changed something."""
    return int(re.findall(r"changed=(\d+)", output)[-1])
