# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a task's arguments into plain values, and templates only what holds a template.

Ansible's own templating of a thousand runners takes half a second in every task that names them, also where no entry
holds a template; a look at every string takes a hundredth of that.
"""

from __future__ import annotations

import datetime
import typing as t

_JINJA = ("{{", "{%", "{#", "#jinja2:")
_PLAIN = frozenset({str, bool, int, float, type(None)})
_KINDS = (bool, int, float, datetime.datetime, datetime.date)  # a boolean is an integer too


def plain(value: t.Any) -> t.Any:
    """The value with plain strings, numbers, lists and dicts in place of Ansible's own kinds of them."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, dict):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    return value


def entries(value: t.Any, templar: t.Any) -> t.Any:
    """A list of entries as the task gets it: each that holds a template is templated, the others are taken as they are.

    templar is Ansible's template engine. What is no list is templated as any other argument.
    """
    resolve = getattr(templar, "resolve_to_container", None)  # no part of Ansible's stable interface
    found = resolve(value) if resolve else None
    if not isinstance(found, list):
        return templar.template(value)
    return [plain(entry) if _is_finished(entry) else templar.template(entry) for entry in list.__iter__(found)]


def _is_finished(value: t.Any) -> bool:
    """Whether templating would change nothing: only containers, numbers, and strings without a mark of Jinja's.

    Anything else (a vaulted string, a value that is not there) is the template engine's to judge.
    """
    if isinstance(value, str):
        return not any(mark in value for mark in _JINJA)
    if isinstance(value, dict):
        return all(map(_is_finished, dict.values(value))) and all(map(_is_finished, dict.keys(value)))
    if isinstance(value, list):
        return all(map(_is_finished, list.__iter__(value)))
    return value is None or isinstance(value, _KINDS)
