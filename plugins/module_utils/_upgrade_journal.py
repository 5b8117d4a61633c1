# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of server upgrades: its lines, and what they add up to. Standard library of Python 3.9.

One JSON object a line, only ever appended, each on disk before what it announces begins. Line by line it says which
upgrade was opened with which plan, which step was about to begin and which one was done, what was made on the way that
must be removed again, and that the goal has turned. Nothing secret belongs into it.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_record import (
    BACK_STEPS,
    STEPS,
    Failure,
    Mark,
    Release,
    Return,
    Stop,
    Upgrade,
)

FORMAT = 1


class Kind:
    """What a line says. facts by kind:

    OPENED: id, origin (version, package, postgresql), stops, options. PLANNED: stops, in place of those not yet begun.
    ABOUT, DONE: the step's own; KEEP's DONE has set (its id), COPY's has url, POSTGRESQL's and PG_BEFORE's postgresql.
    FAILED: error. TURNED: target (a Return), reason, automatic. CLOSED: outcome.
    NOTED: made, removed (paths), aside (paths, kept), paused (ids of runners), unpaused (true).
    """

    OPENED = "opened"
    PLANNED = "planned"
    ABOUT = "about"
    DONE = "done"
    FAILED = "failed"
    NOTED = "noted"
    TURNED = "turned"
    CLOSED = "closed"


@dataclasses.dataclass(frozen=True)
class Line:
    """A line; n counts them from 1 over the whole file, so that a lost one is seen."""

    n: int
    at: str
    kind: str
    stop: int | None = None
    step: str | None = None
    facts: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    def dumped(self) -> bytes:
        plain = {name: value for name, value in vars(self).items() if value not in (None, {})}
        return json.dumps({"format": FORMAT, **plain}, sort_keys=True).encode() + b"\n"


def parse(content: bytes) -> list[Line]:
    """The whole lines of a journal; a last one without its end was never promised to be there, and is left out.

    Raises ValueError with the number of a line that can't be understood.
    """
    lines: list[Line] = []
    for number, text in enumerate(content[: content.rfind(b"\n") + 1].splitlines(), 1):
        try:
            data = json.loads(text)
            if data.pop("format") != FORMAT or data["n"] != number:
                raise ValueError("it has another format, or lines before it are missing")
            lines.append(Line(**data))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ValueError(f"line {number}: {exc}") from None
    return lines


def upgrades(lines: t.Iterable[Line]) -> tuple[Upgrade, ...]:
    """What the lines add up to, oldest upgrade first. Raises ValueError for lines that no program of ours wrote."""
    found: list[Upgrade] = []
    for line in lines:
        try:
            if line.kind == Kind.OPENED:
                found.append(_opened(line))
            else:
                found[-1] = _FOLDS[line.kind](found[-1], line)
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as exc:
            raise ValueError(f"line {line.n}: {type(exc).__name__} {exc}") from None
    return tuple(found)


def _opened(line: Line) -> Upgrade:
    facts = line.facts
    origin = Release(**facts["origin"])
    return Upgrade(facts["id"], line.at, origin, _stops(facts["stops"]), facts.get("options", {}))


def _stops(data: t.Iterable[t.Mapping[str, t.Any]]) -> tuple[Stop, ...]:
    return tuple(Stop(**one) for one in data)


def _planned(known: Upgrade, line: Line) -> Upgrade:
    begun = 1 + max((stop for stop, _step in known.marks), default=-1)
    return dataclasses.replace(known, stops=known.stops[:begun] + _stops(line.facts["stops"]), failure=None)


def _stepped(known: Upgrade, line: Line) -> Upgrade:
    step = t.cast(str, line.step)
    mark = Mark(line.kind == Kind.DONE, line.at, line.facts)
    if step in BACK_STEPS:
        return dataclasses.replace(known, back_marks={**known.back_marks, step: mark}, failure=None)
    if step not in STEPS or line.stop is None or line.stop not in range(len(known.stops)):
        raise ValueError(f"there is no step {step!r} of a stop {line.stop!r}")
    return dataclasses.replace(known, marks={**known.marks, (line.stop, step): mark}, failure=None)


def _failed(known: Upgrade, line: Line) -> Upgrade:
    failure = Failure(line.stop or 0, t.cast(str, line.step), line.facts["error"])
    return dataclasses.replace(known, failure=failure)


def _noted(known: Upgrade, line: Line) -> Upgrade:
    facts = line.facts
    removed = set(facts.get("removed", ()))
    made = [path for path in dict.fromkeys([*known.made, *facts.get("made", ())]) if path not in removed]
    paused = () if facts.get("unpaused") else dict.fromkeys([*known.paused, *facts.get("paused", ())])
    aside = dict.fromkeys([*known.aside, *facts.get("aside", ())])
    return dataclasses.replace(known, made=tuple(made), aside=tuple(aside), paused=tuple(paused))


def _turned(known: Upgrade, line: Line) -> Upgrade:
    facts = line.facts
    return dataclasses.replace(
        known,
        back=Return.from_json(facts["target"]),
        automatic=facts["automatic"],
        reason=facts["reason"],
        back_marks={},
        outcome=None,
        ended=None,
    )


def _closed(known: Upgrade, line: Line) -> Upgrade:
    return dataclasses.replace(known, outcome=line.facts["outcome"], ended=line.at, failure=None)


_FOLDS: dict[str, t.Callable[[Upgrade, Line], Upgrade]] = {
    Kind.PLANNED: _planned,
    Kind.ABOUT: _stepped,
    Kind.DONE: _stepped,
    Kind.FAILED: _failed,
    Kind.NOTED: _noted,
    Kind.TURNED: _turned,
    Kind.CLOSED: _closed,
}
