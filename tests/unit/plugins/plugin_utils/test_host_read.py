# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one read of a host: the command itself is run here, by a shell, against real files."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _host_read as read


def run(path: pathlib.Path | str, **options: object) -> read.HostState:
    command = read.command(str(path), **options)  # type: ignore[arg-type]
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=20, check=True)
    return read.parse(done.stdout, str(path))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"concurrent = 1\n", id="text"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xef\xbb\xbfa = 1\r\n\x00\xff end\nsystem_id x\n", id="any-bytes"),
        pytest.param(b"x" * 300_000, id="long"),
    ],
)
def test_content_comes_as_it_is(tmp_path: pathlib.Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    path.chmod(0o640)
    config = run(path).config
    assert (config.content, config.path, config.mode) == (content, str(path), "0640")
    assert (config.owner, config.group) == (path.owner(), path.group())


@pytest.mark.parametrize("name", ["config.toml", "with space.toml", "quo'te.toml", "$(id).toml", "-n", "ü.toml"])
def test_paths(tmp_path: pathlib.Path, name: str) -> None:
    (tmp_path / name).write_text("a = 1\n")
    assert run(tmp_path / name).config == read.ConfigFile(
        str(tmp_path / name), b"a = 1\n", "0644", tmp_path.owner(), tmp_path.group()
    )


def test_missing(tmp_path: pathlib.Path) -> None:
    state = run(tmp_path / "none" / "config.toml")
    assert state.config == read.ConfigFile(str(tmp_path / "none" / "config.toml"))
    assert (state.config.sha256, state.system_id, state.service) == (None, None, read.Service())


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(tmp_path: pathlib.Path, there: bool) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "config.toml"
    if there:
        real.write_text("a = 1\n")
    link.symlink_to(real)
    config = run(link).config
    assert (config.path, config.content) == (str(real), b"a = 1\n" if there else None)


def test_system_id_stands_beside_the_file_without_a_newline(tmp_path: pathlib.Path) -> None:
    (tmp_path / ".runner_system_id").write_text("s_1746f8786189")
    assert run(tmp_path / "config.toml").system_id == "s_1746f8786189"


def test_further_files(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.conf").write_text("[Service]\nx=ü\n")
    (tmp_path / "empty.conf").write_text("")
    files = [str(tmp_path / name) for name in ("a.conf", "empty.conf", "none.conf")]
    assert run(tmp_path / "c", files=files).files == {files[0]: "[Service]\nx=ü\n", files[1]: ""}


def test_a_host_without_rpm_and_systemd_is_read_too(tmp_path: pathlib.Path) -> None:
    state = run(tmp_path / "c", service="no-such-service", packages=["gitlab-runner"])
    assert (state.packages, state.service.active_state) == ({}, "inactive")
    assert state.os_release["ID"]


FULL = """\
config.path /etc/gitlab-runner/config.toml\r
config.stat 15 2026-11-24 07:03:18.005202446 +0000 600 root root\r
config.content Y29uY3VycmVudCA9IDEK\r
system_id s_1746f8786189\r
service.LoadState loaded
service.ActiveState activating
service.SubState auto-restart
service.UnitFileState enabled
service.MainPID 0
service.NeedDaemonReload yes
service.ExecMainStartTimestamp Tue 2026-11-24 07:03:18 UTC
service.ExecStart { path=/usr/bin/gitlab-runner ; argv[]=/usr/bin/gitlab-runner run --config /etc/c.toml --user u ; }
service.
service.LoadState loaded
service.ActiveState active
service.UnitFileState disabled
docker.socket yes
package.gitlab-runner 18.0.3-1
installed.gitlab-runner 1764000000
package gitlab-runner-helper-images is not installed
key.6ba75a4e 5f0a2b1c
os.ID rocky
os.VERSION_ID 9.4
lock gitlab-runner-0:18.0.3-1.*
lock !other-0:1-1.*
end
"""


def test_everything_at_once() -> None:
    state = read.parse(FULL, "x")
    assert state.config.content == b"concurrent = 1\n"
    assert state.service == read.Service(
        "loaded", "activating", "auto-restart", "enabled", 0, True, 1795503798, "/etc/c.toml"
    )  # fmt: skip
    assert state.docker == read.Service("loaded", "active", "dead", "disabled")
    assert (state.docker_socket, state.installed) == (True, {"gitlab-runner": 1764000000})
    assert state.missing == {"gitlab-runner-helper-images"}
    assert (state.packages, state.keys) == ({"gitlab-runner": "18.0.3-1"}, frozenset({"6ba75a4e"}))
    assert state.os_release == {"ID": "rocky", "VERSION_ID": "9.4"}
    assert state.locks == ("gitlab-runner-0:18.0.3-1.*", "!other-0:1-1.*")


@pytest.mark.parametrize("output", [FULL[:-4], FULL[: len(FULL) // 2], "", "Sorry, try again.\n"])
def test_a_cut_off_answer_is_no_answer(output: str) -> None:
    with pytest.raises(read.HostReadError, match=r"its answer ends early .*Check that the login shell"):
        read.parse(output, "x")


def test_unreadable() -> None:
    text = "config.path /c\nconfig.stat \nconfig.content \nconfig.unreadable yes\nend\n"
    with pytest.raises(read.HostReadError, match=r"Could not read /c: permission denied\..*become: true"):
        read.parse(text, "/c")


def test_the_words_of_the_login_shell_do_no_harm() -> None:
    assert read.parse("Welcome to runner1\n" + FULL, "x").system_id == "s_1746f8786189"


def test_a_directory_in_its_place_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(read.HostReadError, match=r"config\.toml is no file .* Nothing was changed"):
        run(tmp_path / "config.toml")


def test_a_file_that_goes_while_it_is_read_is_absent() -> None:
    output = "config.path /etc/c.toml\nconfig.stat \nconfig.content \nend\n"
    assert read.parse(output, "/etc/c.toml").config == read.ConfigFile("/etc/c.toml")


def test_times_of_files_come_with_what_an_installation_reads(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "with space.conf"
    path.write_text("x")
    os.utime(path, (5, 1795503798))
    assert run(tmp_path / "c", service="none", files=[str(path), "/no/such"]).written == {str(path): 1795503798}
