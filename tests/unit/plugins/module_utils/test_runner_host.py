# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd and gitlab-runner say, read as the observed versions say it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _runner_host as host

VERSION = """\
Version:      18.0.3
Git revision: abcdef01
Git branch:   18-0-stable
GO version:   go1.23.6 X:cacheprog
Built:        2025-05-01T10:00:00Z
OS/Arch:      linux/amd64
"""
OPENING = '{"arch":"amd64","level":"info","msg":"Runtime platform","os":"linux","time":"2026-11-24T07:03:20Z"}\n'
# Lines of `verify` with --log-format json (observed 2).
VALID = '{"level":"info","msg":"Verifying runner... is valid","runner":"ok0000000","time":"2026-11-24T07:03:20Z"}\n'
ALIVE = VALID.replace("valid", "alive")
REFUSED = VALID.replace("is valid", "is not valid").replace("ok0000000", "bad000000")
FAILED = '{"level":"error","msg":"Verifying runner... failed","runner":"ok0000000","status":"POST u: 500"}\n'
FATAL = '{"level":"fatal","msg":"Failed to verify runners"}\n'


def answering(status: int, out: str = "", errors: str = "") -> tuple[host.Run, list[t.Sequence[str]]]:
    """A program that gives this answer, and what it was asked."""
    asked: list[t.Sequence[str]] = []

    def run(argv: t.Sequence[str]) -> tuple[int, str, str]:
        asked.append(list(argv))
        return status, out, errors

    return run, asked


@pytest.fixture
def program(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gitlab-runner on the path; what it answers is the test's."""
    fake = tmp_path / "gitlab-runner"
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.parametrize(
    ("shown", "word"),
    [
        pytest.param("LoadState=loaded\nActiveState=active\nSubState=running", "running", id="running"),
        pytest.param("LoadState=loaded\nActiveState=inactive\nSubState=dead", "stopped", id="stopped"),
        pytest.param("LoadState=loaded\nActiveState=failed\nSubState=failed", "failed", id="failed"),
        pytest.param("LoadState=loaded\nActiveState=deactivating\nSubState=stop-sigterm", "draining", id="draining"),
        pytest.param(
            "LoadState=loaded\nActiveState=activating\nSubState=auto-restart", "dead, restarts later", id="auto-restart"
        ),
        pytest.param("LoadState=masked\nActiveState=inactive\nSubState=dead", "masked", id="masked"),
        pytest.param("LoadState=not-found\nActiveState=inactive\nSubState=dead", "not installed", id="not-installed"),
        pytest.param("", "not installed", id="no-systemd"),
        pytest.param("LoadState=loaded\nActiveState=activating\nSubState=start", "activating", id="other-word"),
    ],
)
def test_service_words(shown: str, word: str) -> None:
    run, asked = answering(0, shown + "\nMainPID=812\nUnitFileState=enabled\nResult=success\n")
    state = host.service_state(run, "runner-b")
    assert state.word == word
    assert (state.main_pid, state.unit_file_state, state.result) == (812, "enabled", "success")
    assert asked[0][:3] == ["systemctl", "show", "runner-b.service"]


def test_a_host_without_systemd() -> None:
    run, _asked = answering(127, "", "systemctl: not found")
    assert host.service_state(run, "x") == host.ServiceState("not-found", "inactive", "dead", "", 0, "")


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        pytest.param((0, VERSION, ""), "18.0.3", id="release"),
        pytest.param((0, VERSION.replace("18.0.3", "development version"), ""), "development version", id="built"),
        pytest.param((127, "", "gitlab-runner: not found"), None, id="none"),
    ],
)
def test_version(answer: tuple[int, str, str], version: t.Optional[str]) -> None:
    assert host.version(answering(*answer)[0]) == version


@pytest.mark.usefixtures("program")
class TestLint:
    """The outcomes of `gitlab-runner lint` (runner facts 4.3)."""

    @pytest.mark.parametrize(
        ("answer", "found"),
        [
            pytest.param((0, "Configuration file is valid.\n", ""), [], id="valid"),
            pytest.param((1, "", "\x1b[31;1mFATAL: Command lint not found.   \x1b[0;m \n"), None, id="before-19.3"),
            pytest.param(
                (1, "", "\x1b[31;1mFATAL: 2 unknown key(s) found in /p:\n  unknown key: a.b\n  unknown key: c\n"),
                ["a.b", "c"],
                id="unknown-keys",
            ),
        ],
    )  # fmt: skip
    def test_keys(self, answer: tuple[int, str, str], found: t.Optional[list[str]]) -> None:
        run, asked = answering(*answer)
        assert host.unknown_keys(run, "/p") == found
        assert asked == [["gitlab-runner", "lint", "-c", "/p"]]

    @pytest.mark.parametrize("words", ["decoding config: toml: line 2", "config schema validation failed: x"])
    def test_a_file_that_does_not_load(self, words: str) -> None:
        run, _asked = answering(1, "", f"Runtime platform  x=1\n\x1b[31;1mFATAL: {words}\x1b[0;m \n")
        with pytest.raises(ValueError, match=f"^FATAL: {words}$"):
            host.unknown_keys(run, "/p")


