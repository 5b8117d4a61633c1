# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation templates as data: JSON or YAML, the short forms of the functions written out."""

from __future__ import annotations

import typing as t

import yaml

Json = dict[str, t.Any]


class TemplateError(Exception):
    """A text that is no template: what is wrong with it, and where."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags; a date stays the text that it is for CloudFormation."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Json:
    value: t.Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(t.cast(yaml.MappingNode, node), deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str) -> Json:
    """The template. Raises TemplateError."""
    try:
        data = yaml.load(text, Loader=_Loader)  # JSON is YAML
    except yaml.YAMLError as exc:
        raise TemplateError(f"it is neither YAML nor JSON: {' '.join(str(exc).split())}") from exc
    if not isinstance(data, dict) or not isinstance(data.get("Resources"), dict) or not data["Resources"]:
        raise TemplateError("it has no Resources")
    for name, resource in data["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            if str(name).startswith("Fn::"):
                continue
            raise TemplateError(f"resource {name} has no Type")
    return data
