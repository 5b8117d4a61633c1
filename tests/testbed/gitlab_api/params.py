# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parameter check that stands before every call, with its words (API facts 1.2)."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from .errors import bad_parameters

_BOOLEANS: dict[t.Any, bool] = {
    True: True,
    False: False,
    "true": True,
    "false": False,
    "1": True,
    "0": False,
    "t": True,
    "f": False,
    "on": True,
    "off": False,
    "yes": True,
    "no": False,
}
_LARGEST = 2**63 - 1  # the database's


@dataclass(frozen=True)
class Param:
    """A declared parameter; `only_for` = (other, value): required when the other one has that value."""

    name: str
    kind: t.Literal["string", "integer", "boolean", "list", "any"] = "string"
    required: bool = False
    values: tuple[str, ...] = ()
    pattern: str = ""
    only_for: tuple[str, str] | None = None


class _NotThatKind(Exception):
    pass


def _integer(value: t.Any) -> int | None:
    if value == "":
        return None
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+(\.0)?", str(value)):
        raise _NotThatKind
    number = int(str(value).partition(".")[0])
    if abs(number) > _LARGEST:
        raise _NotThatKind
    return number


def _boolean(value: t.Any) -> bool | None:
    if value == "":
        return None
    if isinstance(value, (bool, int, str)) and value in _BOOLEANS:
        return _BOOLEANS[value]
    raise _NotThatKind


def _list(value: t.Any) -> list[str]:
    """Return a list as it is and a comma string as its parts."""
    parts = value if isinstance(value, list) else str(value).split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def _string(value: t.Any) -> str:
    if isinstance(value, (dict, list)):
        raise _NotThatKind
    return str(value)


_COERCE: dict[str, t.Callable[[t.Any], t.Any]] = {
    "integer": _integer,
    "boolean": _boolean,
    "list": _list,
    "string": _string,
    "any": lambda value: value,
}


def _check_one(param: Param, given: t.Mapping[str, t.Any], found: dict[str, t.Any]) -> list[str]:
    name = param.name
    required = param.required or (param.only_for is not None and given.get(param.only_for[0]) == param.only_for[1])
    if name not in given:
        if not required:
            return []
        return [f"{name} is missing", *([f"{name} does not have a valid value"] if param.values else [])]
    value = given[name]
    if value is not None:
        try:
            value = _COERCE[param.kind](value)
        except _NotThatKind:
            return [f"{name} is invalid"]
    if param.values and (value not in param.values) and (value is not None or required):
        return [f"{name} does not have a valid value"]
    if param.pattern and value is not None and not re.fullmatch(param.pattern, value):
        return [f"{name} is invalid"]
    found[name] = value
    return []


def check(
    given: t.Mapping[str, t.Any],
    declared: t.Iterable[Param],
    *,
    one_of: tuple[str, ...] = (),
    exclusive: tuple[str, ...] = (),
) -> dict[str, t.Any]:
    """Return the declared parameters that were given, in their types; raise with everything that is wrong."""
    found: dict[str, t.Any] = {}
    faults = [fault for param in declared for fault in _check_one(param, given, found)]
    if one_of and not any(name in given for name in one_of):
        faults.append(f"{', '.join(one_of)} are missing, at least one parameter must be provided")
    if len([name for name in exclusive if name in given]) > 1:
        faults.append(f"{', '.join(exclusive)} are mutually exclusive")
    if faults:
        raise bad_parameters(*faults)
    return found
