# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The outcome table: each call, its lines after the opening ones, its status (observed facts 2)."""

from __future__ import annotations

import os
import re
import typing as t
from pathlib import Path

import pytest
from unit.saved_config import DOCKER

from .conftest import TOKEN, Cli, GitLab, entry

BAD = "glrt-bad00000000000000BB"
SAVED = re.compile(r"token_obtained_at = \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
S, BAD_S = "runner=ok0000000", "runner=bad000000"
BROKEN = (
    'decoding configuration file: toml: line 1 (last key "concurrent"): incompatible types: TOML value has type '
    "string; destination has type integer"
)
REGISTERED = [
    "Runner registered successfully. Feel free to start it, but if it's running already the config should be "
    "automatically reloaded!"
]


def failed(
    url: str, status: str = "500 Internal Server Error", method: str = "POST", path: str = "runners/verify"
) -> str:
    return f"status={method} {url}/api/v4/{path}: {status}"


@pytest.fixture
def two(config: Path, gitlab: GitLab) -> Path:
    """A good entry and one that GitLab refuses."""
    config.write_text(entry(gitlab.url) + entry(gitlab.url, BAD, "bad"))
    gitlab.bad[BAD] = 403
    return config


def test_opening_lines(run_cli: Cli, config: Path) -> None:
    assert run_cli("verify", "-c", config).lines == [
        f"Runtime platform  arch=amd64 os=linux pid={os.getpid()} revision=abcdef01 version=18.0.3",
        "Running in system-mode.",
        "",
    ]
    assert len(run_cli("list", "-c", config).lines) == 2  # no mode there


def test_user_mode(run_cli: Cli, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert run_cli("verify", "-c", config).lines[1:] == [
        "WARNING: Running in user-mode.",
        "WARNING: The user-mode requires you to manually start builds processing:",
        "WARNING: $ gitlab-runner run",
        "WARNING: Use sudo for system-mode:",
        "WARNING: $ sudo gitlab-runner...",
        "WARNING:",
    ]


def test_list(run_cli: Cli, config: Path) -> None:
    assert run_cli("list", "-c", config).after == [f"Listing configured runners  ConfigFile={config}"]
    config.write_text(entry("http://u"))
    assert run_cli("list", "-c", config).after == [
        f"Listing configured runners  ConfigFile={config}",
        f"one  Executor=shell Token={TOKEN} URL=http://u",
    ]


@pytest.mark.parametrize(
    ("words", "lines", "status"),
    [
        pytest.param(["list"], [f"WARNING: {BROKEN}"], 0, id="list"),
        pytest.param(["verify"], [f"FATAL: {BROKEN}"], 1, id="verify"),
        pytest.param(["unregister", "--all-runners"], [f"FATAL: {BROKEN}"], 1, id="unregister"),
        pytest.param(["register", "-n", "-u", "http://u", "-t", TOKEN], [f"PANIC: {BROKEN}"], 1, id="register"),
    ],
)
def test_broken_file(run_cli: Cli, config: Path, words: list[str], lines: list[str], status: int) -> None:
    config.write_text('concurrent = "x"\n')
    result = run_cli(*words, "-c", config)
    assert (result.after, result.status) == (lines, status)


class TestRegister:
    """`register`."""

    @pytest.fixture
    def register(self, run_cli: Cli, config: Path, gitlab: GitLab) -> Cli:
        return lambda *words: run_cli(
            "register",
            "--non-interactive",
            "--name",
            "one",
            "--config",
            config,
            *(("--url", gitlab.url) if "--no-url" not in words else ()),
            *(word for word in words if word != "--no-url"),
        )

    def end(self, config: Path) -> list[str]:
        return [*REGISTERED, f'Configuration (with the authentication token) was saved in "{config}"']

    def test_new_file_is_case_a(self, register: Cli, config: Path, gitlab: GitLab) -> None:
        result = register("--token", TOKEN, "--executor", "shell")
        assert result.status == 0
        assert result.after == [f"Verifying runner... is valid  {S}", *self.end(config)]
        assert (
            SAVED.sub("token_obtained_at = NOW", config.read_text())
            == f"""\
concurrent = 1
check_interval = 0
shutdown_timeout = 0

[session_server]
  session_timeout = 1800

[[runners]]
  name = "one"
  url = "{gitlab.url}"
  id = 42
  token = "{TOKEN}"
  token_obtained_at = NOW
  token_expires_at = 0001-01-01T00:00:00Z
  executor = "shell"
  [runners.cache]
    MaxUploadedArchiveSize = 0
    [runners.cache.s3]
    [runners.cache.gcs]
    [runners.cache.azure]
"""
        )

    def test_into_a_file_is_case_b(self, register: Cli, config: Path) -> None:
        register("--token", TOKEN, "--executor", "shell")
        before = config.read_text()
        assert register("--token", BAD, "--executor", "docker", "--docker-image", "alpine:3").status == 0
        head, entries = before.split("check_interval = 0\n")
        text = config.read_text()
        assert text.startswith(head + 'check_interval = 0\nconnection_max_age = "15m0s"\n' + entries + "\n[[runners]]")
        assert text.endswith("    [runners.cache.azure]\n" + DOCKER)

    @pytest.mark.parametrize(
        ("version", "tables"),
        [
            (
                "17.5.5",
                "  [runners.custom_build_dir]\n  [runners.cache]\n    MaxUploadedArchiveSize = 0\n"
                "    [runners.cache.s3]\n    [runners.cache.gcs]\n",
            ),
            (
                "19.4.0",
                "  [runners.cache]\n    MaxUploadedArchiveSize = 0\n    [runners.cache.s3]\n"
                "      AssumeRoleMaxConcurrency = 0\n    [runners.cache.gcs]\n",
            ),
        ],
    )
    def test_versions(
        self, cli_of: t.Callable[[str], Cli], config: Path, gitlab: GitLab, version: str, tables: str
    ) -> None:
        assert (
            cli_of(version)("register", "-n", "-u", gitlab.url, "-t", TOKEN, "--executor", "shell", "-c", config).status
            == 0
        )
        assert 'executor = "shell"\n' + tables in config.read_text()

    def test_flags_set_keys(self, register: Cli, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RUNNER_REQUEST_CONCURRENCY", "4")
        monkeypatch.setenv("DOCKER_PRIVILEGED", "true")
        register(
            "--token",
            TOKEN,
            "--executor",
            "docker",
            "--docker-image",
            "a",
            "--docker-volumes",
            "/x",
            "--docker-volumes",
            "/y",
            "--limit",
            "3",
            "--env",
            "A=1",
            "--cache-type",
            "s3",
            "--cache-s3-bucket-name",
            "b",
            "--docker-tlsverify",
            "--feature-flags",
            "FF_X:true",
        )
        text = config.read_text()
        for part in (
            "limit = 3\n",
            "request_concurrency = 4\n",
            'environment = ["A=1"]',
            'Type = "s3"',
            'BucketName = "b"',
            "privileged = true",
            "tls_verify = true",
            'volumes = ["/x", "/y", "/cache"]',
            "FF_X = true",
        ):
            assert part in text

    def test_known_token_is_appended_again(self, register: Cli, config: Path) -> None:
        register("--token", TOKEN, "--executor", "shell")
        result = register("--token", TOKEN, "--executor", "shell")
        assert result.after[0] == ("WARNING: A runner with this system ID and token has already been registered.")
        assert config.read_text().count(TOKEN) == 2

    @pytest.mark.parametrize(
        ("status", "line"),
        [
            pytest.param(403, f"Verifying runner... is not valid  {S}", id="403"),
            pytest.param(500, f"ERROR: Verifying runner... failed  {S} {{e}}", id="500"),
        ],
    )
    def test_refused(self, register: Cli, config: Path, gitlab: GitLab, status: int, line: str) -> None:
        gitlab.bad[TOKEN] = status
        result = register("--token", TOKEN, "--executor", "shell")
        assert result.after == [line.replace("{e}", failed(gitlab.url)), "PANIC: Failed to verify the runner."]
        assert (result.status, len(gitlab.calls), config.exists()) == (1, 1, False)

    @pytest.mark.parametrize(
        "words",
        [
            ["--tag-list", "a"],
            ["--locked=false"],
            ["--run-untagged"],
            ["--paused"],
            ["--access-level", "ref_protected"],
            ["--maximum-timeout", "9"],
        ],
    )
    def test_reserved(self, register: Cli, gitlab: GitLab, words: list[str]) -> None:
        result = register("--token", TOKEN, "--executor", "shell", *words)
        assert result.status == 1
        assert result.after[0].startswith(
            "FATAL: Runner configuration other than name and executor configuration is reserved (specifically --locked,"
            " --access-level, --run-untagged, --maximum-timeout, --paused, --tag-list, and --maintenance-note) and "
            "cannot be specified when registering with a runner authentication token."
        )
        assert gitlab.calls == []

    def test_reserved_by_environment(self, register: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RUNNER_TAG_LIST", "a")
        assert register("--token", TOKEN, "--executor", "shell").status == 1
        monkeypatch.delenv("RUNNER_TAG_LIST")
        assert register("--token", TOKEN, "--executor", "shell", "--locked=true").status == 0

    def test_registration_token(self, register: Cli, config: Path, gitlab: GitLab) -> None:
        result = register("-r", "GR134894", "--executor", "shell", "--tag-list", "a,b", "--run-untagged=false")
        assert result.after[0].startswith("WARNING: Support for registration tokens")
        assert result.after[1:] == ["Registering runner... succeeded  runner=GR134894", *self.end(config)]
        body = gitlab.calls[0].json()
        assert list(body) == ["description", "tag_list", "run_untagged", "locked", "paused", "info", "token"]
        assert [body[key] for key in ("description", "tag_list", "run_untagged", "locked", "paused", "token")] == [
            "one",
            "a,b",
            False,
            True,
            False,
            "GR134894",
        ]
        assert 'token = "legacytoken000000000"' in config.read_text()

    def test_glrt_as_registration_token(self, register: Cli, gitlab: GitLab) -> None:
        result = register("-r", TOKEN, "--executor", "shell", "--tag-list", "a")
        assert result.status == 0
        assert result.after[0].startswith("WARNING: You have specified an authentication token in the legacy parameter")
        assert [call.path for call in gitlab.calls] == ["/api/v4/runners/verify"]

    def test_token_of_old(self, register: Cli, config: Path) -> None:
        result = register("-t", "oldtoken000000000000", "--executor", "shell")
        assert result.after[:3] == [
            "Token specified trying to verify runner...",
            "WARNING: If you want to register use the '-r' instead of '-t'.",
            "Verifying runner... is alive  runner=oldtoken",
        ]
        assert "id = 0\n" in config.read_text()

    @pytest.mark.parametrize(
        ("words", "lines"),
        [
            pytest.param(["--token", TOKEN], ["PANIC: Invalid executor specified"], id="no-executor"),
            pytest.param(
                ["--token", TOKEN, "--executor", "nosuch"], ["PANIC: Invalid executor specified"], id="unknown"
            ),
            pytest.param(
                ["--token", TOKEN, "--executor", "docker"],
                ["PANIC: The docker-image needs to be entered"],
                id="no-image",
            ),
        ],
    )
    def test_bad_executor_unregisters(self, register: Cli, gitlab: GitLab, words: list[str], lines: list[str]) -> None:
        result = register(*words)
        assert result.after == [
            f"Verifying runner... is valid  {S}",
            *lines,
            f"Unregistering runner manager from GitLab succeeded  {S}",
        ]
        assert (result.status, [call.method for call in gitlab.calls]) == (1, ["POST", "DELETE"])
        gitlab.calls.clear()
        register(*words, "--leave-runner")
        assert [call.method for call in gitlab.calls] == ["POST"]

    @pytest.mark.parametrize(
        ("words", "line"),
        [
            pytest.param(["--no-url", "--token", TOKEN], "PANIC: The url needs to be entered", id="url"),
            pytest.param([], "PANIC: The registration-token needs to be entered", id="token"),
        ],
    )
    def test_missing(self, register: Cli, gitlab: GitLab, words: list[str], line: str) -> None:
        result = register(*words, "--executor", "shell")
        assert (result.after, result.status, gitlab.calls) == ([line], 1, [])

    def test_not_writable(self, run_cli: Cli, gitlab: GitLab) -> None:
        result = run_cli(
            "register", "-n", "-u", gitlab.url, "-t", TOKEN, "--executor", "shell", "-c", "/proc/nosuch/config.toml"
        )
        assert result.after[-3:] == [
            f"Verifying runner... is valid  {S}",
            "PANIC: saving the file: open /proc/nosuch/config.toml: no such file or directory",
            f"Unregistering runner manager from GitLab succeeded  {S}",
        ]

    def test_template(self, register: Cli, config: Path, tmp_path: Path) -> None:
        template = tmp_path / "t.toml"
        template.write_text(
            'concurrent = 9\n[[runners]]\n  token = "no"\n  limit = 5\n  executor = "kubernetes"\n'
            '  [runners.docker]\n    image = "x"\n  [runners.cache]\n    Type = "s3"\n'
        )
        assert register("--token", TOKEN, "--executor", "shell", "--template-config", str(template)).status == 0
        text = config.read_text()
        for part in ("concurrent = 1\n", "  limit = 5\n", f'token = "{TOKEN}"', 'Type = "s3"', 'executor = "shell"'):
            assert part in text
        assert "docker" not in text

    @pytest.mark.parametrize("content", ["", entry("u") * 2, None], ids=["none", "two", "missing"])
    def test_bad_template(self, register: Cli, tmp_path: Path, content: t.Optional[str]) -> None:
        template = tmp_path / "t.toml"
        if content is not None:
            template.write_text(content)
        result = register("--token", TOKEN, "--executor", "shell", "--template-config", str(template))
        assert result.status == 1
        assert result.after[0] == f'Merging configuration from template file "{template}"'
        assert result.after[1].startswith("FATAL: Could not handle configuration merging from template file  error=")
        if content is not None:
            assert result.after[1].endswith("configuration template must contain exactly one [[runners]] entry")


@pytest.mark.parametrize(
    ("status", "bad_line", "last", "exit_status"),
    [
        pytest.param(
            403, f"Verifying runner... is not valid  {BAD_S}", ["FATAL: Failed to verify runners"], 1, id="403"
        ),
        pytest.param(500, f"ERROR: Verifying runner... failed  {BAD_S} {{e}}", [], 0, id="500"),
    ],
)
def test_verify(
    run_cli: Cli, two: Path, gitlab: GitLab, status: int, bad_line: str, last: list[str], exit_status: int
) -> None:
    gitlab.bad[BAD] = status
    before = two.read_text()
    result = run_cli("verify", "-c", two)
    assert result.after == [f"Verifying runner... is valid  {S}", bad_line.replace("{e}", failed(gitlab.url)), *last]
    assert (result.status, two.read_text()) == (exit_status, before)


def test_verify_nothing_listens(run_cli: Cli, config: Path) -> None:
    config.write_text(entry("http://127.0.0.1:1"))
    url = "http://127.0.0.1:1/api/v4/runners/verify"
    result = run_cli("verify", "-c", config)
    assert result.after == [
        f"ERROR: Verifying runner... failed  {S} status=couldn't execute POST against {url}: "
        f'Post "{url}": dial tcp 127.0.0.1:1: connect: connection refused'
    ]
    assert result.status == 0


def test_verify_delete(run_cli: Cli, two: Path, gitlab: GitLab) -> None:
    result = run_cli("verify", "--delete", "-c", two)
    assert (result.after[-1], result.status) == (f"Updated {two}", 0)
    assert BAD not in two.read_text()
    before = two.stat().st_mtime_ns
    assert run_cli("verify", "--delete", "-c", two).after == [f"Verifying runner... is valid  {S}"]
    assert two.stat().st_mtime_ns == before


def test_verify_selectors(run_cli: Cli, two: Path, config: Path) -> None:
    result = run_cli("verify", "--name", "nope", "-c", two)
    assert (result.after, result.status) == (["FATAL: no runner matches the filtering parameters"], 1)
    assert run_cli("verify", "--name", "one", "-c", two).status == 0
    config.unlink()
    assert (run_cli("verify", "-c", config).after, run_cli("verify", "-c", config).status) == ([], 0)


def test_verify_legacy(run_cli: Cli, config: Path, gitlab: GitLab) -> None:
    config.write_text(entry(gitlab.url, "legacytoken0"))
    assert run_cli("verify", "-c", config).after == ["Verifying runner... is alive  runner=legacyto"]


@pytest.mark.parametrize("version", ["17.5.5", "18.0.3"])
def test_unregister(cli_of: t.Callable[[str], Cli], two: Path, gitlab: GitLab, version: str) -> None:
    words = "Unregistering runner from GitLab" if version == "17.5.5" else "Unregistering runner manager from GitLab"
    run = cli_of(version)
    before = two.read_text()
    refused = run("unregister", "--name", "bad", "-c", two)
    assert refused.after == [
        f"ERROR: {words} forbidden  {BAD_S} {failed(gitlab.url, '403 Forbidden', 'DELETE', 'runners/managers')}",
        "FATAL: Failed to unregister runner bad",
    ]
    assert (refused.status, two.read_text()) == (1, before)
    result = run("unregister", "--name", "one", "-c", two)
    assert (result.after, result.status) == ([f"{words} succeeded  {S}", f"Updated {two}"], 0)
    assert TOKEN not in two.read_text()


def test_unregister_doubles(run_cli: Cli, config: Path, gitlab: GitLab) -> None:
    double = entry(gitlab.url) + entry(gitlab.url)
    config.write_text(double)
    run_cli("unregister", "--name", "one", "-c", config)
    assert config.read_text().count(TOKEN) == 1
    config.write_text(double)
    gitlab.calls.clear()
    run_cli("unregister", "--token", TOKEN, "-c", config)
    assert (config.read_text().count(TOKEN), len(gitlab.calls)) == (0, 1)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--name", "nope"], "could not find a runner with the name 'nope'"),
        (["--token", "glrt-nope00000000"], "could not find a runner with the token 'nope00000'"),
        ([], "at least one of --name or --token must be specified"),
    ],
    ids=["name", "token", "none"],
)
def test_unregister_nothing(run_cli: Cli, two: Path, words: list[str], line: str) -> None:
    result = run_cli("unregister", *words, "-c", two)
    assert (result.after, result.status) == ([f"FATAL: {line}"], 1)


def test_unregister_all(run_cli: Cli, two: Path) -> None:
    result = run_cli("unregister", "--all-runners", "-c", two)
    assert result.status == 0
    assert result.after[0] == "WARNING: Unregistering all runners"
    assert result.after[-2:] == ["ERROR: Failed to unregister runner bad", f"Updated {two}"]
    assert (BAD in two.read_text(), TOKEN in two.read_text()) == (True, False)


class TestResetToken:
    """`reset-token`."""

    def test_one(self, run_cli: Cli, two: Path) -> None:
        result = run_cli("reset-token", "--name", "one", "-c", two)
        assert (result.after, result.status) == (
            [f"Resetting runner authentication token... succeeded  {S}", "Updated  config-file=<nil>"],
            0,
        )
        assert 'token = "glrt-NEW0000000000000000"' in two.read_text()

    def test_refused(self, run_cli: Cli, two: Path, gitlab: GitLab) -> None:
        result = run_cli("reset-token", "--name", "bad", "-c", two)
        status = failed(gitlab.url, "403 Forbidden", path="runners/reset_authentication_token")
        assert result.after == [
            f"ERROR: Resetting runner authentication token... failed (check used token)  {BAD_S} {status}",
            "FATAL: Failed to reset runner authentication token  id=0 name=bad",
        ]
        assert result.status == 1

    def test_no_match(self, run_cli: Cli, two: Path) -> None:
        result = run_cli("reset-token", "--name", "zz", "-c", two)
        assert (result.after, result.status) == (
            ["FATAL: Couldn't get runner credentials  error=could not find a runner with the name 'zz'"],
            1,
        )

    def test_all(self, run_cli: Cli, two: Path) -> None:
        result = run_cli("reset-token", "--all-runners", "-c", two)
        assert result.status == 0
        assert result.after[0] == "WARNING: Resetting all runner authentication tokens"
        assert result.after[-2:] == ["ERROR: Failed to reset runner authentication token  name=bad", f"Updated {two}"]

    def test_newest_ends_in_gos_own_log(self, cli_of: t.Callable[[str], Cli], two: Path) -> None:
        assert re.fullmatch(
            r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d Updated",
            cli_of("19.4.0")("reset-token", "--name", "one", "-c", two).after[-1],
        )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nosuch"], "Command nosuch not found."),
        (["lint"], "Command lint not found."),
        (["list", "--nosuch"], "flag provided but not defined: -nosuch"),
        (["--nosuch"], "flag provided but not defined: -nosuch"),
    ],
)
def test_unknown(run_cli: Cli, words: list[str], line: str) -> None:
    result = run_cli(*words)
    assert (result.after, result.status) == ([f"FATAL: {line}"], 1)
    assert ("USAGE" in result.out) == (words[-1] == "--nosuch")


