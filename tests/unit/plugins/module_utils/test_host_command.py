# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs are started, listened to, and ended with all that they started."""

from __future__ import annotations

import pathlib
import sys
import time

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _host_command
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        pytest.param(["sh", "-c", "echo a; echo b >&2; exit 3"], Completed(3, "a\n", "b\n"), id="both-streams"),
        pytest.param(["sh", "-c", "kill -9 $$"], Completed(-9, ""), id="signal"),
        pytest.param(
            ["/no/such/program"], Completed(127, "", "/no/such/program: No such file or directory"), id="none"
        ),
        pytest.param(["/etc/passwd"], Completed(127, "", "/etc/passwd: Permission denied"), id="not-executable"),
        pytest.param(["printf", r"\377"], Completed(0, "\ufffd"), id="no-utf-8"),
    ],
)
def test_run(argv: list[str], expected: Completed) -> None:
    assert _host_command.run(argv) == expected


def test_input_and_environment_reach_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_HERE", "h")
    done = _host_command.run(["sh", "-c", "cat; echo $FROM_HERE $GIVEN $LC_ALL"], env={"GIVEN": "g"}, input="in ")
    assert done.stdout == "in h g C.UTF-8\n"


def test_a_timeout_ends_the_children_too(tmp_path: pathlib.Path) -> None:
    alive = tmp_path / "alive"
    started = time.monotonic()
    done = _host_command.run(["sh", "-c", f"echo said; (sleep 2; touch {alive}) & wait"], timeout=0.3)
    assert (done.rc, done.stdout) == (_host_command.TIMED_OUT, "said\n")
    assert "ended after 0.3 s" in done.words
    assert time.monotonic() - started < 1.5
    time.sleep(2)
    assert not alive.exists()


def test_lines_come_while_the_program_runs() -> None:
    seen: list[tuple[str, float]] = []
    done = _host_command.stream(
        ["sh", "-c", "echo one; sleep 0.3; echo two >&2; exit 4"], lambda line: seen.append((line, time.monotonic()))
    )
    assert (done.rc, done.stdout) == (4, "one\ntwo\n")
    assert [line for line, unused in seen] == ["one", "two"]
    assert seen[1][1] - seen[0][1] > 0.2


def test_only_the_last_lines_are_kept() -> None:
    done = _host_command.stream(python("for n in range(100000): print(n)"), lambda line: None)
    assert done.stdout.splitlines() == [str(number) for number in range(100000 - _host_command.KEPT_LINES, 100000)]


def test_a_stream_is_ended_by_its_timeout() -> None:
    done = _host_command.stream(["sh", "-c", "echo said; sleep 9 & wait"], lambda line: None, timeout=0.3)
    assert (done.rc, done.stdout, done.stderr) == (_host_command.TIMED_OUT, "said\n", "ended after 0.3 s")


def test_a_stream_is_ended_by_its_listener() -> None:
    def listen(line: str) -> None:
        raise ValueError(line)

    started = time.monotonic()
    with pytest.raises(ValueError, match="said"):
        _host_command.stream(["sh", "-c", "echo said; exec sleep 9"], listen)
    assert time.monotonic() - started < 5


def test_a_missing_program_has_no_lines() -> None:
    assert _host_command.stream(["/no/such/program"], pytest.fail).rc == _host_command.NOT_FOUND


@pytest.mark.parametrize(
    ("completed", "words"),
    [(Completed(1, " out\n", " err\n"), "err"), (Completed(1, " out\n"), "out"), (Completed(1, "a" * 900), "a" * 500)],
)
def test_the_words_for_a_message(completed: Completed, words: str) -> None:
    assert completed.words == words
