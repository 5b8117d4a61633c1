# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade's plan as a table that people read."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_space
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_preflight import Finding
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_plan import Plan, Planned

_HEAD = ("", "package", "why", "PostgreSQL")


def table(plan: Plan, findings: t.Sequence[Finding] = ()) -> str:
    """The stops in their order, then what to know before, and what stands against it."""
    if not plan.stops:
        return f"GitLab {plan.origin.version} is installed: nothing to do."
    rows = [_HEAD, *((str(number), *_row(one)) for number, one in enumerate(plan.stops, 1))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [f"GitLab {plan.origin.version} -> {plan.target.name}, {_counted(len(plan.stops), 'stop')}"]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if plan.warnings:
        lines += ["Before you begin:", *(f"- {one}" for one in plan.warnings)]
    blocking = [one for one in findings if one.blocks]
    if blocking:
        lines += ["It can't begin:", *(f"- {one}." for one in blocking)]
    others = [one for one in findings if not one.blocks]
    if others:
        lines += ["To look at:", *(f"- {one}." for one in others)]
    return "\n".join(lines)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _row(one: Planned) -> t.Sequence[str]:
    return one.stop.spec, one.why, _postgresql(one)


def _postgresql(one: Planned) -> str:
    if one.postgresql_from is None:
        return "external"
    if one.moved_by is None:
        return str(one.postgresql_from)
    room = f", needs {_backup_space.human(one.space)}" if one.space else ""
    return f"{one.postgresql_from} -> {one.postgresql_to} by {one.moved_by}{room}"
