# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd service, with a systemctl that is told what to answer (observed facts 8)."""

from __future__ import annotations

import hashlib
import stat
import typing as t
from pathlib import Path

import pytest
from testbed.gitlab_runner import config as configs
from testbed.gitlab_runner import service
from testbed.gitlab_runner.commands import install

from .conftest import Cli

FAKE = """\
#!/bin/sh
echo "$@" >>"{log}"
case "$1" in is-active) echo "{word}" ;; esac
exit {status}
"""
WISH = service.Wish("gitlab-runner", "/etc/gitlab-runner/config.toml", "/home/gitlab-runner", "gitlab-runner")


class Systemctl:
    """A program of that name, first on PATH."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = folder / "log"
        self.answers()

    def answers(self, word: str = "", status: int = 0) -> None:
        file = self._folder / "systemctl"
        file.write_text(FAKE.format(log=self._log, word=word, status=status))
        file.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemctl:
    programs, units = tmp_path / "bin", tmp_path / "units"
    programs.mkdir()
    units.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(service, "UNIT_DIRECTORY", units)
    monkeypatch.setattr(install, "default_path", lambda: tmp_path / "etc/gitlab-runner/config.toml")
    return Systemctl(programs)


@pytest.fixture
def unit(systemctl: Systemctl) -> Path:
    return service.unit_file("gitlab-runner")


def test_unit_is_the_genuine_one() -> None:
    text = service.unit_text(WISH, "/usr/bin/gitlab-runner")
    assert len(text) == 459
    assert hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() == "69e1ad3b8d75c6015c3913d61f5cf49a"


def test_init_user_stands_in_the_unit() -> None:
    text = service.unit_text(service.Wish("gitlab-runner", "/c", "/w", "x", "x"), "/usr/bin/gitlab-runner")
    assert "\nUser=x\n" in text
    assert "--user" not in text


def test_install(run_cli: Cli, systemctl: Systemctl, unit: Path, tmp_path: Path) -> None:
    result = run_cli("install", "--user=gitlab-runner", "--working-directory=/home/gitlab-runner")
    assert (result.after, result.out, result.status) == ([], "", 0)
    assert stat.S_IMODE(unit.stat().st_mode) == 0o644
    assert systemctl.calls == ["enable gitlab-runner.service", "daemon-reload"]
    config = tmp_path / "etc/gitlab-runner/config.toml"
    assert (config.stat().st_size, stat.S_IMODE(config.stat().st_mode)) == (98, 0o600)
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    assert not (config.parent / configs.SYSTEM_ID_FILE).exists()


@pytest.mark.parametrize("masked", [False, True])
def test_install_again_or_masked(run_cli: Cli, unit: Path, masked: bool) -> None:
    if masked:
        unit.symlink_to("/dev/null")
    else:
        unit.write_text("x")
    result = run_cli("install", "--user=x")
    assert result.after == [f"FATAL: Failed to install gitlab-runner: Init already exists: {unit}"]
    assert result.status == 1


@pytest.mark.usefixtures("systemctl")
def test_install_without_user(run_cli: Cli) -> None:
    result = run_cli("install")
    assert (result.after, result.status) == (["FATAL: Please specify user that will run gitlab-runner service"], 1)


@pytest.mark.parametrize(
    ("verb", "systemctl_status", "line"),
    [
        ("start", 5, "FATAL: Failed to start gitlab-runner: exit status 5"),
        ("stop", 5, "FATAL: Failed to stop gitlab-runner: exit status 5"),
        ("uninstall", 1, "FATAL: Failed to uninstall gitlab-runner: exit status 1"),
    ],
)
def test_not_installed(run_cli: Cli, systemctl: Systemctl, verb: str, systemctl_status: int, line: str) -> None:
    systemctl.answers(status=systemctl_status)
    result = run_cli(verb)
    assert (result.after, result.status) == ([line], 1)


@pytest.mark.parametrize(
    ("verb", "calls"),
    [
        ("start", ["start gitlab-runner.service"]),
        ("stop", ["stop gitlab-runner.service"]),
        ("restart", ["restart gitlab-runner.service"]),
        ("uninstall", ["disable gitlab-runner.service", "daemon-reload"]),
    ],
)
def test_verbs_are_silent(run_cli: Cli, systemctl: Systemctl, unit: Path, verb: str, calls: list[str]) -> None:
    unit.write_text("x")
    drop_in = unit.with_name(unit.name + ".d") / "kill.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("x")
    result = run_cli(verb)
    assert (result.after, result.out, result.status, systemctl.calls) == ([], "", 0, calls)
    assert (unit.exists(), drop_in.exists()) == (verb != "uninstall", True)


STATUS = [
    pytest.param(None, "err", "the service is not installed", 1, id="not-installed"),
    pytest.param("active", "out", "Service is running", 0, id="running"),
    pytest.param("activating", "out", "Service is running", 0, id="dead-waiting-for-restart"),
    pytest.param("inactive", "err", "Service has stopped", 1, id="stopped"),
    pytest.param("failed", "err", "service in failed state", 1, id="failed"),
    pytest.param("deactivating", "err", "the service is not installed", 1, id="draining"),
]


@pytest.mark.parametrize(("word", "stream", "message", "status"), STATUS)
def test_status(
    run_cli: Cli, systemctl: Systemctl, unit: Path, word: t.Optional[str], stream: str, message: str, status: int
) -> None:
    if word is not None:
        unit.write_text("x")
        systemctl.answers(word, 0 if word == "active" else 3)
    result = run_cli("status")
    line = f"gitlab-runner: {message}"
    assert result.status == status
    assert (result.out.splitlines(), result.after) == (([line], []) if stream == "out" else ([], [line]))
