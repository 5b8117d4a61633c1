# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of a stack from a file: KEY=VALUE lines, or JSON or YAML in the shapes that AWS's own tools take."""

from __future__ import annotations

import re
import typing as t

import yaml

LINE = re.compile(r"(?P<key>[A-Za-z0-9]+)\s*[=:]\s*(?P<value>.*)")


class ParametersError(Exception):
    """A file that holds no parameters: where, and what it should be."""


def parse(text: str) -> dict[str, t.Any]:
    """The parameters by name. Raises ParametersError."""
    data = _structured(text)
    if data is None:
        return _properties(text)
    if isinstance(data, dict):
        inner = data.get("Parameters", data)
        if isinstance(inner, dict) and not any(isinstance(value, dict) for value in inner.values()):
            return {str(key): value for key, value in inner.items()}
    if isinstance(data, list) and all(isinstance(one, dict) and "ParameterKey" in one for one in data):
        return {str(one["ParameterKey"]): one.get("ParameterValue") for one in data}
    raise ParametersError(
        "it is neither KEY=VALUE lines, nor a mapping of names to values, nor a list of ParameterKey and ParameterValue"
    )


def _structured(text: str) -> t.Any:
    """JSON or YAML, or None for a file of lines: KEY=VALUE is a plain scalar for YAML."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    return data if isinstance(data, (dict, list)) else None


def _properties(text: str) -> dict[str, t.Any]:
    found: dict[str, t.Any] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.strip()
        if not content or content.startswith(("#", "!")):
            continue
        parts = LINE.fullmatch(content)
        if parts is None:
            raise ParametersError(f"line {number} is no KEY=VALUE: {content[:40]}")
        if parts["key"] in found:
            raise ParametersError(f"line {number} gives {parts['key']} a second time")
        found[parts["key"]] = _unquoted(parts["value"].strip())
    return found


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
