# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides how a runner service is emptied of jobs: pure functions from what was seen to the way, and the journal."""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain_read import Job, Look

Mapping = t.Mapping[str, t.Any]

STATE = "/var/lib/fleetwright"


class DrainError(Exception):
    """A drain that can't be done or was given up; the text says what to do."""


class Way(enum.Enum):
    """How a service comes to rest."""

    NOTHING = "nothing"  # no process, or no service at all
    PAUSED = "paused"  # GitLab gives it no jobs; when the last has ended it is stopped
    SERVICE = "service"  # the service itself takes no more jobs, ends those it has, and is gone
    WAIT = "wait"  # someone has told it to stop already
    DEAD = "dead"  # no process, but systemd is about to start one


@dataclasses.dataclass(frozen=True)
class Standing:
    """What GitLab says of one entry's runner.

    known is false where this GitLab refuses the entry's token: it belongs to another one, or to none.
    """

    name: str
    id: int = 0
    known: bool = False
    paused: bool = False
    shared_with: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Journal:
    """What a drain has to undo, kept on the host from before its first step until it is undone.

    paused are the runners that we paused; active says that the service ran before.
    """

    paused: tuple[int, ...] = ()
    active: bool = False

    def dumped(self) -> str:
        return json.dumps({"paused": list(self.paused), "active": self.active}) + "\n"


@dataclasses.dataclass(frozen=True)
class Plan:
    """One drain: the way, which runners are paused for it, and why they are not where they are not."""

    way: Way
    pause: tuple[int, ...] = ()
    watched: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()
    journal: Journal = dataclasses.field(default_factory=Journal)

    @property
    def changed(self) -> bool:
        return self.way is not Way.NOTHING


def folder(service: str) -> str:
    """Where this collection keeps what it knows of a service on its host."""
    return f"{STATE}/{service}"


def journal_path(service: str) -> str:
    return f"{folder(service)}/drain.json"


def loaded(text: str | None, path: str) -> Journal | None:
    """The journal of a drain that was not undone yet; raises DrainError for a file that this did not write."""
    if text is None:
        return None
    try:
        data = json.loads(text)
        return Journal(tuple(int(one) for one in data["paused"]), bool(data["active"]))
    except (ValueError, TypeError, KeyError) as exc:
        raise DrainError(
            f"{path} on the host can't be read as the journal of a drain ({exc}). Look in GitLab for paused runners of "
            "this host, unpause those that should work, remove the file, and run this again."
        ) from None


def plan(look: Look, standings: t.Sequence[Standing] | None, left: Journal | None) -> Plan:
    """How this service is drained; standings is None where GitLab is not asked, left is an earlier drain's journal."""
    journal = left or Journal()
    journal = dataclasses.replace(journal, active=journal.active or look.running or look.waits_for_restart)
    if look.waits_for_restart:
        return Plan(Way.DEAD, journal=journal)
    if look.draining:
        return Plan(Way.WAIT, journal=journal)
    if not look.running:
        return Plan(Way.NOTHING, journal=journal)
    reasons = tuple(_reasons(standings))
    if standings is None or reasons or not standings:
        return Plan(Way.SERVICE, reasons=reasons, journal=journal)
    todo = tuple(sorted({one.id for one in standings if not one.paused}))
    ours = tuple(sorted({*journal.paused, *todo}))
    watched = tuple(sorted({one.id for one in standings}))
    return Plan(Way.PAUSED, todo, watched, journal=dataclasses.replace(journal, paused=ours))


def _reasons(standings: t.Sequence[Standing] | None) -> t.Iterator[str]:
    """Why pausing would not empty this host, or would stop others."""
    for one in standings or ():
        if one.shared_with:
            yield f"runner {one.name!r} ({one.id}) serves other machines too ({', '.join(one.shared_with[:3])})"
        elif not one.known:
            yield f"this GitLab does not know the token of {one.name!r}"


def check_can_start(look: Look, service: str) -> None:
    """Refuse to take down what could not be started again; raises DrainError."""
    if look.running and look.load_state == "masked":
        raise DrainError(
            f"{service} runs, but is masked: once stopped it could not be started again. Nothing was changed. Run "
            f"`systemctl unmask {service}` on the host, or stop the service if it is not to run, then run this again."
        )


def too_short(look: Look, timeout: float) -> bool:
    """Whether systemd would kill the jobs before the time that we give them is over."""
    return look.stop_seconds is not None and look.stop_seconds < timeout


def progress(look: Look, waited: float, timeout: float) -> str:
    """One line for people: what is running and how long."""
    head = f"{round(waited)} of {round(timeout)} s"
    if look.jobs is None:
        words = f"{look.processes} processes of jobs" if look.processes else "jobs unknown (no listen_address)"
        return f"waiting for running jobs, {head}: {words}"
    if not look.jobs:
        return f"waiting, {head}: no job left"
    count = f"{len(look.jobs)} job" + ("s" if len(look.jobs) > 1 else "")
    return f"waiting for {count}, {head}: " + ", ".join(_words(job) for job in look.jobs[:5])


def _words(job: Job) -> str:
    return f"{job.url} ({job.stage or 'starting'}, {rounded(job.duration)})"


def rounded(duration: str) -> str:
    """Go's duration without fractions: 1m2.5s becomes 1m2s."""
    return re.sub(r"\.\d+(?=s)", "", duration) or "0s"


def reported(look: Look) -> list[dict[str, str]] | None:
    """The jobs as a task returns them."""
    if look.jobs is None:
        return None
    return [dataclasses.asdict(job) for job in look.jobs]
