# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a template comes to before anything is made: parameters, conditions and functions, as far as they can be known.

What can't be known (attributes of resources, values of other stacks and of SSM) becomes Unknown, with the reason.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import typing as t

Json = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Unknown:
    """A value that is only known later. possible are the values that it can have, where they are few and known."""

    reason: str
    possible: tuple[t.Any, ...] = ()


class _NoValue:
    """AWS::NoValue: the property is not there."""


NO_VALUE = _NoValue()
VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
LITERAL = re.compile(r"\$\{!([^}]*)\}")


def is_known(value: t.Any) -> bool:
    """Whether nothing in it is Unknown."""
    if isinstance(value, dict):
        return all(is_known(one) for one in value.values())
    if isinstance(value, list):
        return all(is_known(one) for one in value)
    return not isinstance(value, Unknown)


class Evaluator:
    """Evaluates pieces of one template with one set of parameters and pseudo parameters (AWS::Region and so on)."""

    def __init__(self, template: Json, parameters: t.Mapping[str, t.Any], pseudo: t.Mapping[str, t.Any]) -> None:
        self._template = template
        self._names = {name: _declared(one, parameters.get(name)) for name, one in _section(template, "Parameters")}
        self._names.update({"AWS::NoValue": NO_VALUE, **pseudo})
        self._conditions: dict[str, t.Any] = {}
        self._functions: dict[str, t.Callable[[t.Any], t.Any]] = {
            "Ref": self._ref,
            "Condition": self._condition_named,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Equals": self._equals,
            "Fn::And": lambda given: self._all(given, all),
            "Fn::Or": lambda given: self._all(given, any),
            "Fn::Not": self._not,
            "Fn::Base64": lambda given: self._of(given, lambda text: base64.b64encode(str(text).encode()).decode()),
            "Fn::Length": lambda given: self._of(given, len),
            "Fn::ToJsonString": lambda given: self._of(given, json.dumps),
        }

    def resources(self) -> t.Iterator[tuple[str, str, Json, Unknown | None]]:
        """Name, type and evaluated properties of the resources; an Unknown where it is not known whether they come."""
        for name, resource in _section(self._template, "Resources"):
            if not isinstance(resource, dict) or "Type" not in resource:
                continue
            comes = self._condition_named(resource["Condition"]) if "Condition" in resource else True
            if comes is False:
                continue
            properties = self.value(resource.get("Properties") or {})
            yield name, resource["Type"], properties, comes if isinstance(comes, Unknown) else None

    def value(self, given: t.Any) -> t.Any:
        """A piece of the template, evaluated."""
        if isinstance(given, list):
            return [one for one in (self.value(inner) for inner in given) if one is not NO_VALUE]
        if isinstance(given, str) and "{{resolve:" in given:
            return Unknown("a dynamic reference is resolved when the stack is made")
        if not isinstance(given, dict):
            return given
        if len(given) == 1:
            name, argument = next(iter(given.items()))
            if name in self._functions:
                return self._functions[name](argument)
            if str(name).startswith("Fn::"):
                return Unknown(f"{name} is known only when the stack is made")
        found = {key: self.value(inner) for key, inner in given.items()}
        return {key: inner for key, inner in found.items() if inner is not NO_VALUE}

    def _of(self, given: t.Any, work: t.Callable[[t.Any], t.Any]) -> t.Any:
        value = self.value(given)
        return work(value) if is_known(value) else _first_unknown(value)

    def _ref(self, name: t.Any) -> t.Any:
        if name in self._names:
            return self._names[name]
        return Unknown(f"what {name} refers to is known only when it is made")

    def _sub(self, given: t.Any) -> t.Any:
        text, own = (given[0], given[1]) if isinstance(given, list) else (given, {})
        unknown: list[Unknown] = []

        def replaced(found: re.Match[str]) -> str:
            name = found[1].strip()
            value = self.value(own[name]) if name in own else self._ref(name)
            if isinstance(value, Unknown):
                unknown.append(value)
            return str(value)

        text = VARIABLE.sub(replaced, str(text))
        return unknown[0] if unknown else LITERAL.sub(r"${\1}", text)

    def _if(self, given: t.Any) -> t.Any:
        condition, yes, no = given
        holds = self._condition_named(condition)
        if isinstance(holds, Unknown):
            return Unknown(holds.reason, (self.value(yes), self.value(no)))
        return self.value(yes if holds else no)

    def _join(self, given: t.Any) -> t.Any:
        return self._of(given[1], lambda parts: str(given[0]).join(str(part) for part in parts))

    def _split(self, given: t.Any) -> t.Any:
        return self._of(given[1], lambda text: str(text).split(str(given[0])))

    def _select(self, given: t.Any) -> t.Any:
        index, among = self.value(given[0]), self.value(given[1])
        if isinstance(among, Unknown) or isinstance(index, Unknown):
            return _first_unknown([among, index])
        number = int(index)
        return among[number] if number < len(among) else Unknown(f"Fn::Select finds no item {number}")

    def _find_in_map(self, given: t.Any) -> t.Any:
        keys = [self.value(key) for key in given[:3]]
        if not is_known(keys):
            return _first_unknown(keys)
        found: t.Any = self._template.get("Mappings") or {}
        for key in keys:
            if not isinstance(found, dict) or str(key) not in {str(one) for one in found}:
                return Unknown(f"no entry {'.'.join(str(one) for one in keys)} in Mappings")
            found = next(value for one, value in found.items() if str(one) == str(key))
        return found

    def _equals(self, given: t.Any) -> t.Any:
        sides = [self.value(side) for side in given]
        return _as_text(sides[0]) == _as_text(sides[1]) if is_known(sides) else _first_unknown(sides)

    def _all(self, given: t.Any, together: t.Callable[[t.Iterable[bool]], bool]) -> t.Any:
        found = [self.value(one) for one in given]
        known = [one for one in found if not isinstance(one, Unknown)]
        decisive = together is any  # one true decides an Or, one false an And
        if any(one is decisive for one in known):
            return decisive
        return together(known) if len(known) == len(found) else _first_unknown(found)

    def _not(self, given: t.Any) -> t.Any:
        value = self.value(given[0])
        return value if isinstance(value, Unknown) else not value

    def _condition_named(self, name: t.Any) -> t.Any:
        if not isinstance(name, str):
            return self.value(name)
        if name not in self._conditions:
            self._conditions[name] = Unknown(f"condition {name} refers to itself")
            found = dict(_section(self._template, "Conditions"))
            value = self.value(found[name]) if name in found else Unknown(f"there is no condition {name}")
            self._conditions[name] = value
        return self._conditions[name]


def _section(template: Json, name: str) -> list[tuple[str, t.Any]]:
    return list((template.get(name) or {}).items())


def _as_text(value: t.Any) -> str:
    """As CloudFormation compares: true is "true", 1 is "1"."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _first_unknown(value: t.Any) -> Unknown:
    if isinstance(value, Unknown):
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((_first_unknown(one) for one in inner if not is_known(one)), Unknown("not known"))


def _declared(declaration: Json, given: t.Any) -> t.Any:
    """The value of a parameter: the given one, else its default; lists are lists, numbers are numbers."""
    kind = str(declaration.get("Type", "String"))
    value = declaration.get("Default") if given is None else given
    if value is None:
        return Unknown("the parameter keeps the value that the stack has, or has none")
    if kind.startswith("AWS::SSM::Parameter::"):
        return Unknown("the parameter's value is read from SSM when the stack is made")
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return value if isinstance(value, list) else [part.strip() for part in str(value).split(",")]
    if kind == "Number" and isinstance(value, str):
        return _number(value)
    return _as_text(value) if isinstance(value, bool) else value


def _number(text: str) -> t.Any:
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text
