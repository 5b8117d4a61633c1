# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change set would do to a stack, as users read it. Pure: no boto3."""

from __future__ import annotations

import dataclasses
import fnmatch
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack import Json, Stack, Wish

SECRET = "****"


@dataclasses.dataclass(frozen=True)
class Change:
    """One resource that would be touched.

    action is CloudFormation's (Add, Modify, Remove, Import, Dynamic); replacement is True, False or Conditional and
    empty for all but Modify; properties are the names of what changes.
    """

    action: str
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: str = ""
    properties: tuple[str, ...] = ()

    @classmethod
    def from_api(cls, data: t.Mapping[str, t.Any]) -> Change:
        targets = [detail.get("Target", {}) for detail in data.get("Details", [])]
        names = [str(target.get("Name") or target.get("Attribute") or "") for target in targets]
        return cls(
            action=data["Action"],
            logical_id=data["LogicalResourceId"],
            type=data["ResourceType"],
            physical_id=data.get("PhysicalResourceId", ""),
            replacement=data.get("Replacement", ""),
            properties=tuple(sorted(set(names) - {""})),
        )

    @property
    def replaces(self) -> bool:
        return self.action == "Modify" and self.replacement in ("True", "Conditional")

    def line(self) -> str:
        """As the plan shows it: + added, ~ changed, -/+ replaced, - removed."""
        what = f"{self.logical_id} ({self.type})"
        why = f": {', '.join(self.properties)}" if self.properties else ""
        if self.action == "Modify":
            if self.replacement == "True":
                return f"-/+ {what} is replaced{why}"
            return f"~ {what}{' may be replaced' if self.replacement == 'Conditional' else ''}{why}"
        sign = {"Add": "+", "Remove": "-"}.get(self.action, "~")
        return f"{sign} {what}"


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run would do: the step, the resources, and what else of the stack changes."""

    step: str
    changes: tuple[Change, ...] = ()
    parameters: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return self.step != "nothing" or bool(self.other)

    def lines(self) -> list[str]:
        every = sorted(self.changes, key=lambda one: (one.action != "Remove", one.logical_id))
        return [*(one.line() for one in every), *self.parameters, *self.tags, *self.other]

    def as_result(self) -> Json:
        """As modules return it."""
        kinds = {
            "added": [one for one in self.changes if one.action in ("Add", "Import")],
            "changed": [one for one in self.changes if one.action in ("Modify", "Dynamic") and not one.replaces],
            "replaced": [one for one in self.changes if one.replaces],
            "removed": [one for one in self.changes if one.action == "Remove"],
        }
        listed = {kind: [dataclasses.asdict(one) for one in found] for kind, found in kinds.items()}
        for found in listed.values():
            for one in found:
                one["properties"] = list(one["properties"])
        return {"step": self.step, **listed, "lines": self.lines()}


def compared(
    before: t.Mapping[str, str], after: t.Mapping[str, str], what: str, secrets: t.Container[str]
) -> list[str]:
    """Lines for the values that differ, secret ones without their value."""

    def shown(name: str, value: str) -> str:
        return SECRET if name in secrets else value

    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if new is None:
            found.append(f"- {what} {name}: {shown(name, str(old))}")
        elif old is None:
            found.append(f"+ {what} {name}: {shown(name, new)}")
        elif old != new and not (name in secrets and old == SECRET):
            found.append(f"~ {what} {name}: {shown(name, old)} -> {shown(name, new)}")
    return found


def protection(stack: Stack | None, wish: Wish) -> list[str]:
    """The line for a termination protection that changes."""
    now = bool(stack and stack.termination_protection)
    if wish.termination_protection is None or wish.termination_protection == now:
        return []
    return [f"~ termination protection: {'on' if now else 'off'} -> {'on' if wish.termination_protection else 'off'}"]


def endangered(plan: Plan, wish: Wish) -> list[Change]:
    """Resources that hold data and that this plan would replace or remove."""
    return [
        one
        for one in plan.changes
        if (one.replaces or one.action == "Remove")
        and any(fnmatch.fnmatchcase(one.type, kind) for kind in wish.protected_types)
    ]


def refusal(name: str, found: t.Sequence[Change]) -> str:
    """Why such a plan is not carried out."""
    listed = "; ".join(one.line() for one in found)
    return (
        f"Nothing was changed: the update of stack {name} would lose what these resources hold: {listed}. Undo what "
        "causes it in template and parameters, or, if the data may go, take the type out of protected_types."
    )


def check_parameters(wish: Wish, declared: t.Mapping[str, Json]) -> list[str]:
    """Parameters that the template does not have, or that it needs and nobody gives."""
    unknown = sorted(set(wish.parameters) - set(declared))
    missing = sorted(key for key, one in declared.items() if "DefaultValue" not in one and key not in wish.parameters)
    found = []
    if unknown:
        has = ", ".join(sorted(declared)) or "none"
        found.append(f"the template has no parameter {', '.join(unknown)} (it has {has})")
    if missing:
        found.append(f"no value for {', '.join(missing)}")
    return found
