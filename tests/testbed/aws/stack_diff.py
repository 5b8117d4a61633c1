# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an update would change, from what the resources are now and what they would be: conditions, parameters and all.

moto compares the text of the resources and never says that one is replaced. The provider's schemas say which properties
can't be changed in place (createOnlyProperties).
"""

from __future__ import annotations

import copy
import dataclasses
import typing as t

from moto.cloudformation.models import Stack
from moto.cloudformation.parsing import ResourceMap, clean_json

from testbed.aws import resources

Json = dict[str, t.Any]


@dataclasses.dataclass(frozen=True)
class Change:
    """One resource that would change; properties maps a top-level property to "Always", "Conditionally" or "Never"."""

    action: str
    logical_id: str
    kind: str
    physical_id: t.Optional[str] = None
    properties: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def replacement(self) -> t.Optional[str]:
        if self.action != "Modify":
            return None
        found = set(self.properties.values())
        return "True" if "Always" in found else "Conditional" if "Conditionally" in found else "False"

    def answer(self) -> Json:
        """The shape that DescribeChangeSet gives it."""
        details = [
            {
                "Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for name, recreation in self.properties.items()
        ]
        change: Json = {"Action": self.action, "LogicalResourceId": self.logical_id, "ResourceType": self.kind}
        if self.physical_id:
            change["PhysicalResourceId"] = self.physical_id
        if self.replacement:
            change["Replacement"] = self.replacement
        return {
            "Type": "Resource",
            "ResourceChange": {**change, "Scope": ["Properties"] if details else [], "Details": details},
        }


def planned_map(stack: Stack, template: Json, parameters: t.Mapping[str, str]) -> ResourceMap:
    """The resources as they would be, over those that are there."""
    planned = ResourceMap(
        stack.stack_id,
        stack.name,
        dict(parameters),
        stack.tags,
        region_name=stack.region_name,
        account_id=stack.account_id,
        template=template,
        cross_stack_resources=stack.cross_stack_resources,
    )
    planned.load()
    own = {name for name in template["Resources"] if name in stack.resource_map._resource_json_map}
    parsed = stack.resource_map._parsed_resources
    planned._parsed_resources.update({name: parsed[name] for name in own if name in parsed})
    return planned


def wanted(where: ResourceMap) -> dict[str, Json]:
    """The resources whose condition holds."""
    conditions = getattr(where, "lazy_condition_map", {})
    every = where._resource_json_map.items()
    return {name: one for name, one in every if "Condition" not in one or conditions[one["Condition"]]}


def _resolved(name: str, where: ResourceMap) -> Json:
    """The properties of a resource; what refers to something that is not made yet stays as text."""
    properties = where._resource_json_map[name].get("Properties", {})
    return {key: _try(value, where) for key, value in properties.items()}


def _try(value: t.Any, where: ResourceMap) -> t.Any:
    try:
        return clean_json(copy.deepcopy(value), _Known(where))
    except KeyError:
        return value


class _Known(t.Mapping[str, t.Any]):
    """A resource map that makes nothing."""

    def __init__(self, where: ResourceMap) -> None:
        self._where = where
        self.lazy_condition_map = where.lazy_condition_map
        self.cross_stack_resources = where.cross_stack_resources

    def __getitem__(self, key: str) -> t.Any:
        return self._where._parsed_resources[key]

    def __iter__(self) -> t.Iterator[str]:
        return iter(self._where._parsed_resources)

    def __len__(self) -> int:
        return len(self._where._parsed_resources)


def changes(stack: Stack, template: Json, parameters: t.Mapping[str, str]) -> list[Change]:
    """Everything that would be added, modified or removed."""
    now, then = stack.resource_map, planned_map(stack, template, parameters)
    have = dict((wanted(now) if stack.template else {}).items())
    want = wanted(then)
    added = [Change("Add", name, one["Type"]) for name, one in want.items() if name not in have]
    removed = [
        Change("Remove", name, one["Type"], _physical(now, name)) for name, one in have.items() if name not in want
    ]
    both = [name for name in want if name in have]
    modified = [found for name in both if (found := _modified(name, now, then)) is not None]
    replaced = {one.logical_id for one in modified if one.replacement == "True"}
    modified += [
        Change("Modify", name, want[name]["Type"], _physical(now, name), dict.fromkeys(keys, "Conditionally"))
        for name in both
        if name not in {one.logical_id for one in modified} and (keys := _referring(want[name], replaced))
    ]
    return added + modified + removed


def _referring(resource: Json, names: set[str]) -> list[str]:
    """The properties that refer to one of these resources."""
    return [key for key, value in resource.get("Properties", {}).items() if names & references(value)]


def references(value: t.Any) -> set[str]:
    """Every name that a piece of a template refers to."""
    if isinstance(value, list):
        return set().union(*(references(one) for one in value))
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, inner in value.items():
        if key == "Ref":
            found.add(str(inner))
        elif key == "Fn::GetAtt":
            found.add(str(inner[0] if isinstance(inner, list) else inner.split(".")[0]))
        elif key == "Fn::Sub":
            text = inner[0] if isinstance(inner, list) else inner
            found |= {part.split("}")[0].split(".")[0] for part in str(text).split("${")[1:]}
            found |= references(inner[1]) if isinstance(inner, list) else set()
        else:
            found |= references(inner)
    return found


def _physical(where: ResourceMap, name: str) -> t.Optional[str]:
    return getattr(where._parsed_resources.get(name), "physical_resource_id", None)


def _modified(name: str, now: ResourceMap, then: ResourceMap) -> t.Optional[Change]:
    before, after = _resolved(name, now), _resolved(name, then)
    kind = then._resource_json_map[name]["Type"]
    keys = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    if now._resource_json_map[name]["Type"] != kind:
        return Change("Modify", name, kind, _physical(now, name), {"Type": "Always"})
    if not keys:
        return None
    found = resources.schema(kind)
    fixed = {path.split("/")[2] for path in found.get("createOnlyProperties", []) if path.count("/") == 2}
    maybe = {path.split("/")[2] for path in found.get("conditionalCreateOnlyProperties", [])}
    words = {key: "Always" if key in fixed else "Conditionally" if key in maybe else "Never" for key in keys}
    return Change("Modify", name, kind, _physical(now, name), words)
