# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user declares of a runner, split into what GitLab keeps and what config.toml keeps.

Both sides use the vendor's names and no name means two things, so one flat entry serves: API fields of
C(POST /user/runners) and keys of C([[runners]]). All faults are found before anything is read or sent.
"""

from __future__ import annotations

import dataclasses
import difflib
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _coerce
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_schema as schema
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_check import entry_problems
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_plan import Entry

Mapping = t.Mapping[str, t.Any]

# Fields of a runner in GitLab (API facts 3.1, 3.2) and the types they take.
API_FIELDS: dict[str, tuple[type, ...]] = {
    "runner_type": (str,),
    "group_id": (int,),
    "project_id": (int,),
    "description": (str,),
    "tag_list": (list,),
    "run_untagged": (bool,),
    "locked": (bool,),
    "access_level": (str,),
    "maximum_timeout": (int,),
    "maintenance_note": (str,),
    "paused": (bool,),
}
FIXED_FIELDS = ("runner_type", "group_id", "project_id")
CHOICES = {
    "runner_type": ("instance_type", "group_type", "project_type"),
    "access_level": ("not_protected", "ref_protected"),
    "state": ("present", "absent"),
}
_TURNED: dict[tuple[type, ...], t.Callable[[t.Any], t.Any]] = {(int,): _coerce.integer, (bool,): _coerce.boolean}
OWNER_FIELD = {"group_type": "group_id", "project_type": "project_id"}
TYPE_NAMES = {str: "a string", int: "an integer", bool: "true or false", list: "a list of strings"}
MAX_TEXT = 1024
MAX_TAGS = 50
MIN_TIMEOUT = 600
# gitlab-runner before 18.2 crashes when it logs a shorter one (runner facts 1.1).
MIN_TOKEN = 9
TOKEN_PREFIX = "glrt-"


class DeclarationError(Exception):
    """The declaration is wrong; the text lists every fault."""

    def __init__(self, faults: t.Sequence[str]) -> None:
        more = f" (and {len(faults) - 20} more)" if len(faults) > 20 else ""
        super().__init__("Nothing was changed: " + " ".join(faults[:20]) + more)


@dataclasses.dataclass(frozen=True)
class Declared:
    """One declared runner; token is a runner authentication token made elsewhere, if any.

    named is false for an entry on disk that nobody declares and that is to go.
    """

    name: str
    state: str = "present"
    token: str | None = dataclasses.field(default=None, repr=False)
    api: Mapping = dataclasses.field(default_factory=dict)
    config: Mapping = dataclasses.field(default_factory=dict)
    named: bool = True

    def entry(self, written: Mapping | None = None, *, rotate: bool = False) -> Entry:
        """The entry for config.toml; what GitLab answered (written) beats what was declared."""
        known = {"token": self.token} if self.token else {}
        return Entry(self.name, self.config, {**known, **(written or {})}, rotate)


def declarations(
    runners: t.Sequence[Mapping], *, defaults: Mapping, url: str | None, allow_unknown_keys: bool = False
) -> list[Declared]:
    """Read the list that a user wrote; defaults are merged into each entry, its own keys win.

    Raises DeclarationError with every fault of every entry.
    """
    faults: list[str] = []
    declared: list[Declared] = []
    for number, runner in enumerate(runners):
        merged = _typed({**defaults, **runner})
        where = f"runners[{merged.get('name') or number}]"
        found = list(_faults(merged, where, url, allow_unknown_keys))
        faults += found
        if not found:
            declared.append(_declared(merged, url))
    faults += _double_faults(declared)
    if url and "$" in url:
        faults.append("url holds a $: gitlab-runner 18.10 and newer expands it as a variable.")
    if faults:
        raise DeclarationError(faults)
    return declared


def check_registration_token(token: str | None) -> None:
    """Raise DeclarationError for a token that can't be a registration token, before it is sent anywhere."""
    if token and (token != token.strip() or token.startswith(("glpat-", TOKEN_PREFIX, "glrtr-"))):
        raise DeclarationError(
            [
                "registration_token must be a registration token without spaces around it; an access token goes into "
                "api_token, a runner authentication token (glrt-...) is the token of an entry."
            ]
        )


def _typed(merged: Mapping) -> dict[str, t.Any]:
    turned = _coerce.coerced(merged, schema.RUNNER)
    for name, types in API_FIELDS.items():
        if name in turned and types in _TURNED:
            turned[name] = _TURNED[types](turned[name])
    return turned


def _declared(merged: Mapping, url: str | None) -> Declared:
    api = {name: merged[name] for name in API_FIELDS if merged.get(name) is not None}
    api.setdefault("description", merged["name"])
    config = {name: value for name, value in merged.items() if name not in {*API_FIELDS, "state", "token", "name"}}
    if url is not None:
        config.setdefault("url", url)
    return Declared(merged["name"], merged.get("state") or "present", merged.get("token"), api, config)


