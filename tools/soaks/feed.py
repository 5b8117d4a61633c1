# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A steady stream of jobs from the API twin, and what became of each: `python -m soaks.feed OUT [--seconds N]`.

Runs in the background of a scenario until OUT.stop is there, the twin is gone or its seconds are over.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import pathlib
import random
import signal
import subprocess
import sys
import time
import typing as t

from testbed.gitlab_api.client import TwinClient

from soaks import places

PAUSE = 0.7
JOB_SECONDS = (1.0, 2.0, 4.0)
ENDED = ("success", "failed", "canceled")
PATIENCE = 90.0


@dataclasses.dataclass
class Stream:
    """The jobs queued so far, and how many hosts had a paused runner at which moment."""

    client: TwinClient
    seed: int = 1
    ids: list[int] = dataclasses.field(default_factory=list)
    paused: list[tuple[float, int]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def tick(self) -> None:
        """Queue one job of a random length and look who is paused."""
        seconds = self._random.choice(JOB_SECONDS)
        self.ids += self.client.add_jobs(1, script=[f"sleep {seconds}", "echo finished on $(hostname)"])
        away = [one for one in self.client.runners() if one["paused"] and one["description"].endswith("-any")]
        self.paused.append((time.time(), len(away)))

    def dumped(self) -> str:
        return json.dumps({"ids": self.ids, "paused": self.paused})


@dataclasses.dataclass(frozen=True)
class Tally:
    """What became of the jobs; each list names jobs."""

    jobs: int
    failed: tuple[int, ...] = ()
    twice: tuple[int, ...] = ()
    unfinished: tuple[int, ...] = ()

    @property
    def lost(self) -> int:
        return len({*self.failed, *self.twice, *self.unfinished})


def tally(jobs: t.Iterable[t.Mapping[str, t.Any]], ids: t.Collection[int]) -> Tally:
    """Judge the jobs of the stream: each is to be taken once, and to succeed."""
    ours = [job for job in jobs if job["id"] in ids]
    return Tally(
        len(ours),
        failed=tuple(job["id"] for job in ours if job["status"] in ("failed", "canceled")),
        twice=tuple(job["id"] for job in ours if job["handed_out"] > 1),
        unfinished=tuple(job["id"] for job in ours if job["status"] not in ENDED),
    )


def settled(client: TwinClient, ids: t.Collection[int], patience: float = PATIENCE) -> Tally:
    """Wait until every job has ended, then judge."""
    until = time.monotonic() + patience
    while True:
        found = tally(client.jobs(), set(ids))
        if not found.unfinished or time.monotonic() > until:
            return found
        time.sleep(1)


def feed(stream: Stream, out: pathlib.Path, seconds: float) -> None:
    """Queue jobs until told to stop, keeping what is known in a file."""
    stop = out.with_name(f"{out.name}.stop")
    until = time.monotonic() + seconds
    while time.monotonic() < until and not stop.exists():
        try:
            stream.tick()
        except OSError:
            return  # the testbed is gone
        part = out.with_name(f"{out.name}.part")
        part.write_text(stream.dumped())
        part.rename(out)
        time.sleep(PAUSE)


@contextlib.contextmanager
def feeding(out: pathlib.Path, seed: int = 1) -> t.Iterator[None]:
    """A stream beside what is inside, in a session of its own: Ctrl-C is for whoever started it, not for the feeder."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(Stream(TwinClient("")).dumped())
    words = [sys.executable, "-m", "soaks.feed", str(out), "--seed", str(seed)]
    feeder = subprocess.Popen(words, start_new_session=True)
    try:
        yield
    finally:
        feeder.terminate()
        feeder.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="soaks.feed", description=__doc__)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.with_name(f"{args.out.name}.stop").unlink(missing_ok=True)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: args.out.with_name(f"{args.out.name}.stop").touch())
    feed(Stream(TwinClient(places.state()["api_url"]), args.seed), args.out, args.seconds)


if __name__ == "__main__":
    main()
