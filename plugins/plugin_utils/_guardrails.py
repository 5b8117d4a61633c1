# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an organisation allows, held against a template and its parameters before anything is made.

Pure. What breaks a rule is a violation, what can't be known beforehand is undecided; both say where and why.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._cfn_evaluate import NO_VALUE, Evaluator, Unknown
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._cfn_template import load

Json = dict[str, t.Any]
Value = t.Any


@dataclasses.dataclass(frozen=True)
class Rules:
    """The rules; one that is None or empty does not apply. Patterns are those of file names (V(m7i.*))."""

    regions: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()
    max_instances: int | None = None
    max_volume_gib: int | None = None
    public_addresses: bool = True
    open_ingress: bool = True
    required_tags: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    permissions_boundary: str = ""
    encryption: bool = False
    imdsv2: bool = False

    @classmethod
    def from_mapping(cls, data: t.Mapping[str, t.Any]) -> Rules:
        given = {key: value for key, value in data.items() if value is not None}
        for key in ("regions", "accounts", "instance_types"):
            if key in given:
                given[key] = tuple(str(one) for one in given[key])
        return cls(**given)


@dataclasses.dataclass(frozen=True)
class Finding:
    """Where a rule is broken or can't be decided: what was found there, and what the rule wants."""

    rule: str
    where: str
    found: str
    wanted: str

    def line(self) -> str:
        return f"{self.rule}: {self.where} is {self.found}; {self.wanted}"


@dataclasses.dataclass(frozen=True)
class Findings:
    violations: tuple[Finding, ...]
    undecided: tuple[Finding, ...]


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is checked: template, parameters, and where the stack shall be; account is empty where nobody asked."""

    template: str
    parameters: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    tags: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    stack_name: str = ""
    region: str = ""
    account: str = ""


@dataclasses.dataclass(frozen=True)
class Place:
    """One property of a resource: type of the resource, path and name of the property, its value."""

    type: str
    path: str
    name: str
    value: Value


# What a check says of a place: what it wants where the place breaks the rule, None where it is good or none of its.
Check = t.Callable[[Place], "str | None"]


def check(subject: Subject, rules: Rules) -> Findings:
    """Hold the subject against the rules. Raises TemplateError."""
    template = load(subject.template)
    evaluator = Evaluator(template, subject.parameters, _pseudo(subject))
    violations = _of_the_stack(subject, rules)
    undecided = (
        [] if "Transform" not in template else [_undecided("(all)", "Transform", "a macro may change all of it")]
    )
    checks = _checks(rules)
    for name, kind, properties, comes in evaluator.resources():
        if checks and kind == "AWS::CloudFormation::Stack":
            undecided.append(_undecided("(all)", name, "the nested template is not looked into"))
        for place in (Place(kind, name, "", properties), *_places(kind, name, properties)):
            for rule, look in checks.items():
                found, sure = _look(look, place)
                if found is not None:
                    one = Finding(rule, place.path, _shown(place.value), found)
                    (violations if sure and comes is None else undecided).append(one)
    return Findings(tuple(violations), tuple(dict.fromkeys(undecided)))


def message(found: t.Sequence[Finding]) -> str:
    """Why the stack is not touched, a rule broken or undecided each."""
    lines = "; ".join(one.line() for one in found)
    return (
        f"Nothing was changed: the template breaks the rules of this organisation. {lines}. Correct the template or "
        "its parameters, or ask whoever sets the rules."
    )


def _undecided(rule: str, where: str, why: str) -> Finding:
    return Finding(rule, where, "undecided", why)


def _pseudo(subject: Subject) -> Json:
    region = subject.region
    china, gov = region.startswith("cn-"), region.startswith("us-gov-")
    later = Unknown("the stack's id is known only when it is made")
    return {
        "AWS::Region": region or Unknown("no region was named"),
        "AWS::AccountId": subject.account or Unknown("the account is not known"),
        "AWS::StackName": subject.stack_name,
        "AWS::StackId": later,
        "AWS::NotificationARNs": later,
        "AWS::Partition": "aws-cn" if china else "aws-us-gov" if gov else "aws",
        "AWS::URLSuffix": "amazonaws.com.cn" if china else "amazonaws.com",
    }


def _places(kind: str, path: str, value: Value, name: str = "") -> t.Iterator[Place]:
    """Every property below, the outer ones first; an item of a list has the list's name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield Place(kind, f"{path}.{key}", str(key), inner)
            yield from _places(kind, f"{path}.{key}", inner, str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            if not isinstance(inner, (dict, list)):
                yield Place(kind, f"{path}[{number}]", name, inner)
            yield from _places(kind, f"{path}[{number}]", inner, name)
    elif isinstance(value, Unknown):
        for inner in value.possible:
            yield from _places(kind, f"{path}?", inner, name)


def _look(look: Check, place: Place) -> tuple[str | None, bool]:
    """What the check wants, and whether that is sure: an unknown value breaks a rule only perhaps."""
    if not isinstance(place.value, Unknown):
        return look(place), "?" not in place.path
    if place.value.possible:
        possible = [one for one in place.value.possible if one is not NO_VALUE]
        found = [look(dataclasses.replace(place, value=one)) for one in possible]
        return next((one for one in found if one), None), bool(found) and all(found)
    wanted = look(dataclasses.replace(place, value=_ANYTHING))
    return (None if wanted is None else f"{place.value.reason}; {wanted}"), False


class _Anything:
    """Stands for a value that could be anything: it fits no pattern and no limit."""

    def __str__(self) -> str:
        return "?"


_ANYTHING = _Anything()


def _shown(value: Value) -> str:
    if isinstance(value, Unknown):
        return "undecided"
    return str(value) if not isinstance(value, dict) else "as it is"


def fits(value: Value, patterns: t.Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(str(value), pattern) for pattern in patterns)


def _of_the_stack(subject: Subject, rules: Rules) -> list[Finding]:
    found = []
    if rules.regions and not fits(subject.region, rules.regions):
        found.append(Finding("regions", "region", subject.region, f"allowed are {', '.join(rules.regions)}"))
    if rules.accounts and not fits(subject.account, rules.accounts):
        found.append(Finding("accounts", "account", subject.account or "?", f"allowed are {', '.join(rules.accounts)}"))
    for name, pattern in rules.required_tags.items():
        value = subject.tags.get(name)
        if value is None:
            found.append(Finding("required_tags", f"tag {name}", "missing", f"give it to the stack ({pattern or '*'})"))
        elif not fits(value, [pattern or "*"]):
            found.append(Finding("required_tags", f"tag {name}", str(value), f"it has to be {pattern}"))
    return found


def _checks(rules: Rules) -> dict[str, Check]:
    """The checks of resources that these rules ask for."""
    from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _guardrail_checks as checks

    every: list[tuple[str, t.Any, Check]] = [
        ("instance_types", rules.instance_types, checks.instance_type(rules.instance_types)),
        ("max_instances", rules.max_instances is not None, checks.max_instances(rules.max_instances or 0)),
        ("max_volume_gib", rules.max_volume_gib is not None, checks.max_volume(rules.max_volume_gib or 0)),
        ("public_addresses", not rules.public_addresses, checks.public_address),
        ("open_ingress", not rules.open_ingress, checks.open_ingress),
        ("permissions_boundary", rules.permissions_boundary, checks.boundary(rules.permissions_boundary)),
        ("encryption", rules.encryption, checks.encryption),
        ("imdsv2", rules.imdsv2, checks.imdsv2),
    ]
    return {name: look for name, wanted, look in every if wanted}
