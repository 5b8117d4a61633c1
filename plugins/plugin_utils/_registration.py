# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what must be done in GitLab: pure functions from (declared, on disk, in GitLab) to steps."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _intents
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import FIXED_FIELDS, Declared
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._known import Known

Mapping = t.Mapping[str, t.Any]


class Refused(enum.Enum):
    """What to do when GitLab refuses the token on disk."""

    FAIL = "fail"
    RECREATE = "recreate"
    RESET = "reset"


class Do(enum.Enum):
    """What happens to a runner in GitLab."""

    NOTHING = "unchanged"
    CREATE = "created"
    ADOPT = "adopted"
    UPDATE = "updated"
    RESET = "reset"
    DELETE = "deleted"
    DELETE_MANAGER = "manager deleted"
    FORGET = "forgotten"


@dataclasses.dataclass(frozen=True)
class Seen:
    """What GitLab answered about a runner; None means that it was not asked.

    details is the runner as GET /runners/:id shows it; exists and token_valid are its and verify's verdicts; strays
    are runners that an earlier run created for this entry and could not keep.
    """

    id: int = 0
    details: Mapping | None = None
    exists: bool | None = None
    token_valid: bool | None = None
    strays: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True)
class Step:
    """One runner's step: the fields to send, and what was there before for those fields."""

    runner: Declared
    do: Do
    id: int = 0
    token: str = dataclasses.field(default="", repr=False)
    send: Mapping = dataclasses.field(default_factory=dict)
    before: Mapping = dataclasses.field(default_factory=dict)
    on_disk: bool = True

    @property
    def changed(self) -> bool:
        return self.do is not Do.NOTHING

    @property
    def hands_out(self) -> bool:
        """Whether a token comes of it that must be kept on the host."""
        return self.do in (Do.CREATE, Do.ADOPT, Do.RESET)


class RegistrationError(Exception):
    """A runner that can't be brought to its declaration; the text says what to do."""


def changes(details: Mapping, declared: Mapping) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """The fields to send and their values before; fields that are not declared are left alone."""
    send: dict[str, t.Any] = {}
    before: dict[str, t.Any] = {}
    for name, value in declared.items():
        if name in FIXED_FIELDS:
            continue
        current = details.get(name)
        if name == "tag_list":
            current, value = sorted(current or []), sorted(set(value))
        elif name == "maintenance_note":
            current = _intents.without_mark(current)
        if (current or None) != (value or None):  # null, "" and [] are one thing to GitLab (API facts 3.1)
            send[name], before[name] = value, current
    return send, before


@dataclasses.dataclass(frozen=True)
class Choice:
    """What the user decided: how a refused token is met, whether tokens are renewed, whether GitLab may be changed.

    legacy: new runners are registered by a registration token, which says itself whose they become.
    """

    on_refused: Refused = Refused.FAIL
    rotate: bool = False
    has_access: bool = True
    legacy: bool = False


def step(declared: Declared, known: Known, seen: Seen, choice: Choice) -> Step:
    """Decide one runner's step.

    Raises RegistrationError where a human must choose.
    """
    if declared.state == "absent":
        return _removal(declared, known, seen, has_access=choice.has_access)
    if not known.token:
        return _creation(declared, seen, choice)
    if seen.exists is False or seen.token_valid is False:
        return _refused(declared, known, seen, choice)
    runner_id = seen.id or known.id
    if seen.details is None:
        return Step(declared, Do.NOTHING, runner_id, known.token, on_disk=known.on_disk)
    _check_fixed(declared, seen.details)
    send, before = changes(seen.details, declared.api)
    do = Do.UPDATE if send else Do.NOTHING
    if choice.rotate and known.on_disk:
        do = Do.RESET
    return Step(declared, do, runner_id, known.token, send, before, on_disk=known.on_disk)


def turns(steps: t.Sequence[Step]) -> list[list[Step]]:
    """The steps in their order: a token that is handed out is kept before a removal waits for jobs."""
    late = [step for step in steps if step.do in (Do.DELETE, Do.DELETE_MANAGER, Do.FORGET)]
    if not late or not any(step.hands_out for step in steps):
        return [list(steps)]
    return [[step for step in steps if step not in late], late]


def marked(step: Step, intent: _intents.Intent | None) -> Step:
    """A create that carries its intent's mark; any other step as it is."""
    if intent is None:
        return step
    note = _intents.marked_note(step.runner.api.get("maintenance_note"), intent)
    return dataclasses.replace(step, send={**step.send, "maintenance_note": note})


def _creation(declared: Declared, seen: Seen, choice: Choice) -> Step:
    if choice.legacy:
        _check_legacy(declared)
    elif not choice.has_access:
        raise RegistrationError(
            f"{declared.name!r} is not registered on this host, and creating it needs an access token. "
            "Set api_token (scope create_runner), or give the runner's own token."
        )
    elif "runner_type" not in declared.api:
        raise RegistrationError(
            f"{declared.name!r} is to be created, but its runner_type is missing; "
            "use one of instance_type, group_type, project_type."
        )
    if seen.strays:
        return Step(declared, Do.ADOPT, seen.strays[0], send=creation_fields(declared))
    return Step(declared, Do.CREATE, send=creation_fields(declared))


