# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a registration in GitLab: looks, then acts, with requests in parallel.

The decisions are _registration's; what this returns is enough to write config.toml, also when some steps failed.
"""

from __future__ import annotations

import dataclasses
import datetime
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_runners import Runner, Runners
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import Declared
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration import Do, Known, Seen, Step

NEVER = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)  # the runner's "does not expire" (runner facts 1.4)


@dataclasses.dataclass(frozen=True)
class Caller:
    """How GitLab is asked: in parallel, with or without an access token, as which machine."""

    gitlab: GitLab
    connections: int
    has_access: bool
    system_id: str | None
    job_timeout: float

    @property
    def runners(self) -> Runners:
        return Runners(self.gitlab)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a step: GitLab's answer to a create or reset, or the error."""

    step: Step
    answer: Runner | None = dataclasses.field(default=None, repr=False)
    error: GitLabError | None = None
    do: Do | None = None

    @property
    def done(self) -> Do:
        return self.do or self.step.do

    @property
    def runner_id(self) -> int:
        return int(self.answer["id"]) if self.answer else self.step.id


def look(caller: Caller, runners: t.Sequence[tuple[Declared, Known]], *, check_mode: bool) -> dict[str, Seen]:
    """Ask GitLab about every known runner: its details by id, its token's validity by the token.

    Both go out at once; only an entry without an id (written by hand) takes a second round.
    """
    asks = [(runner.name, "details", known) for runner, known in runners if caller.has_access and known.id]
    # Verifying makes GitLab store a manager, so check mode leaves out tokens that this host does not use yet.
    asks += [
        (runner.name, "token", known) for runner, known in runners if known.token and (known.on_disk or not check_mode)
    ]
    answers = caller.gitlab.each(lambda ask: _ask(caller, *ask), asks, caller.connections)
    seen: dict[str, Seen] = {runner.name: Seen() for runner, _known in runners}
    for (name, what, known), answer in zip(asks, answers):
        seen[name] = _merged(seen[name], what, known, answer)
    late = [name for name, found in seen.items() if caller.has_access and found.id and found.exists is None]
    details = caller.gitlab.each(lambda name: caller.runners.get(seen[name].id), late, caller.connections)
    for name, found in zip(late, details):
        seen[name] = dataclasses.replace(seen[name], details=found, exists=found is not None)
    return seen


def _ask(caller: Caller, name: str, what: str, known: Known) -> Runner | None:
    if what == "details":
        return caller.runners.get(known.id)
    return caller.runners.verify(name, known.token, caller.system_id)


def _merged(seen: Seen, what: str, known: Known, answer: Runner | None) -> Seen:
    if what == "details":
        return dataclasses.replace(seen, id=known.id, details=answer, exists=answer is not None)
    runner_id = seen.id or int((answer or {}).get("id") or 0)
    return dataclasses.replace(seen, id=runner_id, token_valid=answer is not None)


def act(caller: Caller, steps: t.Sequence[Step]) -> list[Outcome]:
    """Carry out the steps that change something; an error of one does not stop the others."""
    todo = [step for step in steps if step.changed]
    done = dict(zip(map(id, todo), caller.gitlab.each(lambda step: _tried(caller, step), todo, caller.connections)))
    return [done.get(id(step), Outcome(step)) for step in steps]


def _tried(caller: Caller, step: Step) -> Outcome:
    try:
        return _ACTS[step.do](caller, step)
    except GitLabError as exc:
        return Outcome(step, error=exc)


def _create(caller: Caller, step: Step) -> Outcome:
    return Outcome(step, caller.runners.create(step.runner.name, step.send))


def _update(caller: Caller, step: Step) -> Outcome:
    caller.runners.update(step.id, step.runner.name, step.send)
    return Outcome(step)


def _reset(caller: Caller, step: Step) -> Outcome:
    return Outcome(step, {**caller.runners.reset_token(step.id, step.runner.name), "id": step.id})


def _delete(caller: Caller, step: Step) -> Outcome:
    """Take no more jobs, let the running ones end, then go; a runner that other machines use stays."""
    name, runners = step.runner.name, caller.runners
    if runners.other_managers(step.id, caller.system_id):
        runners.delete_manager(name, step.token, caller.system_id)
        return Outcome(step, do=Do.DELETE_MANAGER)
    runners.update(step.id, name, {"paused": True})
    runners.wait_idle(step.id, name, caller.job_timeout)
    runners.delete(step.id, name)
    return Outcome(step)


def _delete_manager(caller: Caller, step: Step) -> Outcome:
    caller.runners.delete_manager(step.runner.name, step.token, caller.system_id)
    return Outcome(step)


def _forget(_caller: Caller, step: Step) -> Outcome:
    return Outcome(step)


_ACTS: dict[Do, t.Callable[[Caller, Step], Outcome]] = {
    Do.CREATE: _create,
    Do.UPDATE: _update,
    Do.RESET: _reset,
    Do.DELETE: _delete,
    Do.DELETE_MANAGER: _delete_manager,
    Do.FORGET: _forget,
}


def undo_creates(caller: Caller, outcomes: t.Sequence[Outcome]) -> list[int]:
    """Delete runners that were created but whose tokens could not be kept; returns the ids that stayed."""
    created = [outcome for outcome in outcomes if outcome.done is Do.CREATE and outcome.answer]
    stayed = []
    for outcome in created:
        try:
            caller.runners.delete(outcome.runner_id, outcome.step.runner.name)
        except GitLabError:
            stayed.append(outcome.runner_id)
    return stayed


def written(answer: Runner) -> dict[str, t.Any]:
    """What config.toml keeps of a create, reset or verify, as gitlab-runner itself would write it."""
    expires = answer.get("token_expires_at")
    return {
        "id": answer["id"],
        "token": answer["token"],
        "token_obtained_at": datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0),
        "token_expires_at": datetime.datetime.fromisoformat(expires.replace("Z", "+00:00")) if expires else NEVER,
    }
