# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config.toml: what is read, what is refused, what is saved byte for byte (observed facts 3, runner facts 1)."""

from __future__ import annotations

import stat
import typing as t
from pathlib import Path

import pytest
from testbed.gitlab_runner import config as configs
from testbed.gitlab_runner.keys import CONFIG
from testbed.gitlab_runner.tomlread import DecodeError, Reader
from testbed.gitlab_runner.traits import Traits
from unit.saved_config import C

HEAD = (
    'concurrent = 1\ncheck_interval = 0\nconnection_max_age = "15m0s"\nshutdown_timeout = 0\n\n[session_server]\n'
    "  session_timeout = 1800\n"
)
BARE = (
    '[[runners]]\n  name = "x"\n  url = "u"\n  id = 0\n  token = "t"\n  token_obtained_at = '
    '0001-01-01T00:00:00Z\n  token_expires_at = 0001-01-01T00:00:00Z\n  executor = "shell"\n'
)
GIVEN = '[[runners]]\nexecutor="shell"\nname="x"\nurl="u"\ntoken="t"\n'
CASE_C_IN = """\
# a comment
check_interval = 1
concurrent = 9
nonsense = true
[[runners]]
  executor = "shell"
  token_expires_at = 2026-11-24T07:09:38.004Z
  token_obtained_at = 2026-11-24T07:09:18.005202446Z
  token = "glrt-expNEW1795504158"
  id = 42
  name = "exp"
  url = "http://127.0.0.1:8370"
[[runners]]
  environment = ['A=$HOME']
  token = "$TOK"
  url = "$BASEURL"
  executor = "shell"
  name = "$WHO ${WHO}"
  [runners.extra]
    x = 1
"""


def again(file: Path, text: str | bytes, version: str = "18.0.3") -> str:
    """Load and save a text; return what is in the file then."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    traits = Traits(version)
    configs.save(configs.load(file, traits), traits)
    return file.read_text()


def test_case_c_hand_written(config: Path) -> None:
    assert again(config, CASE_C_IN) == C


def test_saving_twice_changes_nothing(config: Path) -> None:
    first = again(config, CASE_C_IN)
    assert again(config, first) == first


@pytest.mark.parametrize(
    ("given", "saved"),
    [
        pytest.param('unhealthy_interval = "90s"', '  unhealthy_interval = "1m30s"\n', id="duration"),
        pytest.param("unhealthy_interval = 30", '  unhealthy_interval = "30ns"\n', id="bare-duration"),
        pytest.param("limit = 0\noutput_limit = 5", "  output_limit = 5\n", id="zero-goes"),
        pytest.param(
            "clean_git_config = false\ndebug_trace_disabled = false", "  clean_git_config = false\n", id="pointer-stays"
        ),
        pytest.param('LIMIT = 2\nTLS-CA-FILE = "x"', '  limit = 2\n  tls-ca-file = "x"\n', id="any-case"),
        pytest.param('builds_dir = "a\\nb\\"\\\\\\u0001é"', '  builds_dir = "a\\nb\\"\\\\\\u0001é"\n', id="escapes"),
    ],
)
def test_entry_key(config: Path, given: str, saved: str) -> None:
    text = again(config, GIVEN + given + "\n")
    for line in saved.splitlines(keepends=True):
        assert line in text
    assert len(text) == len(HEAD) + 1 + len(BARE) + len(saved)


@pytest.mark.parametrize(
    ("given", "saved"),
    [
        pytest.param(
            "[runners.docker]\npull_policy = 'always'\nimage='a'\nservices_limit=0\n[[runners.docker.services]]\n"
            "name='s'\n[runners.docker.sysctls]\nb='2'\na='1'",
            """\
  [runners.docker]
    tls_verify = false
    image = "a"
    privileged = false
    disable_entrypoint_overwrite = false
    oom_kill_disable = false
    disable_cache = false
    pull_policy = ["always"]
    shm_size = 0
    network_mtu = 0
    services_limit = 0
    [runners.docker.sysctls]
      a = "1"
      b = "2"

    [[runners.docker.services]]
      name = "s"
""",
            id="docker",
        ),
        pytest.param(
            "[runners.autoscaler]\nplugin='aws'\nmax_instances=3\n[runners.autoscaler.plugin_config]\nname='g'\n"
            "b=1\n[runners.autoscaler.connector_config]\nusername='u'\n[[runners.autoscaler.policy]]\n"
            "idle_count=2\nperiods=['* * * * *']\nidle_time='20m'",
            """\
  [runners.autoscaler]
    capacity_per_instance = 0
    max_use_count = 0
    max_instances = 3
    plugin = "aws"
    update_interval = "0s"
    update_interval_when_expecting = "0s"
    [runners.autoscaler.plugin_config]
      b = 1
      name = "g"
    [runners.autoscaler.connector_config]
      protocol_port = 0
      username = "u"
      keepalive = "0s"
      timeout = "0s"

    [[runners.autoscaler.policy]]
      periods = ["* * * * *"]
      idle_count = 2
      idle_time = "20m0s"
      scale_factor = 0.0
      scale_factor_limit = 0
