# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node below a temporary root, with runit and Chef played by a few lines."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from testbed.gitlab_server import pack
from testbed.gitlab_server.ctl import app
from testbed.gitlab_server.ctl.node import Node
from testbed.gitlab_server.places import Places
from testbed.gitlab_server.releases import CE, release

LIGHT = ("gitaly", "postgresql", "puma", "redis", "sidekiq")


def done(stdout: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], code, stdout, "")


@dataclasses.dataclass
class Play:
    """What runit and Chef would do: services are up, down, stuck or without a supervisor."""

    states: dict[str, str]
    chef_code: int = 0
    calls: list[str] = dataclasses.field(default_factory=list)
    svwait: str = ""

    def run(self, words: t.Sequence[str], *, env: t.Mapping[str, str] | None = None) -> t.Any:
        command, name = words[-2:]
        self.svwait = (env or {}).get("SVWAIT", "")
        self.calls.append(f"{command} {name}")
        return self._sv(command, name)

    def _sv(self, command: str, name: str) -> subprocess.CompletedProcess[str]:
        state = self.states[name]
        if state == "unsupervised":
            return done(f"fail: {name}: runsv not running\n", 1)
        if state == "denied":
            return done(f"warning: {name}: unable to open supervise/ok: access denied\n", 1)
        if command == "status":
            word = "run" if state == "up" else "down"
            rest = "(pid 7) 5s" if state == "up" else "1s, normally up" + (", want up" if state == "crash" else "")
            return done(f"{word}: {name}: {rest}; run: log: (pid 6) 9s\n")
        if command in ("start", "restart") and state == "crash":
            return done(f"timeout: down: {name}: 0s, normally up, want up\n", 1)
        if command in ("start", "restart", "stop"):
            self.states[name] = "down" if command == "stop" else "up"
            line = "down: {}: 0s, normally up" if command == "stop" else "run: {}: (pid 7) 0s"
            return done(f"ok: {line.format(name)}\n")
        return done()

    def show(self, words: t.Sequence[str], **_options: t.Any) -> t.Any:
        if words[0].endswith("cinc-client"):
            recipe = Path(words[-1]).name
            self.calls.append(recipe)
            print(f"Chef on {recipe}")
            return done(code=self.chef_code if recipe == "dna.json" else 0)
        return subprocess.run(list(words), check=False)


@dataclasses.dataclass
class Ground:
    """A node, its play, and what its command lines answer."""

    places: Places
    play: Play
    capture: pytest.CaptureFixture[str]
    is_root: bool = True

    def node(self) -> Node:
        return Node(self.places, self.play.run, self.play.show, lambda _seconds: None, self.is_root)

    def ctl(self, *words: str) -> tuple[int, str, str]:
        """Run gitlab-ctl and return exit status, output and errors, the root taken out of both."""
        self.capture.readouterr()
        code = app.run(self.node(), words)
        said = self.capture.readouterr()
        root = str(self.places.root)
        return code, said.out.replace(root, ""), said.err.replace(root, "")

    def put(self, path: str, text: str = "") -> Path:
        file = self.places.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def install(self, version: str) -> None:
        """Put the files of another release in place of the present one's."""
        pack.lay_out_release(release(version), CE, self.places.root)

    def attributes(self, attributes: dict[str, t.Any]) -> None:
        """Leave what a reconfigure leaves."""
        self.put("opt/gitlab/embedded/nodes/host.json", json.dumps({"name": "host", "normal": attributes}))
        self.put("var/opt/gitlab/public_attributes.json", "{}")


@pytest.fixture
def ground(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Ground:
    """A configured node of 18.11.9 with five services, all up."""
    found = Ground(Places(tmp_path), Play(dict.fromkeys(LIGHT, "up")), capfd)
    found.install("18.11.9")
    for name in LIGHT:
        (found.places.services / name).mkdir(parents=True)
    found.put("etc/gitlab/gitlab.rb", "external_url 'http://gitlab.corp.test'\n")
    found.put("opt/gitlab/embedded/service/gitlab-rails/public/deploy.html", "soon")
    found.put("var/opt/gitlab/bootstrapped")
    found.put("var/opt/gitlab/postgresql/data/PG_VERSION", "17\n")
    found.attributes({})
    return found
