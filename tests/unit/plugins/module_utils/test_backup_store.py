# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which sets there are and which retention lets go; the lock; the result; what a request must not ask for."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_lock,
    _backup_result,
    _backup_set,
    _backup_space,
    _backup_store,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_lock import Busy
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import PARTS, Refused, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Archive, Kind, Manifest, Release
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_store import Condition, Kept

DAY = 86400
NOW = 1795504809


def lay(folder: pathlib.Path, days_ago: int) -> str:
    """A good set."""
    set_id = _backup_set.new_id(NOW - days_ago * DAY, "18.11.4")
    archives = (
        Archive(Kind.APPLICATION, f"{set_id}_gitlab_backup.tar", 3, "a" * 64, 1),
        Archive(Kind.CONFIGURATION, "config.tar", 3, "b" * 64, 1),
    )
    place = folder / set_id
    place.mkdir(parents=True)
    for archive in archives:
        (place / archive.file).write_text("abc")
    manifest = Manifest(set_id, Release("18.11.4"), archives, "host", "x", "y", "0")
    (place / "manifest.json").write_text(_backup_set.dump(manifest))
    return set_id


def kept(days_ago: int, condition: str = Condition.GOOD) -> Kept:
    return Kept(_backup_set.new_id(NOW - days_ago * DAY, "18.11.4"), condition, "")


def test_sets_and_their_conditions(tmp_path: pathlib.Path) -> None:
    ids = [lay(tmp_path, days) for days in (5, 4, 3, 2, 1)]
    (tmp_path / ids[0] / "config.tar").write_text("cut")
    (tmp_path / ids[1] / "config.tar").write_text("")
    (tmp_path / ids[2] / f"{ids[2]}_gitlab_backup.tar").unlink()
    (tmp_path / ids[3] / "manifest.json").write_text("{")
    (tmp_path / ids[4]).rename(tmp_path / f"{ids[4]}.part")
    (tmp_path / "lost+found").mkdir()
    (tmp_path / "notes").touch()
    found = _backup_store.sets(str(tmp_path))
    assert [(one.id, one.condition) for one in found] == [
        (ids[0], "good"),
        (ids[1], "damaged"),
        (ids[2], "damaged"),
        (ids[3], "damaged"),
        (ids[4], "unfinished"),
    ]
    problems = [one.problem for one in found]
    for words, problem in zip(("", "has 0 bytes, 3 were written", "No such file", "cut off"), problems):
        assert words in problem
    assert _backup_store.find(str(tmp_path), "latest").id == ids[0]
    with pytest.raises(_backup_set.SetError, match="There is no good set"):
        _backup_store.find(str(tmp_path), ids[1])