def _faults(merged: Mapping, where: str, url: str | None, allow_unknown_keys: bool) -> t.Iterator[str]:
    if not isinstance(merged.get("name"), str) or not merged["name"].strip():
        yield f"{where}.name is missing: it is how the entry is found again."
    for name, choices in CHOICES.items():
        if merged.get(name) is not None and merged[name] not in choices:
            yield f"{where}.{name} is {merged[name]!r}; use one of {', '.join(choices)}."
    if merged.get("state") == "absent":
        return
    yield from _type_faults(merged, where)
    yield from _token_faults(merged, where)
    config = {name: value for name, value in merged.items() if name not in {*API_FIELDS, "state"}}
    known = {name: value for name, value in config.items() if allow_unknown_keys or name in schema.RUNNER}
    yield from (_unknown_fault(name, where) for name in config if name not in known)
    yield from entry_problems(known, where, allow_unknown=allow_unknown_keys)
    if not merged.get("executor"):
        yield f"{where}.executor is missing; use one of {', '.join(schema.EXECUTORS)}."
    if not url and not merged.get("url"):
        yield f"{where}.url is missing: GitLab's base URL."
    for name in ("id", "token_obtained_at", "token_expires_at"):
        if merged.get(name) is not None:
            yield f"{where}.{name} is written by gitlab-runner itself; leave it out."


def _type_faults(merged: Mapping, where: str) -> t.Iterator[str]:
    for name, types in API_FIELDS.items():
        value = merged.get(name)
        if value is not None and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
            yield f"{where}.{name} must be {TYPE_NAMES[types[0]]}, but it is {value!r}."
            return
    tags = merged.get("tag_list") or []
    if any(not isinstance(tag, str) for tag in tags):
        yield f"{where}.tag_list must be a list of strings; quote the numbers in it."
    if len(tags) > MAX_TAGS:
        yield f"{where}.tag_list has {len(tags)} tags; GitLab takes {MAX_TAGS}."
    if merged.get("run_untagged") is False and not tags:
        yield f"{where} has no tag_list and run_untagged is false: no job would ever fit. Give it tags, or set that."
    timeout = merged.get("maximum_timeout")
    if timeout is not None and timeout < MIN_TIMEOUT:
        yield f"{where}.maximum_timeout is {timeout} seconds; GitLab takes {MIN_TIMEOUT} or more."
    for name in ("description", "maintenance_note"):
        if len(merged.get(name) or "") > MAX_TEXT:
            yield f"{where}.{name} is longer than {MAX_TEXT} characters."
    yield from _owner_faults(merged, where)


def _owner_faults(merged: Mapping, where: str) -> t.Iterator[str]:
    runner_type = merged.get("runner_type")
    needed = OWNER_FIELD.get(str(runner_type))
    if needed and merged.get(needed) is None:
        yield f"{where}.{needed} is missing: runner_type {runner_type} needs it."
    for name in OWNER_FIELD.values():
        if merged.get(name) is not None and name != needed:
            yield f"{where}.{name} does not go with runner_type {runner_type}."


def _token_faults(merged: Mapping, where: str) -> t.Iterator[str]:
    token = merged.get("token")
    if token is None:
        return
    if not isinstance(token, str) or not token.strip() or token != token.strip():
        yield f"{where}.token must be a runner authentication token without spaces around it."
    elif token.startswith(TOKEN_PREFIX) and len(token) < len(TOKEN_PREFIX) + MIN_TOKEN:
        yield (
            f"{where}.token is cut off: gitlab-runner before 18.2 crashes on fewer than {MIN_TOKEN} characters after "
            "the prefix; give the whole token."
        )
    elif token.startswith(("glpat-", "GR1348941")):
        yield (
            f"{where}.token is an access or registration token; give a runner authentication token (glrt-...). A "
            "registration token, which is deprecated, goes into registration_token."
        )


def _unknown_fault(name: str, where: str) -> str:
    known = [*API_FIELDS, *schema.RUNNER, "state"]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{where}.{name} is neither a field of a GitLab runner nor a key of [[runners]]{hint}."


def _double_faults(declared: t.Sequence[Declared]) -> t.Iterator[str]:
    seen: dict[str, str] = {}
    for runner in declared:
        if runner.name in seen:
            yield f"runners: the name {runner.name!r} is declared twice. Give one of them another name."
        seen[runner.name] = runner.name
    tokens: dict[str, str] = {}
    for runner in declared:
        if runner.token and runner.token in tokens:
            yield (
                f"runners: {tokens[runner.token]!r} and {runner.name!r} have the same token; "
                "two entries with one token break the daemon's metrics. Declare it once."
            )
        if runner.token:
            tokens[runner.token] = runner.name
