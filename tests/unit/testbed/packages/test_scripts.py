# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed scripts, run with programs that only write down how they were called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from testbed.packages.build import SCRIPTS

RECORDER = '#!/bin/sh\necho "${0##*/} $*" >>"$CALLS"\n'


class Box:
    """A PATH with recorders on it."""

    def __init__(self, folder: Path) -> None:
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.calls_file = folder / "calls"
        for name in ("cut", "sh"):
            (self.bin / name).symlink_to(f"/usr/bin/{name}")

    def record(self, name: str, then: str = "") -> None:
        (self.bin / name).write_text(RECORDER + then)
        (self.bin / name).chmod(0o755)

    def run(self, script: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        settings = {"PATH": str(self.bin), "CALLS": str(self.calls_file), **env}
        argv = ["/bin/sh", str(SCRIPTS / script), *args]
        return subprocess.run(argv, env=settings, capture_output=True, text=True, check=False)

    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines() if self.calls_file.exists() else []


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def _with_host(box: Box, users: str = "") -> None:
    box.record("id", f'case " {users} " in *" $2 "*) exit 0;; esac; exit 1\n')
    box.record("getent", 'echo "$2:x:999:999::/nowhere/$2:/bin/bash"\n')
    for name in ("useradd", "mkdir", "chmod", "systemctl", "gitlab-runner"):
        box.record(name)


INSTALL = [
    "gitlab-runner stop --service gitlab-runner",
    "gitlab-runner uninstall --service gitlab-runner",
    "gitlab-runner stop --service gitlab-ci-multi-runner",
    "gitlab-runner uninstall --service gitlab-ci-multi-runner",
    "gitlab-runner install --user=gitlab-runner --working-directory=/nowhere/gitlab-runner",
    "gitlab-runner start",
]


def test_post_install_stops_reinstalls_and_starts(box: Box) -> None:
    _with_host(box)
    assert box.run("post-install").returncode == 0
    assert [call for call in box.calls() if call.startswith("gitlab-runner")] == INSTALL
    created = "useradd --system --shell /bin/bash --create-home --skel /dev/null gitlab-runner"
    assert created in box.calls()
    assert {"mkdir -p /etc/gitlab-runner", "chmod 0700 /etc/gitlab-runner"} <= set(box.calls())


@pytest.mark.parametrize(
    ("users", "env", "expected"),
    [
        pytest.param("", {"GITLAB_RUNNER_DISABLE_SKEL": "false"}, "--create-home gitlab-runner", id="skel-wanted"),
        pytest.param("gitlab-runner", {}, None, id="account-exists"),
        pytest.param("gitlab_ci_multi_runner", {}, None, id="old-account-exists"),
    ],
)
def test_post_install_account(box: Box, users: str, env: dict[str, str], expected: str | None) -> None:
    _with_host(box, users)
    box.run("post-install", **env)
    created = [call for call in box.calls() if call.startswith("useradd")]
    assert created == ([f"useradd --system --shell /bin/bash {expected}"] if expected else [])
    name = users or "gitlab-runner"
    assert f"gitlab-runner install --user={name} --working-directory=/nowhere/{name}" in box.calls()


def test_post_install_for_the_account_itself(box: Box) -> None:
    _with_host(box, "gitlab-runner")
    box.run("post-install", USE_INIT_USER="1")
    assert any(call.startswith("gitlab-runner install --init-user=gitlab-runner ") for call in box.calls())


def test_post_install_without_an_init_system_warns_only(box: Box) -> None:
    _with_host(box)
    (box.bin / "systemctl").unlink()
    done = box.run("post-install")
    assert done.returncode == 0
    assert "WARNING" in done.stderr
    assert not [call for call in box.calls() if call.startswith("gitlab-runner")]


def test_post_install_fails_where_the_service_cannot_be_installed(box: Box) -> None:
    _with_host(box)
    box.record("gitlab-runner", 'case "$1" in install) exit 1;; esac\n')
    assert box.run("post-install").returncode == 1
    assert "gitlab-runner start" not in box.calls()


@pytest.mark.parametrize(
    ("present", "used"),
    [
        pytest.param(["docker", "podman"], "docker", id="docker-first"),
        pytest.param(["podman"], "podman", id="podman-alone"),
    ],
)
def test_prune_takes_labelled_images_and_every_unused_network(box: Box, present: list[str], used: str) -> None:
    for name in present:
        box.record(name)
    assert box.run("clear-docker-cache", "prune").returncode == 0
    assert box.calls() == [
        f"{used} container prune --force --filter label=com.gitlab.gitlab-runner.managed=true",
        f"{used} image prune --all --force --filter label=com.gitlab.gitlab-runner.managed=true",
        f"{used} network prune --force",
    ]


def test_prune_without_docker_says_so(box: Box) -> None:
    done = box.run("clear-docker-cache", "prune")
    assert done.returncode == 1
    assert "nothing to clear" in done.stderr


def test_scripts_can_be_run() -> None:
    assert all(os.access(script, os.X_OK) for script in SCRIPTS.iterdir())
