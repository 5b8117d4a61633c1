# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role's argument specs type its variables but set no values: its defaults must say the same."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
import yaml

ROLES = pathlib.Path(__file__).resolve().parents[3] / "roles"
ABSENT = "(no default)"


def _load(path: pathlib.Path) -> dict[str, t.Any]:
    return (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}


def _entry_points(role: pathlib.Path) -> dict[str, dict[str, t.Any]]:
    """Return the options of each entry point with their defaults."""
    specs = _load(role / "meta" / "argument_specs.yml").get("argument_specs", {})
    return {
        name: {option: spec.get("default", ABSENT) for option, spec in (entry.get("options") or {}).items()}
        for name, entry in specs.items()
    }


def differences(specs: dict[str, dict[str, t.Any]], defaults: dict[str, t.Any]) -> list[str]:
    """Return where the entry points and the defaults disagree, a line each.

    An option that only other entry points have is no business of main's.
    """
    main = {option: value for option, value in specs.get("main", {}).items() if value != ABSENT}
    elsewhere = {option for name, options in specs.items() if name != "main" for option in options}
    found = [
        f"{option}: {main.get(option, ABSENT)!r} in the spec of main, {defaults.get(option, ABSENT)!r} in the defaults"
        for option in sorted({*main, *(defaults.keys() - elsewhere)})
        if not _same(main.get(option, ABSENT), defaults.get(option, ABSENT))
    ]
    found += [
        f"{option}: {value!r} in the spec of {name}, {defaults[option]!r} in the defaults"
        for name, options in sorted(specs.items())
        if name != "main"
        for option, value in sorted(options.items())
        if option in defaults and not _same(value, defaults[option])
    ]
    return found


def _same(one: t.Any, other: t.Any) -> bool:
    """Compare as YAML reads them: 1 is not true."""
    return type(one) is type(other) and bool(one == other)


@pytest.mark.parametrize(
    ("specs", "defaults", "expected"),
    [
        pytest.param({"main": {"a": 1, "b": ABSENT}}, {"a": 1}, 0, id="equal"),
        pytest.param({"main": {"a": 1}}, {"a": 2}, 1, id="other-value"),
        pytest.param({"main": {"a": 1}}, {"a": True}, 1, id="other-type"),
        pytest.param({"main": {"a": 1}}, {}, 1, id="missing-in-defaults"),
        pytest.param({"main": {}}, {"a": 1}, 1, id="missing-in-spec"),
        pytest.param({"main": {"a": ABSENT}}, {"a": 1}, 1, id="spec-says-no-default"),
        pytest.param({"main": {"a": 1}, "drain": {"a": 1, "c": 3}}, {"a": 1}, 0, id="entry-point-has-more"),
        pytest.param({"main": {"a": 1}, "drain": {"a": 2}}, {"a": 1}, 1, id="entry-point-differs"),
        pytest.param({"main": {"a": 1}, "drain": {"c": 3}}, {"a": 1, "c": 3}, 0, id="option-of-an-entry-point"),
        pytest.param({"main": {"a": 1}, "drain": {"c": 3}}, {"a": 1, "c": 4}, 1, id="and-it-differs"),
    ],
)
def test_differences(specs: dict[str, dict[str, t.Any]], defaults: dict[str, t.Any], expected: int) -> None:
    assert len(differences(specs, defaults)) == expected


ROLE_PARAMS = [pytest.param(path, id=path.name) for path in sorted({found.parent for found in ROLES.glob("*/*")})]


@pytest.mark.parametrize("role", ROLE_PARAMS)
def test_defaults_are_those_of_the_specs(role: pathlib.Path) -> None:
    specs = _entry_points(role)
    assert specs, f"{role.name} has no meta/argument_specs.yml"
    assert differences(specs, _load(role / "defaults" / "main.yml")) == []
