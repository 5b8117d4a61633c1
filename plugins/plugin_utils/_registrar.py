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
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import FIXED_FIELDS, Declared
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._intents import SUFFIX, Intent
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._known import Known
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration import Do, Seen, Step

NEVER = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)  # the runner's "does not expire" (runner facts 1.4)


@dataclasses.dataclass(frozen=True)
class Caller:
    """How GitLab is asked: in parallel, with or without an access token, as which machine.

    registration_token is a legacy one, with which new runners are registered.
    """

    gitlab: GitLab
    connections: int
    has_access: bool
    system_id: str | None
    job_timeout: float
    registration_token: str | None = dataclasses.field(default=None, repr=False)

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
    def unknown(self) -> bool:
        """Whether a create may have happened without an answer: only the next run can tell."""
        return self.step.do is Do.CREATE and self.error is not None and not 400 <= self.error.status < 500

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
    late = [name for name, found in seen.items() if caller.has_access and found.id and _unseen(found)]
    details = caller.gitlab.each(lambda name: caller.runners.get(seen[name].id), late, caller.connections)
    for name, found in zip(late, details):
        seen[name] = dataclasses.replace(seen[name], details=found, exists=found is not None)
    return seen


def _ask(caller: Caller, name: str, what: str, known: Known) -> Runner | None:
    if what == "details":
        return caller.runners.get(known.id)
    return caller.runners.verify(name, known.token, caller.system_id)


def _unseen(found: Seen) -> bool:
    """Whether the details are still missing, or are those of another runner than the token's."""
    return found.exists is None or (found.details or {}).get("id", found.id) != found.id


def _merged(seen: Seen, what: str, known: Known, answer: Runner | None) -> Seen:
    if what == "details":
        return dataclasses.replace(seen, id=known.id, details=answer, exists=answer is not None)
    runner_id = int((answer or {}).get("id") or 0) or seen.id  # what the token says is so, whatever stands on disk
    return dataclasses.replace(seen, id=runner_id, token_valid=answer is not None)


def strays(caller: Caller, intents: t.Sequence[Intent]) -> dict[str, tuple[int, ...]]:
    """The runners that open intents left in GitLab, by the intent's mark.

    Lists name no maintenance note, so those of the same description are looked at one by one. Raises GitLabError
    with the mark and what to do where the access token may not list.
    """
    found: dict[str, tuple[int, ...]] = {}
    for intent in intents:
        try:
            listed = caller.runners.listed(intent.list_path(), intent.name)
        except GitLabError as exc:
            raise _may_not_list(intent, exc) from exc
        ids = [int(runner["id"]) for runner in listed if runner.get("description") == intent.description]
        details = caller.gitlab.each(caller.runners.get, ids, caller.connections)
        marked = [one for one in details if one and intent.tag in (one.get("maintenance_note") or "")]
        found[intent.mark] = tuple(int(one["id"]) for one in marked)
    return found


def _may_not_list(intent: Intent, exc: GitLabError) -> GitLabError:
    return GitLabError(
        f"finish the registration of {intent.name!r}",
        exc.status,
        f"an earlier run was stopped while it created this runner, and looking for it failed ({exc.detail})",
        "No second one was created. Run this once with an access token that may list runners (scope read_api or api), "
        f"or look in GitLab for a never-contacted runner with {intent.tag} in its maintenance note, delete it if it is "
        f"there, and remove the file that ends in {SUFFIX} beside config.toml on the host.",
    )


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
    if caller.registration_token:
        return Outcome(step, caller.runners.register(step.runner.name, caller.registration_token, step.send))
    return Outcome(step, caller.runners.create(step.runner.name, step.send))


def _adopt(caller: Caller, step: Step) -> Outcome:
    """Take over a runner that an earlier run created: bring its fields in step, and get a token for it."""
    send = {name: value for name, value in step.send.items() if name not in FIXED_FIELDS}
    caller.runners.update(step.id, step.runner.name, send)
    return _reset(caller, step)


def _update(caller: Caller, step: Step) -> Outcome:
    caller.runners.update(step.id, step.runner.name, step.send)
    return Outcome(step)


def _reset(caller: Caller, step: Step) -> Outcome:
    if step.do is Do.RESET and step.send:
        caller.runners.update(step.id, step.runner.name, step.send)
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
    Do.ADOPT: _adopt,
    Do.UPDATE: _update,
    Do.RESET: _reset,
    Do.DELETE: _delete,
    Do.DELETE_MANAGER: _delete_manager,
    Do.FORGET: _forget,
}


def discard(caller: Caller, strays: t.Sequence[int]) -> None:
    """Delete runners that an earlier run created and that nobody needs: they never had a token that anyone knows."""
    for runner_id in strays:
        caller.runners.delete(runner_id, "left behind by an interrupted run")


def undo_creates(caller: Caller, outcomes: t.Sequence[Outcome]) -> list[int]:
    """Delete runners that were created but whose tokens could not be kept; returns the ids that stayed."""
    created = [outcome for outcome in outcomes if outcome.done in (Do.CREATE, Do.ADOPT) and outcome.answer]
    stayed = []
    for outcome in created:
        name, token = outcome.step.runner.name, (outcome.answer or {}).get("token", "")
        try:
            if caller.has_access:
                caller.runners.delete(outcome.runner_id, name)
            else:
                caller.runners.delete_by_token(name, token)
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