def test_help_and_version(run_cli: Cli) -> None:
    assert (run_cli().status, "COMMANDS" in run_cli().out, run_cli().err) == (0, True, "")
    assert (run_cli("--version").err, len(run_cli("--version").out.splitlines())) == ("", 6)


@pytest.mark.parametrize(
    ("text", "lines", "status"),
    [
        pytest.param(entry("u"), ["Configuration file is valid."], 0, id="valid"),
        pytest.param(
            entry("u") + "foo = 1\n[runners.docker]\nbar = 2\n",
            [
                "FATAL: 2 unknown key(s) found in {file}:",
                "  unknown key: runners.foo",
                "  unknown key: runners.docker.bar",
            ],
            1,
            id="unknown-keys",
        ),
        pytest.param(
            entry("u", ""),
            ["FATAL: config schema validation failed: '/runners/0/token' length must be >= 1, but got 0"],
            1,
            id="schema",
        ),
        pytest.param(None, ["FATAL: config file not found: {file}"], 1, id="missing"),
    ],
)
def test_lint(
    cli_of: t.Callable[[str], Cli], config: Path, text: t.Optional[str], lines: list[str], status: int
) -> None:
    (config.parent / ".runner_system_id").unlink()
    if text is not None:
        config.write_text(text)
    result = cli_of("19.3.0")("lint", "-c", config)
    assert [line.replace("  unknown", " unknown") for line in result.after] == [
        line.replace("{file}", str(config)).replace("  unknown", " unknown") for line in lines
    ]
    assert (result.status, (config.parent / ".runner_system_id").exists()) == (status, False)


def test_empty_token_schema_lines(run_cli: Cli, config: Path) -> None:
    config.write_text(entry("u", ""))
    lines = run_cli("list", "-c", config).lines
    assert lines[1:3] == [
        "There might be a problem with your config based on jsonschema annotations in common/config.go (experimental "
        "feature):",
        "jsonschema: '/runners/0/token' does not validate with https://gitlab.com/gitlab-org/gitlab-runner/common/"
        "config#/$ref/properties/runners/items/$ref/properties/token/minLength: length must be >= 1, but got 0",
    ]
