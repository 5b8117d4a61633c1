# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log lines, durations, dates and tokens, as Go writes them (observed facts 1)."""

from __future__ import annotations

import io
import re

import pytest
from testbed.gitlab_runner import build, tokens
from testbed.gitlab_runner.golang import Duration, GoPanic, Signal, epoch, normal_time, parse_duration
from testbed.gitlab_runner.logs import Fatal, Logger
from testbed.gitlab_runner.traits import Traits

LISTED = {"Token": "glrt-ok00000000000000AA", "Executor": "shell", "URL": "http://127.0.0.1:8081"}
PADDED = "one" + " " * 47


def logged(log_format: str, level: str, message: str, fields: dict[str, object]) -> str:
    stream = io.StringIO()
    Logger(log_format, "debug", stream).log(level, message, fields)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "NOW", stream.getvalue())


@pytest.mark.parametrize(
    ("log_format", "level", "message", "fields", "line"),
    [
        pytest.param(
            "runner",
            "info",
            "one",
            LISTED,
            PADDED + "\x1b[0;m  Executor\x1b[0;m=shell Token\x1b[0;m="
            "glrt-ok00000000000000AA URL\x1b[0;m=http://127.0.0.1:8081\n",
            id="info",
        ),
        pytest.param("runner", "info", "", {}, " " * 50 + "\x1b[0;m \n", id="info-without-fields"),
        pytest.param(
            "runner",
            "warning",
            "bad",
            {"b": 1, "a": None},
            "\x1b[0;33mWARNING: bad" + " " * 38 + "\x1b[0;m  \x1b[0;33ma\x1b[0;m=<nil> \x1b[0;33mb\x1b[0;m=1\n",
            id="warning",
        ),
        pytest.param("runner", "error", "e" * 60, {}, "\x1b[31;1mERROR: " + "e" * 60 + "\x1b[0;m \n", id="long-error"),
        pytest.param(
            "runner",
            "warning",
            "Job failed: exit status 3\n",
            {},
            "\x1b[0;33mWARNING: Job failed: exit status 3\n" + " " * 15 + "\x1b[0;m \n",
            id="own-newline",
        ),
        pytest.param(
            "json",
            "info",
            "one",
            LISTED,
            '{"Executor":"shell","Token":"glrt-ok00000000000000AA","URL":'
            '"http://127.0.0.1:8081","level":"info","msg":"one","time":"NOW"}\n',
            id="json",
        ),
        pytest.param(
            "json",
            "info",
            "s",
            {"stop-signal": Signal(15), "shutdown-timeout": Duration.seconds(30)},
            '{"level":"info","msg":"s","shutdown-timeout":30000000000,"stop-signal":15,"time":"NOW"}\n',
            id="json-numbers",
        ),
        pytest.param(
            "text",
            "info",
            "one",
            {**LISTED, "q": "a b"},
            'time="NOW" level=info msg=one Executor=shell '
            'Token=glrt-ok00000000000000AA URL="http://127.0.0.1:8081" q="a b"\n',
            id="text",
        ),
    ],
)
def test_line(log_format: str, level: str, message: str, fields: dict[str, object], line: str) -> None:
    assert logged(log_format, level, message, fields) == line


def test_level_and_counts() -> None:
    stream = io.StringIO()
    logger = Logger(level="error", stream=stream)
    logger.warning("hidden")
    with pytest.raises(Fatal) as caught:
        logger.fatal("shown")
    assert caught.value.code == 1
    assert "hidden" not in stream.getvalue()
    assert "FATAL: shown" in stream.getvalue()
    assert logger.counts == {"warning": 1, "fatal": 1}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("15m", "15m0s"),
        ("90s", "1m30s"),
        ("1h30m", "1h30m0s"),
        ("60m", "1h0m0s"),
        ("0", "0s"),
        ("1500ms", "1.5s"),
        ("30ns", "30ns"),
        ("2us", "2µs"),
        ("-1s", "-1s"),
        ("0.5s", "500ms"),
        ("1.006495427s", "1.006495427s"),
    ],
)
def test_duration(text: str, shown: str) -> None:
    assert str(parse_duration(text)) == shown


@pytest.mark.parametrize("text", ["", "5", "5 s", "x", "1.2.3s", "s"])
def test_bad_duration(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-24t07:09:18.005202446z", "2026-11-24T07:09:18.005202446Z"),
        ("2026-11-24 07:09:18.500+00:00", "2026-11-24T07:09:18.5Z"),
        ("2026-11-24T07:09:18+02:00", "2026-11-24T07:09:18+02:00"),
        ("2026-11-24T07:09:38.000Z", "2026-11-24T07:09:38Z"),
    ],
)
def test_date(text: str, shown: str) -> None:
    assert normal_time(text) == shown


def test_epoch_knows_zones_and_the_zero_time() -> None:
    assert epoch("1970-01-01T02:00:10.5+02:00") == 10.5
    assert epoch("0001-01-01T00:00:00Z") < 0


@pytest.mark.parametrize(
    ("version", "token", "short"),
    [
        ("18.0.3", "glrt-ok00000000000000AA", "ok0000000"),
        ("18.0.3", "glrt-t1_abcdefghijk", "t1_abcdef"),
        ("18.2.0", "glrt-t1_abcdefghijk", "abcdefghi"),
        ("18.2.0", "glrt-ab", "ab"),
        ("18.0.3", "glrt-ab", "glrt-ab"),
        ("18.0.3", "GR13489412345678901", "GR134894123456789"),
        ("18.0.3", "GR134894-reg", "GR134894"),
        ("18.0.3", "legacytoken000", "legacyto"),
        ("18.0.3", "glrtr-abcdefghijk", "abcdefghi"),
    ],
)
def test_short_token(version: str, token: str, short: str) -> None:
    assert tokens.short(token, Traits(version)) == short


def test_short_glrt_token_is_a_go_panic_before_18_2() -> None:
    with pytest.raises(GoPanic):
        tokens.short("glrt-12345", Traits("18.0.3"))


def test_version_lines_and_user_agent() -> None:
    known = build.for_version("17.5.5")
    lines = known.version_text().splitlines()
    assert len(lines) == 6
    assert lines[0] == "Version:      17.5.5"
    assert lines[1] == "Git revision: abcdef01"
    assert known.user_agent.startswith("gitlab-runner 17.5.5 (17-5-stable; go")