def test_no_program_has_no_lint(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    run, asked = answering(0)
    assert (host.unknown_keys(run, "/p"), asked) == (None, [])


@pytest.mark.parametrize(
    ("status", "lines", "verdicts"),
    [
        pytest.param(0, VALID, ["valid"], id="valid"),
        pytest.param(0, ALIVE, ["valid"], id="alive-legacy-token"),
        pytest.param(1, VALID + REFUSED + FATAL, ["valid", "refused"], id="one-refused"),
        pytest.param(0, FAILED, ["unreachable"], id="exit-0-and-not-reached"),
        pytest.param(0, "", [], id="no-entries"),
        pytest.param(2, "panic: runtime error: slice bounds\n\ngoroutine 1 [running]:\n", [], id="crash"),
        pytest.param(1, '{"level":"fatal","msg":"decoding configuration file: toml: line 1"}\n', [], id="broken-file"),
    ],
)
def test_verify_is_read_not_trusted(status: int, lines: str, verdicts: list[str]) -> None:
    run, asked = answering(status, "", OPENING + lines)
    assert [line["verified"] for line in host.verified(run, "/p")] == verdicts
    assert asked[0][-3:] == ["verify", "-c", "/p"]


def test_log_lines_leave_out_what_is_no_json() -> None:
    assert host.log_lines('{"msg":"a"}\nnot json\n[1]\n"text"\n{"msg":"b"}') == [{"msg": "a"}, {"msg": "b"}]


def test_steering_variables_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    steering = ("RUNNER_TAG_LIST", "REGISTER_LOCKED", "CI_SERVER_TOKEN", "CONFIG_FILE", "LOG_FORMAT")
    for name in (*steering, "HOME"):
        monkeypatch.setenv(name, "x")
    host.forget_steering()
    assert [name for name in (*steering, "HOME") if name in os.environ] == ["HOME"]


DAEMON = """\
import signal, sys
signal.signal(signal.SIGHUP, lambda *_: (print("reloaded", flush=True), sys.exit(0)))
print("up", flush=True)
signal.pause()
"""


def _service(pid: int, active: str = "active") -> host.Run:
    return answering(0, f"LoadState=loaded\nActiveState={active}\nSubState=running\nMainPID={pid}\n")[0]


@pytest.fixture
def daemon() -> t.Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([sys.executable, "-c", DAEMON], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def test_reload_waits_for_a_young_process(daemon: subprocess.Popen[str]) -> None:
    """In its first moments a signal kills the daemon (runner facts 3.1)."""
    assert host.process_age(daemon.pid) < 0.9
    started = time.monotonic()
    assert host.reload(_service(daemon.pid), "gitlab-runner")
    assert time.monotonic() - started + 0.5 > host.SETTLED_SECONDS
    assert host.process_age(daemon.pid) + 0.05 >= host.SETTLED_SECONDS
    assert daemon.communicate(timeout=5)[0] == "reloaded\n"


@pytest.mark.parametrize(
    ("pid", "active"),
    [
        pytest.param(0, "inactive", id="stopped"),
        pytest.param(2**22 - 1, "active", id="just-ended"),
        pytest.param(1, "deactivating", id="draining-ignores-it"),
    ],
)
def test_nobody_to_reload(pid: int, active: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda *args: sent.append(args[0]))
    assert not host.reload(_service(pid, active), "gitlab-runner")
    assert sent == []


def test_runner_runs_in_the_c_locale_and_survives_a_missing_program() -> None:
    seen: list[t.Any] = []

    def run_command(argv: list[str], **options: t.Any) -> tuple[int, str, str]:
        seen.append((argv, options.get("environ_update")))
        return 0, "out", ""

    run = host.runner(run_command)
    assert run(["sh", "-c", ":"]) == (0, "out", "")
    assert run(["no-such-program-here"])[0] == 127
    assert seen == [(["sh", "-c", ":"], {"LC_ALL": "C"})]
