# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a restore: what is about to happen, on disk before it happens. Standard library of Python 3.9.

Whatever ends a restore half way, the next run reads here how far it came, and people read where things stand.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import pathlib

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_store

NAME = "journal.json"
FORMAT = 1


class Step:
    """The steps of a restore, in their order; each can be done again."""

    STOP = "stop"  # nobody writes any more
    KEEP = "keep"  # a set of what is there now
    CONFIGURE = "configure"  # /etc/gitlab, and reconfigure where it changed
    LOAD = "load"  # gitlab:backup:restore: from here on the data is neither the old nor the set's
    RECONFIGURE = "reconfigure"
    PROVE = "prove"  # secrets, fingerprint, statistics
    START = "start"
    CHECK = "check"
    DONE = "done"


STEPS = (
    *(Step.STOP, Step.KEEP, Step.CONFIGURE, Step.LOAD, Step.RECONFIGURE, Step.PROVE, Step.START, Step.CHECK),
    Step.DONE,
)


@dataclasses.dataclass(frozen=True)
class Journal:
    """How far the restore of a set has come.

    step is the one that was begun last. running are the services that ran before it; kept is the id of the set of
    what was there; aside are paths of what was moved out of the way, and placed is the archive's name in backup_path.
    changed_configuration says whether /etc/gitlab became another. half says that an earlier restore, of another set,
    had begun to change things. mark_after is the mark of the data when it was done.
    """

    set: str
    pieces: tuple[str, ...]
    began: str
    step: str = Step.STOP
    running: tuple[str, ...] = ()
    kept: str | None = None
    aside: tuple[str, ...] = ()
    placed: str | None = None
    changed_configuration: bool = False
    half: bool = False
    ended: str | None = None
    mark_after: str | None = None

    @property
    def done(self) -> bool:
        return self.step == Step.DONE

    @property
    def touched(self) -> bool:
        """Whether something other than services may have changed."""
        return self.half or STEPS.index(self.step) >= STEPS.index(Step.CONFIGURE)

    @property
    def loaded(self) -> bool:
        """Whether GitLab said that its restore is done."""
        return STEPS.index(self.step) > STEPS.index(Step.LOAD)


def note(state_path: str, journal: Journal) -> Journal:
    """Have it on disk before this returns. Raises OSError."""
    folder = pathlib.Path(state_path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _backup_store.write_json(folder / NAME, {"format": FORMAT, **dataclasses.asdict(journal)})
    return journal


def forget(state_path: str) -> None:
    """Nothing of a restore is left to be told. Raises OSError."""
    place = pathlib.Path(state_path) / NAME
    place.unlink(missing_ok=True)
    if place.parent.is_dir():
        _backup_store.sync(place.parent)


def read(state_path: str) -> Journal | None:
    """The journal of the last restore, or None; raises ValueError where it can't be understood."""
    place = pathlib.Path(state_path) / NAME
    try:
        data = json.loads(place.read_text("utf-8"))
        if data.pop("format") != FORMAT or data["step"] not in STEPS:
            raise ValueError("it has another format")
        for name in ("pieces", "running", "aside"):
            data[name] = tuple(data[name])
        return Journal(**data)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ValueError(
            f"{place} can't be read ({exc}): it says how far an earlier restore came. Move it away only when you know "
            "that none is unfinished."
        ) from None


def unfinished(state_path: str) -> str | None:
    """Words about a restore that is not done, for those who would work on half restored data; None where none is."""
    with contextlib.suppress(ValueError):
        journal = read(state_path)
        if journal is None or journal.done:
            return None
        return stands(journal)
    return f"{pathlib.Path(state_path) / NAME} can't be read: an earlier restore may be unfinished."


def stands(journal: Journal) -> str:
    """Where things stand while a restore is unfinished, and how to go on; for people."""
    words = [f"The restore of {journal.set}, begun {journal.began}, was stopped at the step {journal.step!r}."]
    if not journal.touched:
        words.append("Nothing was changed but services: " + _down(journal))
    else:
        words.append(_down(journal))
        if journal.changed_configuration:
            words.append("/etc/gitlab is the set's.")
        if journal.step == Step.LOAD or (journal.half and not journal.loaded):
            words.append("The data is half restored.")
        elif journal.loaded and "application" in journal.pieces:
            words.append("The data is the set's.")
    if journal.kept:
        words.append(f"What was there before is the set {journal.kept}.")
    if journal.aside:
        words.append(f"Put aside: {', '.join(journal.aside)}.")
    words.append(f"To go on, run the restore of {journal.set} again.")
    if journal.kept and journal.touched:
        words.append(f"To go back, restore {journal.kept}.")
    return " ".join(words)


def _down(journal: Journal) -> str:
    if journal.step in (Step.START, Step.CHECK):
        return "The services were being started."
    return "puma and sidekiq are stopped."