""",
            id="autoscaler",
        ),
        pytest.param(
            "[runners.custom]\nrun_exec='/r'\nrun_args=['a']\n[runners.feature_flags]\nFF_B=true\nFF_A=false",
            "  [runners.feature_flags]\n    FF_A = false\n    FF_B = true\n  [runners.custom]\n"
            '    run_exec = "/r"\n    run_args = ["a"]\n',
            id="custom-and-flags",
        ),
    ],
)
def test_tables(config: Path, given: str, saved: str) -> None:
    assert again(config, GIVEN + given + "\n") == HEAD + "\n" + BARE + saved


@pytest.mark.parametrize(
    ("version", "present", "absent"),
    [
        (
            "17.5.5",
            ('password = ""', 'key_path = ""', "use_static_credentials = false"),
            ("protocol_port", "clean_git"),
        ),
        ("18.0.3", ("protocol_port = 0", "clean_git_config = true"), ("password", "key_path")),
        ("19.4.0", ("AssumeRoleMaxConcurrency = 0",), ("password",)),
    ],
)
def test_versions(config: Path, version: str, present: tuple[str, ...], absent: tuple[str, ...]) -> None:
    text = again(
        config,
        GIVEN + "clean_git_config = true\n[runners.autoscaler.connector_config]\nusername='u'\n[runners.cache.s3]\n",
        version,
    )
    assert [part for part in present if part not in text] == []
    assert [part for part in absent if part in text] == []


def test_bom_and_crlf_are_taken(config: Path) -> None:
    assert again(config, b"\xef\xbb\xbf" + GIVEN.replace("\n", "\r\n").encode()) == HEAD + "\n" + BARE


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        pytest.param(
            b'concurrent = "3"\n',
            'line 1 (last key "concurrent"): incompatible types: TOML value has type '
            "string; destination has type integer",
            id="type",
        ),
        pytest.param(
            b"concurrent = 1\nconcurrent = 2\n",
            "line 2 (last key \"concurrent\"): Key 'concurrent' has already been defined.",
            id="duplicate",
        ),
        pytest.param(
            b'concurrent = 1\n[[runners]]\nname = "caf\xe9"\n',
            'line 3 (last key "runners.name"): invalid UTF-8 byte: 0xe9',
            id="latin-1",
        ),
        pytest.param(
            b'[[runners]]\nname="x"\n[[runners]\n',
            "line 3 (last key \"runners\"): expected end of table array name delimiter ']', but got '\\n' instead",
            id="table-array",
        ),
        pytest.param(
            b"check_interval = 1.5\n",
            'line 1 (last key "check_interval"): incompatible types: TOML value has '
            "type float; destination has type integer",
            id="float",
        ),
        pytest.param(
            b"[[RUNNERS]]\n[runners.docker]\n",
            'line 2 (last key "runners"): incompatible types: TOML value has '
            "type map[string]any; destination has type slice",
            id="case-of-tables",
        ),
    ],
)
def test_errors(raw: bytes, error: str) -> None:
    with pytest.raises(DecodeError) as caught:
        Reader(raw, Traits("18.0.3")).read(CONFIG)
    assert str(caught.value) == f"toml: {error}"


@pytest.mark.parametrize(
    "raw",
    [
        b"concurrent = 1\rcheck_interval = 2\r",
        "concurrent = 1\n".encode("utf-16"),
        b'unhealthy_interval = 1.5\n[[runners]]\nunhealthy_interval = "x"\n',
    ],
    ids=["cr-only", "utf-16", "bad-duration"],
)
def test_refused(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        Reader(raw, Traits("18.0.3")).read(CONFIG)


def test_save_keeps_inode_mode_and_link(config: Path) -> None:
    config.write_text(GIVEN)
    config.chmod(0o640)
    link = config.with_name("link.toml")
    link.symlink_to(config)
    before = config.stat()
    traits = Traits("18.0.3")
    configs.save(configs.load(link, traits), traits)
    assert link.is_symlink()
    assert (config.stat().st_ino, stat.S_IMODE(config.stat().st_mode)) == (before.st_ino, 0o640)


def test_new_file_and_directory_are_private(tmp_path: Path) -> None:
    file = tmp_path / "a/b/config.toml"
    configs.save(configs.empty(file), Traits("18.0.3"))
    assert len(file.read_bytes()) == 98
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(("version", "url"), [("18.0.3", "$BASEURL/x"), ("18.10.0", "http://a/x")])
def test_variables(config: Path, monkeypatch: pytest.MonkeyPatch, version: str, url: str) -> None:
    monkeypatch.setenv("BASEURL", "http://a")
    config.write_text(GIVEN.replace('"u"', '"$BASEURL/x"'))
    assert configs.load(config, Traits(version)).runners[0]["url"] == url


@pytest.mark.parametrize("before", [None, "garbage", "s_1746f8786189\x00"], ids=["missing", "garbage", "binary"])
def test_system_id_is_made(config: Path, run_cli: t.Callable[..., t.Any], before: t.Optional[str]) -> None:
    file = config.parent / ".runner_system_id"
    file.unlink()
    if before is not None:
        file.write_text(before)
    result = run_cli("list", "-c", config)
    made = file.read_text()
    assert configs.SYSTEM_ID.fullmatch(made)
    assert file.stat().st_size == 14
    assert f"Created missing unique system ID  system_id={made}" in result.lines
    assert stat.S_IMODE(file.stat().st_mode) & 0o600 == 0o600


def test_system_id_stays(config: Path, run_cli: t.Callable[..., t.Any]) -> None:
    result = run_cli("list", "-c", config)
    assert (config.parent / ".runner_system_id").read_text() == "s_1746f8786189"
    assert "Created missing" not in result.err
