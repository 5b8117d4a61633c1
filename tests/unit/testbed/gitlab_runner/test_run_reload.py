# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running `run` makes of its file (observed facts 5). All cases wait for the same three seconds."""

from __future__ import annotations

import os
import signal
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import Daemon, GitLab, entry, until

LOADED = "Configuration loaded"
BROKEN = "concurrent = 2\n[[runners]\n"
NO_JOBS = (
    "Current configuration 'concurrent = 0' means that no jobs will be processed, see "
    "https://docs.gitlab.com/runner/configuration/advanced-configuration.html#the-global-section"
)


@dataclass(frozen=True)
class Edit:
    """What is done to the file; text None removes it."""

    text: t.Optional[str]
    older: bool = False
    hup: bool = False
    version: str = "18.0.3"


GOOD = "concurrent = 5\n"
EDITS = {
    "newer": Edit(GOOD),
    "older": Edit(GOOD, older=True),
    "older-hup": Edit(GOOD, older=True, hup=True),
    "broken": Edit(BROKEN),
    "broken-hup": Edit(BROKEN, older=True, hup=True),
    "broken-19": Edit(BROKEN, version="19.4.0"),
    "missing": Edit(None),
    "zero": Edit("concurrent = 0\n"),
    "zero-17": Edit("concurrent = 0\n", version="17.5.5"),
}


def _edit(file: Path, edit: Edit) -> None:
    if edit.text is None:
        file.unlink()
        return
    before = file.stat().st_mtime
    file.write_text(edit.text)
    if edit.older:
        os.utime(file, (before - 10, before - 10))


@pytest.fixture(scope="module")
def server() -> t.Iterator[GitLab]:
    gitlab = GitLab()
    yield gitlab
    gitlab.close()


@pytest.fixture(scope="module")
def watched(
    packed: t.Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory, server: GitLab
) -> t.Iterator[dict[str, Daemon]]:
    gitlab = server
    files = {name: tmp_path_factory.mktemp("reload") / "config.toml" for name in EDITS}
    for file in files.values():
        file.write_text("concurrent = 2\n" + entry(gitlab.url))
    daemons = {name: Daemon(packed(edit.version), files[name]) for name, edit in EDITS.items()}
    daemons["parked"] = _parked(packed("18.0.3"), tmp_path_factory.mktemp("parked") / "config.toml", gitlab)
    try:
        for daemon in daemons.values():
            daemon.wait_for("Initializing executor providers")
        time.sleep(0.2)  # handlers and the first remembered date
        for name, edit in EDITS.items():
            _edit(files[name], edit)
            if edit.hup:
                daemons[name].send(signal.SIGHUP)
        time.sleep(3.6)  # one poll, not two
        yield daemons
    finally:
        for daemon in daemons.values():
            daemon.kill()


PARKED, FAILING, UNKNOWN, ODD = (f"glrt-{letter * 9}rest" for letter in "abcd")


def _parked(program: Path, file: Path, gitlab: GitLab) -> Daemon:
    """Start one with an entry for each kind of failure: each is asked once a second."""
    gitlab.bad = {PARKED: 403, FAILING: 500}
    file.write_text(
        "concurrent = 9\ncheck_interval = 1\n"
        + entry(gitlab.url, PARKED)
        + entry(gitlab.url, FAILING)
        + entry(gitlab.url, UNKNOWN, executor="nosuch")
        + entry("gitlab", ODD)
    )
    return Daemon(program, file)


def test_parking(watched: dict[str, Daemon], server: GitLab) -> None:
    daemon, gitlab = watched["parked"], server
    request = f"{gitlab.url}/api/v4/jobs/request"
    for line in (
        f"ERROR: Checking for jobs... forbidden  runner=aaaaaaaaa status=POST {request}: 403 Forbidden",
        f"WARNING: Checking for jobs... failed  runner=bbbbbbbbb status=POST {request}: 500 Internal Server Error",
        'ERROR: Executor "nosuch" is not known; marking Runner as unhealthy',
        "ERROR: Checking for jobs... client error  runner=ddddddddd status=only http or https scheme supported",
        f'ERROR: Runner "{gitlab.url}aaaaaaaaa" is unhealthy and will be disabled for 1h0m0s seconds!  '
        "unhealthy_requests=3 unhealthy_requests_limit=3",
    ):
        assert daemon.has(line), daemon.text

    def asked(token: str) -> int:
        return sum(call.json().get("token") == token for call in list(gitlab.calls))

    assert (asked(PARKED), asked(UNKNOWN), asked(ODD)) == (3, 0, 0)
    assert asked(FAILING) > 3
    daemon.send(signal.SIGHUP)
    until(lambda: asked(PARKED) > 3, "a poll after the reload")


def count(daemon: Daemon, text: str) -> int:
    return sum(text in line for line in daemon.lines)


@pytest.mark.parametrize(
    ("name", "loads"), [("newer", 2), ("older", 1), ("older-hup", 2), ("broken", 1), ("missing", 1)]
)
def test_loads(watched: dict[str, Daemon], name: str, loads: int) -> None:
    assert count(watched[name], LOADED) == loads
    assert count(watched[name], f"{LOADED}  builds=0 max_builds=5") == loads - 1


@pytest.mark.parametrize(("name", "times"), [("broken", 2), ("broken-hup", 1), ("broken-19", 1)])
def test_broken(watched: dict[str, Daemon], name: str, times: int) -> None:
    line = (
        'ERROR: Failed to load config decoding configuration file: toml: line 2 (last key "runners"): expected '
        "end of table array name delimiter ']', but got '\\n' instead  builds=0 max_builds=2"
    )
    assert count(watched[name], line) == times, watched[name].text


def test_missing(watched: dict[str, Daemon]) -> None:
    assert count(watched["missing"], "ERROR: Failed to load config stat ") == 1
    assert watched["missing"].has("/config.toml: no such file or directory  builds=0 max_builds=2")


@pytest.mark.parametrize(
    ("name", "line", "stdout"),
    [
        ("zero", "FATAL: 172 <nil>  builds=0 max_builds=0", NO_JOBS),
        ("zero-17", "FATAL: Concurrent is less than 1 - no jobs will be processed  builds=0 max_builds=0", ""),
    ],
)
def test_zero_is_fatal(watched: dict[str, Daemon], name: str, line: str, stdout: str) -> None:
    assert watched[name].end() == 1
    assert watched[name].lines[-1] == line
    assert watched[name].stdout == stdout


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("concurrent = 0\n", "FATAL: 172 <nil>  builds=0 max_builds=0", id="zero"),
        pytest.param(
            'concurrent = "x"\n',
            "FATAL: Service run failed  error=decoding configuration file: toml: line 1 "
            '(last key "concurrent"): incompatible types: TOML value has type string; destination has type '
            "integer",
            id="broken",
        ),
    ],
)
def test_fatal_at_start(packed: t.Callable[[str], Path], config: Path, text: str, line: str) -> None:
    config.write_text(text)
    daemon = Daemon(packed("18.0.3"), config)
    try:
        assert daemon.end() == 1
        assert daemon.lines[-1] == line
    finally:
        daemon.kill()