def _check_legacy(declared: Declared) -> None:
    """A registration token says whose runner it becomes (API facts 3.4): another wish could not be kept."""
    given = [name for name in FIXED_FIELDS if name in declared.api]
    if given:
        raise RegistrationError(
            f"{declared.name!r} is to come by registration_token, which says itself whose runner it becomes: "
            f"leave out {', '.join(given)}, or leave out registration_token and set api_token (scope create_runner)."
        )


def creation_fields(declared: Declared) -> dict[str, t.Any]:
    fields = dict(declared.api)
    if "tag_list" in fields:
        fields["tag_list"] = sorted(set(fields["tag_list"]))
    return fields


def _is_it(declared: Declared, known: Known, seen: Seen) -> bool:
    """Whether the runner of that id in GitLab is the one on this host, where its token does not say so itself."""
    details = seen.details or {}
    return known.same_gitlab and details.get("description") == declared.api.get("description", declared.name)


def _refused(declared: Declared, known: Known, seen: Seen, choice: Choice) -> Step:
    gone = seen.exists is False or not known.same_gitlab
    if choice.on_refused is Refused.RECREATE and not declared.token and (gone or not known.id):
        return _creation(declared, seen, choice)
    # a rotation that was interrupted leaves a refused token: asked for again, it is finished
    reset = choice.on_refused is Refused.RESET or choice.rotate
    if reset and not gone and known.id and choice.has_access and _is_it(declared, known, seen):
        return Step(declared, Do.RESET, known.id, known.token)
    who = f"Runner {declared.name!r} (id {known.id or 'unknown'})"
    if not known.same_gitlab:
        raise RegistrationError(
            f"{who} was registered with {known.url}, and this GitLab refuses its token. Set on_refused_token to "
            "recreate to register a new one here in its place; the old one stays there."
        )
    if gone:
        raise RegistrationError(
            f"{who} no longer exists in GitLab. Set on_refused_token to recreate to register a new one in its place."
        )
    raise RegistrationError(
        f"{who}: its token on this host is refused, and GitLab has a runner of that id or may have one. Set "
        "on_refused_token to reset to give it a new token (its description there must be the declared one), or delete "
        "it in GitLab and set on_refused_token to recreate."
    )


def _removal(declared: Declared, known: Known, seen: Seen, *, has_access: bool) -> Step:
    if not known.on_disk:
        return Step(declared, Do.NOTHING)
    if not known.same_gitlab and not seen.token_valid:
        raise RegistrationError(
            f"{declared.name!r} on this host belongs to {known.url}, not to this GitLab. Run this with that one's "
            "api_url, or take only the entry away with gitlab_runner_config."
        )
    runner_id = seen.id or known.id
    shared = bool(declared.token) or not has_access or not (declared.named or _is_ours(seen))
    if seen.exists is False or not runner_id or (shared and seen.token_valid is False):
        return Step(declared, Do.FORGET, runner_id, known.token)
    if shared:
        # made elsewhere, or perhaps used by others: only this machine's manager goes (runner facts 4.3)
        return Step(declared, Do.DELETE_MANAGER, runner_id, known.token)
    if seen.token_valid is False and not _is_it(declared, known, seen):
        raise RegistrationError(
            f"{declared.name!r} is to be removed, but GitLab refuses its token, and runner {runner_id} there has "
            "another description, so it may be somebody else's. Delete the right one in GitLab, and take the entry "
            "away with gitlab_runner_config."
        )
    return Step(declared, Do.DELETE, runner_id, known.token, before=seen.details or {})


def _is_ours(seen: Seen) -> bool:
    """Whether this collection created the runner: then its maintenance note carries a mark."""
    note = (seen.details or {}).get("maintenance_note") or ""
    return bool(_intents.without_mark(note) != note)


def _check_fixed(declared: Declared, details: Mapping) -> None:
    """GitLab can't change whose runner it is (API facts 3.2)."""
    found = {
        "runner_type": details.get("runner_type"),
        "group_id": _ids(details, "groups"),
        "project_id": _ids(details, "projects"),
    }
    for name in FIXED_FIELDS:
        wanted, current = declared.api.get(name), found[name]
        if wanted is None or not current or wanted == current or (isinstance(current, list) and wanted in current):
            continue
        raise RegistrationError(
            f"Runner {declared.name!r} has {name} {current} in GitLab and is declared with {wanted}. GitLab can't "
            "change whose runner it is: declare it absent first, or give the new one another name."
        )


def _ids(details: Mapping, name: str) -> list[int]:
    return [int(one["id"]) for one in details.get(name) or []]
