# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, the requirements and the errors of the programs that are called."""

from __future__ import annotations

from pathlib import Path

import pytest
from testbed import __main__ as command
from testbed import lifecycle, paths, programs, requirements
from testbed.errors import TestbedError
from testbed.hosts import ssh


def test_the_list_of_packages_has_one_name_a_line() -> None:
    names = requirements.needed(requirements.LIST.read_text())
    assert {"podman", "runc", "mmdebstrap", "rpm", "createrepo-c", "gpg", "openssh-client"} <= set(names)
    assert all(" " not in name for name in names)


@pytest.mark.parametrize(
    ("answer", "lacking"),
    [
        pytest.param("podman installed\nrpm installed\n", [], id="all-there"),
        pytest.param("podman installed\n", ["rpm"], id="unknown"),
        pytest.param("podman config-files\nrpm installed\n", ["podman"], id="removed"),
        pytest.param("", ["podman", "rpm"], id="none"),
    ],
)
def test_missing(answer: str, lacking: list[str]) -> None:
    assert requirements.missing(["podman", "rpm"], answer) == lacking


@pytest.mark.parametrize(("hosts", "limit"), [(28, 128), (3, 28), (100, 1024)])
def test_hosts_that_the_kernel_can_watch(hosts: int, limit: int) -> None:
    requirements.check_watches(hosts, limit)


def test_too_many_hosts_are_refused_with_the_remedy() -> None:
    with pytest.raises(TestbedError, match=r"40 hosts .* `sysctl fs.inotify.max_user_instances=176`"):
        requirements.check_watches(40, 128)


def test_programs_that_fail_are_said_with_their_last_lines() -> None:
    script = "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); done; echo reason >&2; exit 3"
    with pytest.raises(TestbedError) as caught:
        programs.run(["sh", "-c", script], "do this")
    text = str(caught.value)
    assert text.startswith("Could not do this: the program ended with 3.")
    assert text.endswith("reason")
    assert "line 39" in text
    assert "line 20\n" not in text


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        pytest.param(["no-such-program"], "no-such-program is not installed", id="missing"),
        pytest.param(["sleep", "5"], "was not done in 0 s", id="too-slow"),
    ],
)
def test_programs_that_cannot_answer(argv: list[str], sentence: str) -> None:
    with pytest.raises(TestbedError, match=sentence):
        programs.run(argv, "do this", timeout=0.1)


def test_errors_are_sentences_and_status_two(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse() -> bool:
        raise TestbedError("podman is away.")

    monkeypatch.setattr(lifecycle, "status", refuse)
    assert command.main(["status"]) == 2
    assert capsys.readouterr().err == "testbed: podman is away.\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param([], lifecycle.Wish(), id="plain"),
        pytest.param(["--hosts", "5", "--fresh"], lifecycle.Wish(hosts=5, fresh=True), id="hosts"),
        pytest.param(["--hosts", "0", "--servers", "1"], lifecycle.Wish(hosts=0, servers=1), id="servers"),
        pytest.param(["--api-port", "1", "--packages-port", "2"], lifecycle.Wish(None, None, False, 1, 2), id="ports"),
    ],
)
def test_up(words: list[str], expected: lifecycle.Wish, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[lifecycle.Wish] = []
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    monkeypatch.setattr(lifecycle, "up", asked.append)
    assert command.main(["up", *words]) == 0
    assert asked == [expected]


@pytest.mark.parametrize("number", ["-1", "x"])
def test_a_testbed_has_hosts(number: str) -> None:
    with pytest.raises(SystemExit):
        command.main(["up", "--hosts", number])


def test_connections_are_shared_under_a_short_path() -> None:
    option = next(word for word in ssh.OPTIONS if word.startswith("ControlPath="))
    # %C becomes 40 characters, and ssh adds 17 while it makes the socket: 107 is the most a socket's path may have.
    assert len(option.removeprefix("ControlPath=").replace("%C", "c" * 40)) + 17 < 107
