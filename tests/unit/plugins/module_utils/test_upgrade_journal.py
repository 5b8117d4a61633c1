# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of an upgrade, killed at every boundary and torn at every byte: what the next run reads and does."""

from __future__ import annotations

import dataclasses
import errno
import os
import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _upgrade_file,
    _upgrade_journal,
    _upgrade_next,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_file import Journal, JournalError
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_journal import Kind, Line
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_next import FINISH, Next, Refusal, Way
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import (
    BACK_STEPS,
    STEPS,
    Back,
    Outcome,
    Release,
    Step,
    Stop,
    Upgrade,
)

ORIGIN = Release("18.8.11", "18.8.11-ce.0.el9", 16)
STOPS = (Stop("18.11.11", "18.11.11-ce.0.el9", postgresql=17), Stop("19.2.4", "19.2.4-ce.0.el9"))
SETS = ("1795504809_2026_11_24_18.8.11", "1795508409_2026_11_24_18.11.11")


class Killed(BaseException):
    """The process is gone."""


@dataclasses.dataclass
class Host:
    """Drives a journal as the program does; it is killed before its line number `last`, and fails at one step."""

    folder: pathlib.Path
    last: int | None = None
    fails: tuple[int, str] | None = None
    did: list[tuple[int, str]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = Journal(str(self.folder), now=lambda: 1795504809.0)

    def append(self, *args: t.Any) -> Upgrade:
        if self.last is not None and len(lines(self.folder)) >= self.last:
            raise Killed
        return self.journal.append(*args)

    def open(self, stops: t.Sequence[Stop] = STOPS, **options: t.Any) -> None:
        plain = [dataclasses.asdict(one) for one in stops]
        facts = {"id": "u1", "origin": dataclasses.asdict(ORIGIN), "stops": plain, "options": options}
        self.append(Kind.OPENED, None, None, facts)

    def turn(self, version: str | None = None) -> None:
        target = _upgrade_next.wanted_return(self.journal.upgrades, version)
        self.append(Kind.TURNED, None, None, {"target": target.as_json(), "reason": "a test", "automatic": False})

    def go(self) -> None:
        """Do what comes next until nothing does."""
        while True:
            last = t.cast(Upgrade, self.journal.last)
            upcoming = _upgrade_next.next_step(last)
            if upcoming is None:
                return
            if upcoming.step == FINISH:
                self.append(
                    Kind.CLOSED, None, None, {"outcome": Outcome.ROLLED_BACK if last.back else Outcome.UPGRADED}
                )
                continue
            self.append(Kind.ABOUT, upcoming.stop, upcoming.step)
            self.did.append((upcoming.stop, upcoming.step))
            if self.fails == (upcoming.stop, upcoming.step):
                self.append(Kind.FAILED, upcoming.stop, upcoming.step, {"error": "a fault"})
                return
            facts = {"set": SETS[upcoming.stop]} if upcoming.step == Step.KEEP else {}
            self.append(Kind.DONE, upcoming.stop, upcoming.step, facts)


def lines(folder: pathlib.Path) -> list[Line]:
    place = folder / _upgrade_file.NAME
    return _upgrade_journal.parse(place.read_bytes()) if place.exists() else []


def last(folder: pathlib.Path) -> Upgrade:
    return _upgrade_file.read(str(folder))[-1]


@pytest.fixture(autouse=True)
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of what was to be on the disk, which these tests do not wait for."""
    found: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda handle: found.append(os.fstat(handle).st_size))
    return found


ALL = [(stop, step) for stop in range(len(STOPS)) for step in STEPS]
WHOLE = 1 + 2 * len(ALL) + 1


def test_a_whole_upgrade_says_every_step_before_and_after(tmp_path: pathlib.Path) -> None:
    host = Host(tmp_path)
    host.open()
    assert (tmp_path / _upgrade_file.OPEN).exists()
    host.go()
    assert host.did == ALL
    assert len(lines(tmp_path)) == WHOLE
    assert last(tmp_path).outcome == Outcome.UPGRADED
    assert _upgrade_next.next_step(last(tmp_path)) is None
    assert not (tmp_path / _upgrade_file.OPEN).exists()
    assert (tmp_path / _upgrade_file.NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", range(1, WHOLE))
def test_killed_at_each_boundary_the_next_run_goes_on(tmp_path: pathlib.Path, number: int) -> None:
    """Only the step that was begun is done again; nothing before it is, and nothing behind it is left out."""
    killed_at(tmp_path, number)
    known = last(tmp_path)
    upcoming = t.cast(Next, _upgrade_next.next_step(known))
    assert upcoming.again == (number % 2 == 0)
    second = Host(tmp_path)
    second.go()
    assert last(tmp_path).outcome == Outcome.UPGRADED
    begun = number // 2
    assert second.did == ALL[begun - 1 if upcoming.again else begun :]


def killed_at(folder: pathlib.Path, number: int) -> None:
    host = Host(folder, last=number)
    with pytest.raises(Killed):
        host.open()
        host.go()


@pytest.mark.parametrize("number", range(2, WHOLE))
def test_killed_at_each_boundary_it_can_be_rolled_back(tmp_path: pathlib.Path, number: int) -> None:
    killed_at(tmp_path, number)
    stop = _upgrade_next.at(last(tmp_path))
    touched = _upgrade_next.touched(last(tmp_path), stop)
    host = Host(tmp_path)
    host.turn()
    target = last(tmp_path).back
    assert target is not None
    assert target.release.version == (ORIGIN.version, STOPS[0].version)[stop]
    assert not touched or target.set == SETS[stop]
    host.go()
    assert last(tmp_path).outcome == Outcome.ROLLED_BACK
    assert [step for _stop, step in host.did] == (list(BACK_STEPS) if touched else [Back.OPEN])


@pytest.mark.parametrize(
    ("number", "expected"), [pytest.param(5, [Back.OPEN], id="untouched"), pytest.param(33, BACK_STEPS, id="touched")]
)
def test_a_rollback_killed_at_each_boundary_goes_on(
    tmp_path: pathlib.Path, number: int, expected: t.Sequence[str]
) -> None:
    killed_at(tmp_path, number)
    Host(tmp_path).turn()
    for again in range(number + 2, number + 2 + 2 * len(expected)):
        with pytest.raises(Killed):
            Host(tmp_path, last=again).go()
    Host(tmp_path).go()
    assert last(tmp_path).outcome == Outcome.ROLLED_BACK
    done = [line.step for line in lines(tmp_path) if line.kind == Kind.DONE and line.step in BACK_STEPS]
    assert done == list(expected)


def test_torn_at_every_byte_the_last_line_counts_or_not(tmp_path: pathlib.Path) -> None:
    killed_at(tmp_path, 4)
    place = tmp_path / _upgrade_file.NAME
    content = place.read_bytes()
    ends = [number for number, byte in enumerate(content, 1) if byte == 10]
    for size in range(ends[0], len(content) + 1):
        place.write_bytes(content[:size])
        whole = sum(end <= size for end in ends)
        assert len(lines(tmp_path)) == whole
        journal = Journal(str(tmp_path))
        journal.append(Kind.NOTED, None, None, {"paused": [7]})
        assert [line.n for line in lines(tmp_path)] == list(range(1, whole + 2))
        assert last(tmp_path).paused == (7,)


def test_torn_before_its_first_line_ended_nothing_was_opened(tmp_path: pathlib.Path) -> None:
    (tmp_path / _upgrade_file.NAME).write_bytes(b'{"format": 1, "kind": "ope')
    (tmp_path / _upgrade_file.OPEN).write_text("{}")
    assert _upgrade_file.read(str(tmp_path)) == ()
    assert Journal(str(tmp_path)).last is None
    assert not (tmp_path / _upgrade_file.OPEN).exists()


def test_open_json_is_repaired_after_a_kill_between_it_and_the_line(tmp_path: pathlib.Path) -> None:
    Host(tmp_path).open()
    (tmp_path / _upgrade_file.OPEN).unlink()
    Journal(str(tmp_path))
    assert (tmp_path / _upgrade_file.OPEN).exists()
    Host(tmp_path).go()
    (tmp_path / _upgrade_file.OPEN).write_text("{}")
    Journal(str(tmp_path))
    assert not (tmp_path / _upgrade_file.OPEN).exists()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(lambda rows: [*rows[:1], b"?\n", *rows[2:]], "line 2", id="no-json"),
        pytest.param(lambda rows: [rows[0], *rows[2:]], "line 2", id="a-lost-line"),
        pytest.param(lambda rows: [*rows, rows[-1]], "line 5", id="a-line-twice"),
        pytest.param(lambda rows: rows[1:], "line 1", id="the-first-is-lost"),
        pytest.param(
            lambda rows: [rows[0].replace(b'"format": 1', b'"format": 2')], "another format", id="later-format"
        ),
        pytest.param(lambda rows: [rows[0].replace(b"opened", b"closed")], "line 1", id="nothing-was-opened"),
        pytest.param(lambda rows: [rows[0], rows[1].replace(b"close", b"clean")], "no step 'clean'", id="unknown-step"),
        pytest.param(lambda rows: [rows[0], rows[1].replace(b'"stop": 0', b'"stop": 2')], "stop 2", id="unknown-stop"),
        pytest.param(lambda rows: [b"[]\n"], "line 1", id="a-list"),
    ],
)
def test_a_journal_that_cant_be_understood_is_refused_and_kept(
    tmp_path: pathlib.Path, damage: t.Callable[[list[bytes]], list[bytes]], words: str
) -> None:
    killed_at(tmp_path, 4)
    place = tmp_path / _upgrade_file.NAME
    content = b"".join(damage(place.read_bytes().splitlines(keepends=True)))
    place.write_bytes(content)
    with pytest.raises(JournalError, match=words):
        _upgrade_file.read(str(tmp_path))
    with pytest.raises(JournalError, match="can't be understood"):
        Journal(str(tmp_path))
    assert place.read_bytes() == content


def test_a_line_that_makes_no_sense_is_not_written(tmp_path: pathlib.Path) -> None:
    host = Host(tmp_path)
    host.open()
    with pytest.raises(ValueError, match="no step"):
        host.journal.append(Kind.ABOUT, 0, "clean")
    assert len(lines(tmp_path)) == 1


def test_a_line_is_on_disk_before_append_returns(tmp_path: pathlib.Path, synced: list[int]) -> None:
    host = Host(tmp_path)
    host.open()
    synced.clear()
    host.append(Kind.ABOUT, 0, Step.CLOSE)
    assert synced == [(tmp_path / _upgrade_file.NAME).stat().st_size]


def test_a_full_disk_leaves_no_half_line(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(tmp_path)
    host.open()
    before = (tmp_path / _upgrade_file.NAME).read_bytes()
    write = os.write

    def full(handle: int, data: bytes) -> int:
        if len(data) > 10:
            return write(handle, data[:-10])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            host.journal.append(Kind.ABOUT, 0, Step.CLOSE)
    assert (tmp_path / _upgrade_file.NAME).read_bytes() == before
    host.go()
    assert last(tmp_path).outcome == Outcome.UPGRADED


def test_what_is_noted_adds_up(tmp_path: pathlib.Path) -> None:
    host = Host(tmp_path)
    host.open()
    for facts in (
        {"paused": [3, 5]},
        {"made": ["/etc/gitlab/skip-auto-backup"]},
        {"made": ["/etc/gitlab/skip-auto-reconfigure"], "aside": ["/var/opt/gitlab/postgresql/data.17.aside"]},
        {"removed": ["/etc/gitlab/skip-auto-backup"], "paused": [5, 8]},
    ):
        host.append(Kind.NOTED, None, None, facts)
    known = last(tmp_path)
    assert known.made == ("/etc/gitlab/skip-auto-reconfigure",)
    assert known.aside == ("/var/opt/gitlab/postgresql/data.17.aside",)
    assert known.paused == (3, 5, 8)
    host.append(Kind.NOTED, None, None, {"unpaused": True})
    assert last(tmp_path).paused == ()


FAILURES = [
    # where it fails, whether the door stays open, where it goes back to by itself (None: somebody is asked)
    pytest.param((0, Step.KEEP), False, "18.8.11", id="no-set"),
    pytest.param((0, Step.PACKAGE), False, "18.8.11", id="package"),
    pytest.param((0, Step.CHECK), False, "18.8.11", id="check"),
    pytest.param((0, Step.OPEN), False, None, id="the-door-was-opening"),
    pytest.param((0, Step.MIGRATIONS), False, None, id="migrations"),
    pytest.param((1, Step.KEEP), False, "18.11.11", id="no-set-of-the-second"),
    pytest.param((1, Step.RECONFIGURE), False, "18.11.11", id="reconfigure-of-the-second"),
    pytest.param((0, Step.KEEP), True, "18.8.11", id="served-but-nothing-changed"),
    pytest.param((0, Step.RECONFIGURE), True, None, id="served"),
]


@pytest.mark.parametrize(("where", "served", "expected"), FAILURES)
def test_where_a_failure_goes_back_to_by_itself(
    tmp_path: pathlib.Path, where: tuple[int, str], served: bool, expected: str | None
) -> None:
    host = Host(tmp_path, fails=where)
    host.open(keep_serving=served)
    host.go()
    known = last(tmp_path)
    assert known.failure is not None
    assert (known.failure.stop, known.failure.step) == where
    if expected is None:
        with pytest.raises(Refusal, match="users could write since the backup set 1795"):
            _upgrade_next.automatic_return(known)
    else:
        assert _upgrade_next.automatic_return(known).release.version == expected
    host.fails = None
    host.go()
    assert last(tmp_path).outcome == Outcome.UPGRADED


def test_back_over_several_stops_and_further_back_later(tmp_path: pathlib.Path) -> None:
    host = Host(tmp_path)
    host.open()
    host.go()
    assert [one.release.version for one in _upgrade_next.points(host.journal.upgrades)] == ["18.11.11", "18.8.11"]
    host.turn()
    host.go()
    assert last(tmp_path).outcome == Outcome.ROLLED_BACK
    assert [one.release for one in _upgrade_next.points(host.journal.upgrades)] == [ORIGIN]
    host.turn()
    assert last(tmp_path).unfinished
    assert (tmp_path / _upgrade_file.OPEN).exists()
    host.go()
    assert _upgrade_next.points(host.journal.upgrades) == []
    with pytest.raises(Refusal, match="nothing to go back to"):
        host.turn()


def test_back_to_before_an_earlier_upgrade(tmp_path: pathlib.Path) -> None:
    host = Host(tmp_path)
    host.open(STOPS[:1])
    host.go()
    second = dataclasses.asdict(Release("18.11.11", "18.11.11-ce.0.el9", 17))
    host.append(Kind.OPENED, None, None, {"id": "u2", "origin": second, "stops": [dataclasses.asdict(STOPS[1])]})
    host.go()
    assert [one.release.version for one in _upgrade_next.points(host.journal.upgrades)] == ["18.11.11", "18.8.11"]
    host.turn("18.8.11")
    assert _upgrade_next.back_steps(last(tmp_path)) == BACK_STEPS
    assert _upgrade_next.loses(host.journal.upgrades, t.cast(t.Any, last(tmp_path).back))
    host.go()
    assert _upgrade_next.points(host.journal.upgrades) == []


def test_the_release_before_a_stop_knows_its_postgresql(tmp_path: pathlib.Path) -> None:
    host = Host(tmp_path)
    host.open((STOPS[0], STOPS[1], Stop("19.5.1", "19.5.1-ce.0.el9")))
    known = last(tmp_path)
    assert [known.before(stop).postgresql for stop in range(3)] == [16, 17, 17]


def test_going_on_another_plan_or_not_at_all(tmp_path: pathlib.Path) -> None:
    assert _upgrade_next.way(None, STOPS) == Way.BEGIN
    killed_at(tmp_path, 6)
    host = Host(tmp_path)
    other = Stop("19.3.2", "19.3.2-ce.0.el9")
    assert _upgrade_next.way(last(tmp_path), STOPS) == Way.RESUME
    assert _upgrade_next.way(last(tmp_path), STOPS[1:]) == Way.RESUME
    assert _upgrade_next.way(last(tmp_path), (*STOPS, other)) == Way.REPLAN
    host.append(Kind.PLANNED, None, None, {"stops": [dataclasses.asdict(one) for one in (STOPS[1], other)]})
    assert last(tmp_path).stops == (*STOPS, other)
    host.turn()
    with pytest.raises(Refusal, match=r"A rollback to 18\.8\.11 is unfinished"):
        _upgrade_next.way(last(tmp_path), STOPS)
    with pytest.raises(Refusal, match="Finish that one first"):
        host.turn("18.2.8")
    host.go()
    assert _upgrade_next.way(last(tmp_path), STOPS) == Way.BEGIN


@pytest.mark.parametrize("version", ["18.5.7", "18.8"])
def test_no_set_of_that_version(tmp_path: pathlib.Path, version: str) -> None:
    host = Host(tmp_path)
    host.open()
    host.go()
    with pytest.raises(Refusal, match=r"One can go back to 18\.11\.11, 18\.8\.11\."):
        host.turn(version)


def test_where_it_stands_in_words(tmp_path: pathlib.Path) -> None:
    host = Host(tmp_path, fails=(1, Step.PACKAGE))
    host.open()
    host.go()
    assert _upgrade_next.stands(last(tmp_path)) == (
        "An upgrade from 18.8.11 to 19.2.4, begun 2026-11-24T07:20:09Z, is unfinished: its step 'package' at 19.2.4 "
        "was begun. It failed: a fault"
    )
