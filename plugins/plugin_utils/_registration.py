# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides what must be done in GitLab: pure functions from (declared, on disk, in GitLab) to steps."""

from __future__ import annotations

import dataclasses
import enum
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_plan, _intents
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import FIXED_FIELDS, Declared

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
class Known:
    """What the host's config.toml knows of a runner."""

    id: int = 0
    token: str = dataclasses.field(default="", repr=False)
    on_disk: bool = False


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


class RegistrationError(Exception):
    """A runner that can't be brought to its declaration; the text says what to do."""


def known_from(
    disk: _config_plan.Disk, declared: Declared, doubled: _config_plan.Doubled = _config_plan.Doubled.FAIL
) -> Known:
    """Find a declared runner in the parsed config.toml; what is on disk wins over what is declared."""
    number = disk.find(declared.entry(), doubled)
    if number is None:
        return Known(token=declared.token or "")
    entry = disk.entries[number]
    token = _config_plan.value_of(entry, "token") or ""
    return Known(int(_config_plan.value_of(entry, "id") or 0), token, on_disk=True)


def undeclared(config: Mapping, declared: t.Sequence[Declared]) -> list[Declared]:
    """Entries on disk that nobody declares, as runners to be removed."""
    names = {runner.name for runner in declared}
    found = (_config_plan.value_of(entry, "name") for entry in _config_plan.entries_of(config))
    return [Declared(str(name), state="absent") for name in found if name not in names]


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
    """What the user decided: how a refused token is met, whether tokens are renewed, whether GitLab may be changed."""

    on_refused: Refused = Refused.FAIL
    rotate: bool = False
    has_access: bool = True


def step(declared: Declared, known: Known, seen: Seen, choice: Choice) -> Step:
    """Decide one runner's step.

    Raises RegistrationError where a human must choose.
    """
    if declared.state == "absent":
        return _removal(declared, known, seen, has_access=choice.has_access)
    if not known.token:
        return _creation(declared, seen, has_access=choice.has_access)
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


def marked(creation: Step, intent: _intents.Intent) -> Step:
    """A create that carries its intent's mark."""
    note = _intents.marked_note(creation.runner.api.get("maintenance_note"), intent)
    return dataclasses.replace(creation, send={**creation.send, "maintenance_note": note})


def _creation(declared: Declared, seen: Seen, *, has_access: bool) -> Step:
    if not has_access:
        raise RegistrationError(
            f"{declared.name!r} is not registered on this host, and creating it needs an access token. "
            "Set api_token (scope create_runner), or give the runner's own token."
        )
    if "runner_type" not in declared.api:
        raise RegistrationError(
            f"{declared.name!r} is to be created, but its runner_type is missing; "
            "use one of instance_type, group_type, project_type."
        )
    if seen.strays:
        return Step(declared, Do.ADOPT, seen.strays[0], send=creation_fields(declared))
    return Step(declared, Do.CREATE, send=creation_fields(declared))


def creation_fields(declared: Declared) -> dict[str, t.Any]:
    fields = dict(declared.api)
    if "tag_list" in fields:
        fields["tag_list"] = sorted(set(fields["tag_list"]))
    return fields


def _refused(declared: Declared, known: Known, seen: Seen, choice: Choice) -> Step:
    gone = seen.exists is False
    what = "no longer exists in GitLab" if gone else "exists in GitLab, but its token on this host is refused"
    if choice.on_refused is Refused.RECREATE and not declared.token:
        return _creation(declared, seen, has_access=choice.has_access)
    # a rotation that was interrupted leaves a refused token: asked for again, it is finished
    reset = choice.on_refused is Refused.RESET or choice.rotate
    if reset and not gone and known.id and choice.has_access:
        return Step(declared, Do.RESET, known.id, known.token)
    raise RegistrationError(
        f"Runner {declared.name!r} (id {known.id or 'unknown'}) {what}. Set on_refused_token to recreate to register "
        "a new one in its place, or to reset to give the existing one a new token."
    )


def _removal(declared: Declared, known: Known, seen: Seen, *, has_access: bool) -> Step:
    if not known.on_disk:
        return Step(declared, Do.NOTHING)
    if declared.token or not has_access:
        # a shared or foreign runner: only this machine's manager goes (runner facts 4.3)
        do = Do.FORGET if seen.token_valid is False else Do.DELETE_MANAGER
        return Step(declared, do, known.id, known.token)
    runner_id = seen.id or known.id
    if seen.exists is False or not runner_id:
        return Step(declared, Do.FORGET, runner_id, known.token)
    return Step(declared, Do.DELETE, runner_id, known.token, before=seen.details or {})


def _check_fixed(declared: Declared, details: Mapping) -> None:
    wanted = declared.api.get("runner_type")
    if wanted and details.get("runner_type") not in (None, wanted):
        raise RegistrationError(
            f"Runner {declared.name!r} is a {details['runner_type']} runner in GitLab and is declared as {wanted}. "
            "GitLab can't change a runner's type: declare it absent first, or give the new one another name."
        )
