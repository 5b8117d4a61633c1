# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of several controllers one works on a host's runners; a lock that a killed one left does not stay for ever."""

from __future__ import annotations

import os
import pathlib
import subprocess
import threading
import time

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _host_lock
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_lock import Lock, LockError, Owner

GONE_PID = 2**22 + 1  # above any pid that Linux gives out


def shell(text: str) -> tuple[int, str]:
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def config(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "etc" / "config.toml")


def lock(config: str) -> Lock:
    return Lock(config, shell, lambda _seconds: None)


def left(config: str, owner: Owner | str, age: int) -> pathlib.Path:
    """A lock that somebody took that many seconds ago."""
    path = pathlib.Path(lock(config).path)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{owner} {int(time.time()) - age}\n")
    return path


def test_taken_and_given_back(config: str) -> None:
    one = lock(config)
    one.take()
    path = pathlib.Path(one.path)
    assert (path.name, path.stat().st_mode & 0o777, one.taken) == (".config.toml.fleetwright-lock", 0o600, True)
    one.take()  # its own is no obstacle
    one.give()
    assert (path.exists(), one.taken) == (False, False)
    one.give()


def test_another_run_waits_and_says_for_whom(config: str) -> None:
    one, other = lock(config), lock(config)
    one.take()
    with pytest.raises(LockError, match=rf"process {os.getpid()} on .*, since \d+ seconds .*Nothing was changed"):
        other.take()
    other.give()
    assert pathlib.Path(one.path).exists(), "only its owner gives a lock back"
    one.give()
    other.take()


def test_of_many_at_once_one_gets_it(config: str) -> None:
    got, refused = [], []

    def attempt() -> None:
        try:
            one = lock(config)
            one.take()
            got.append(one)
        except LockError as exc:
            refused.append(str(exc))

    threads = [threading.Thread(target=attempt) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 5)


def test_a_killed_run_of_this_machine_is_followed_at_once(config: str) -> None:
    left(config, Owner("here", _host_lock._place(), GONE_PID, "ab"), age=5)
    lock(config).take()


@pytest.mark.parametrize(
    "owner",
    [
        pytest.param(Owner("there", "0123456789ab", GONE_PID, "ab"), id="of-another-machine"),
        pytest.param(Owner("here", _host_lock._place(), os.getpid(), "ab"), id="of-a-process-that-lives"),
        pytest.param("who/knows", id="of-a-stranger"),
    ],
)
def test_any_other_counts_for_its_time(config: str, owner: Owner | str) -> None:
    left(config, owner, age=_host_lock.LIMIT - 30)
    with pytest.raises(LockError, match="remove that file"):
        lock(config).take()
    left(config, owner, age=_host_lock.LIMIT + 1)
    lock(config).take()


def test_a_half_written_lock_holds_nobody_up(config: str) -> None:
    left(config, "", 0).write_text("")
    lock(config).take()


def test_a_long_run_makes_sure_that_it_still_has_it(config: str) -> None:
    one = lock(config)
    one.keep()  # nothing to keep
    one.take()
    path = pathlib.Path(one.path)
    path.unlink()
    one.keep()
    assert not path.exists(), "it was taken a moment ago"
    _long_ago(one)
    one.keep()
    assert path.exists(), "taken anew"
    _long_ago(one)
    left(config, Owner("there", "0123456789ab", 7, "ab"), age=0)
    with pytest.raises(LockError, match="process 7 on there"):
        one.keep()


def _long_ago(one: Lock) -> None:
    assert one._taken is not None
    one._taken -= _host_lock.LIMIT


def test_a_folder_that_can_not_be_written(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LockError, match=r"Could not write .*become: true"):
        lock(str(tmp_path / "file" / "config.toml")).take()


def test_a_full_disk_is_named_and_nothing_is_left(config: str) -> None:
    """A shell's own words for it are an I/O error, and its redirection leaves an empty file."""

    def full(text: str) -> tuple[int, str]:
        return shell(text.replace('cat > "$t"', "cat > /dev/full"))

    with pytest.raises(LockError, match="No space left on device"):
        Lock(config, full).take()
    assert list(pathlib.Path(config).parent.iterdir()) == []