def test_no_sets_yet(tmp_path: pathlib.Path) -> None:
    assert _backup_store.sets(str(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("ages", "count", "days", "gone"),
    [
        pytest.param([3, 2, 1, 0], 2, 0, [3, 2], id="by-count"),
        pytest.param([9, 8, 1, 0], 0, 7, [9, 8], id="by-age"),
        pytest.param([9, 8, 1, 0], 3, 7, [9], id="both-must-agree"),
        pytest.param([9, 8, 1, 0], 1, 7, [9, 8], id="age-keeps-more"),
        pytest.param([9, 8], 0, 7, [9], id="the-newest-stays-however-old"),
        pytest.param([9], 1, 1, [], id="a-single-one"),
        pytest.param([9, 8], 0, 0, [], id="no-rule"),
        pytest.param([], 1, 1, [], id="none"),
        pytest.param([2, 1], 5, 0, [], id="fewer-than-the-count"),
    ],
)
def test_retention(ages: list[int], count: int, days: int, gone: list[int]) -> None:
    there = [kept(age) for age in ages]
    assert _backup_store.expired(there, NOW, count, days) == [kept(age) for age in gone]


@pytest.mark.parametrize("condition", [Condition.DAMAGED, Condition.FAILED, Condition.UNFINISHED])
def test_retention_neither_counts_nor_removes_what_is_not_good(condition: str) -> None:
    there = [kept(9, condition), kept(3), kept(2), kept(1, condition), kept(0, condition)]
    assert _backup_store.expired(there, NOW, 1, 0) == [kept(3)]
    assert _backup_store.expired([kept(3), kept(0, condition)], NOW, 1, 1) == []


SKIP: dict[str, t.Any] = {"skip": ["repositories"]}
SAFETY: dict[str, t.Any] = {"origin": "restore"}
SOME: dict[str, t.Any] = {"repositories_paths": ["a", "b"]}


@pytest.mark.parametrize(
    ("made", "gone"),
    [
        pytest.param([{}, SKIP, SKIP, SKIP], [1], id="partial-ones-push-out-their-like-alone"),
        pytest.param([SKIP, {}, {}], [0], id="whole-ones-push-out-partial-ones"),
        pytest.param([{}, SAFETY, SAFETY, SAFETY], [1], id="safety-sets"),
        pytest.param([SAFETY, {}, {}], [0], id="safety-sets-go-as-others-do"),
        pytest.param([{"skip": ["db"]}, SKIP, SKIP], [], id="other-parts"),
        pytest.param([{"skip": ["remote"]}, {}, {"skip": ["remote"]}], [0], id="remote-is-no-part"),
        pytest.param([{}, SOME, SOME], [], id="some-repositories"),
        pytest.param([{"repositories_paths": ["a"]}, SOME, SOME], [0], id="fewer-repositories"),
        pytest.param([{"skip_repositories_paths": ["a"]}, {}, {}], [0], id="all-but-some"),
        pytest.param([{}, {"skip_repositories_paths": ["a"]}, {"repositories_storages": ["x"]}], [], id="storages"),
        pytest.param([SKIP, {**SKIP, **SOME}, {**SKIP, **SOME}], [0], id="no-repositories-at-all"),
    ],
)
def test_a_set_is_pushed_out_by_those_that_stand_in_for_it(made: list[dict[str, t.Any]], gone: list[int]) -> None:
    there = [dataclasses.replace(kept(20 - day), options=options) for day, options in enumerate(made)]
    assert _backup_store.expired(there, NOW, 2, 0) == [there[day] for day in gone]


def test_a_removal_that_is_stopped_leaves_no_set(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_id = lay(tmp_path, 1)

    def fail(unused: t.Any) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", fail)
        with pytest.raises(OSError, match="Input"):
            _backup_store.remove(_backup_store.find(str(tmp_path), set_id))
    assert [one.condition for one in _backup_store.sets(str(tmp_path))] == ["unfinished"]


def test_copies_are_noted_by_url(tmp_path: pathlib.Path) -> None:
    lay(tmp_path, 1)
    folder = _backup_store.find(str(tmp_path), "latest").path
    _backup_store.note_copy(folder, "s3://a/", {"state": "unfinished"})
    _backup_store.note_copy(folder, "s3://b/", {"state": "complete"})
    _backup_store.note_copy(folder, "s3://a/", {"state": "complete"})
    assert _backup_store.find(str(tmp_path), "latest").copies == {
        "s3://a/": {"state": "complete"},
        "s3://b/": {"state": "complete"},
    }
    assert (pathlib.Path(folder) / "copies.json").stat().st_mode & 0o777 == 0o600


HOLDER = """
import sys, time
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_lock
with _backup_lock.hold(sys.argv[1], "a backup by the timer"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_backups_exclude_each_other_and_the_dead_hold_nothing(tmp_path: pathlib.Path) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        words = rf"a backup by the timer \(process {holder.pid}, since .* is at work"
        with pytest.raises(Busy, match=words), _backup_lock.hold(str(tmp_path), "mine", wait=0.3):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with _backup_lock.hold(str(tmp_path), "mine"):
            pass


def test_a_result_without_an_end_is_an_interruption(tmp_path: pathlib.Path) -> None:
    recorder = _backup_result.Recorder(str(tmp_path), "timer")
    recorder.begin()
    assert (_backup_result.read(str(tmp_path)) or {})["state"] == "running"
    known = json.loads((tmp_path / "last.json").read_text())
    (tmp_path / "last.json").write_text(json.dumps({**known, "pid_started": 1}))
    assert (_backup_result.read(str(tmp_path)) or {})["state"] == "interrupted"
    recorder.failed("why")
    assert (_backup_result.read(str(tmp_path)) or {})["error"] == "why"


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}"])
def test_a_result_that_can_not_be_read(tmp_path: pathlib.Path, text: t.Optional[str]) -> None:
    if text is not None:
        (tmp_path / "last.json").write_text(text)
    assert _backup_result.read(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"skip": ["tar"]}, "Without an archive", id="skip-tar"),
        pytest.param({"skip": ["artefacts"]}, "artefacts, which GitLab does not have", id="skip-misspelt"),
        pytest.param({"skip": ["db,uploads"]}, "db,uploads, which", id="skip-list-in-one"),
        pytest.param({"skip": list(PARTS)}, "nothing would be left", id="skip-everything"),
        pytest.param({"sets_path": "sets"}, "give an absolute path", id="relative"),
        pytest.param({"sets_path": "/sets"}, "below the first level", id="first-level"),
        pytest.param({"sets_path": "/var/opt/gitlab/backups"}, "prunes and unpacks there", id="sets-in-backup-path"),
        pytest.param({"sets_path": "/etc/gitlab/sets"}, "inside /etc/gitlab", id="sets-in-the-configuration"),
        pytest.param(
            {"sets_path": "/var/opt/gitlab/git-data/x/y"}, "inside /var/opt/gitlab/git-data", id="in-the-data"
        ),
        pytest.param({"keep_count": -1}, "keep_count is -1", id="count"),
        pytest.param({"keep_days": -7}, "keep_days is -7", id="days"),
        pytest.param({"max_concurrency": 0}, "max_concurrency is 0", id="concurrency"),
        pytest.param({"repositories_paths": ["a b"]}, "'a b'", id="space-in-a-path"),
        pytest.param({"compress_cmd": "zstd"}, "go together", id="compress-alone"),
        pytest.param({"incremental": True, "previous": "x_gitlab_backup.tar"}, "the id of a set", id="previous"),
        pytest.param({"colour": "blue"}, "does not know: colour", id="unknown"),
    ],
)
def test_a_request_is_refused(options: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        Request.from_json(options)
    assert words in str(refused.value)


def test_a_request_survives_json() -> None:
    request = Request(skip=("db",), bucket=_bucket(), piece_size=5)
    assert Request.from_json(json.loads(json.dumps(request.as_json()))) == request


def _bucket() -> t.Any:
    return Request.from_json({"bucket": {"bucket": "backups", "prefix": "/gitlab/"}}).bucket


def test_keys_of_a_bucket() -> None:
    assert _bucket().key("1", "manifest.json") == "gitlab/1/manifest.json"
    assert _bucket().url("1") == "s3://backups/gitlab/1"


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (10 << 30, "10.0 GiB"), (3 << 40, "3.0 TiB")]
)
def test_sizes_for_people(size: int, words: str) -> None:
    assert _backup_space.human(size) == words


def test_data_is_measured_until_time_is_up(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(7))
    (tmp_path / "link").symlink_to(tmp_path)
    assert _backup_space.measured(str(tmp_path), time.monotonic() + 60) == 7
    assert _backup_space.measured(str(tmp_path / "none"), time.monotonic() + 60) == 0
    assert _backup_space.measured(str(tmp_path), time.monotonic() - 1) is None
    request = Request(str(tmp_path), str(tmp_path / "sets"))
    assert _backup_space.estimate(request, [], str(tmp_path)).size == 0
    assert [need.bytes for need in _backup_space.needs(request, 10)] == [20]
    assert [need.bytes for need in _backup_space.needs(Request(str(tmp_path), "/proc/x", strategy="copy"), 10)] == [
        30,
        10,
    ]
