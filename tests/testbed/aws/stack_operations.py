# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creating, updating and deleting a stack as CloudFormation does: resource by resource, and back when one fails."""

from __future__ import annotations

import re
import typing as t

from moto.cloudformation import parsing
from moto.cloudformation.models import Stack
from moto.cloudformation.parsing import ResourceMap

from testbed.aws import stack_diff, timeline
from testbed.aws.steering import STEERING
from testbed.aws.timeline import Timeline

Json = dict[str, t.Any]
# What is not there any more counts as deleted.
GONE = re.compile("NoSuch|NotFound|does not exist")
FAILED = "The following resource(s) failed to {}: [{}]. "


def create(
    stack: Stack, template: str, parameters: dict[str, str], tags: dict[str, str], on_failure: str = "ROLLBACK"
) -> None:
    """Make the stack's resources; what became of it is in its timeline."""
    stack.template, stack.parameters, stack.tags = template, parameters, tags
    stack._parse_template()
    stack.resource_map = stack._create_resource_map()
    events = timeline.start(stack)
    events.own("CREATE_IN_PROGRESS", "User Initiated")
    done: list[str] = []
    for name in _order(stack.resource_map):
        if not _make(stack.resource_map, name, events):
            _created_in_part(stack, name, done, on_failure, events)
            return
        done.append(name)
    _finish(stack)
    events.own("CREATE_COMPLETE")


def _created_in_part(stack: Stack, name: str, done: list[str], on_failure: str, events: Timeline) -> None:
    reason = FAILED.format("create", name)
    if on_failure == "DO_NOTHING":
        events.own("CREATE_FAILED", reason)
        return
    whole = on_failure == "DELETE"
    begun, ended = ("DELETE_IN_PROGRESS", "DELETE_COMPLETE") if whole else ("ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE")
    events.own(begun, f"{reason}{'Delete' if whole else 'Rollback'} requested by user.")
    _undo(stack, done, events)
    events.own(ended)


def _order(where: ResourceMap) -> list[str]:
    """The wanted resources, each after those that it refers to."""
    wanted, done = stack_diff.wanted(where), []

    def visit(name: str, way: tuple[str, ...] = ()) -> None:
        if name in done or name not in wanted or name in way:
            return
        one = wanted[name]
        depends = one.get("DependsOn", [])
        for other in [*([depends] if isinstance(depends, str) else depends), *sorted(stack_diff.references(one))]:
            visit(other, (*way, name))
        done.append(name)

    for name in wanted:
        visit(name)
    return done


def _make(where: ResourceMap, name: str, events: Timeline) -> bool:
    kind = where._resource_json_map[name]["Type"]
    events.add(name, "", kind, "CREATE_IN_PROGRESS")
    reason = STEERING.fail.get(name)
    try:
        made = None if reason else where[name]
    except Exception as exc:  # whatever moto says against it
        reason = str(exc)
    if reason:
        events.add(name, "", kind, "CREATE_FAILED", reason)
        return False
    events.add(name, getattr(made, "physical_resource_id", name), kind, "CREATE_COMPLETE")
    return True


def _undo(stack: Stack, names: list[str], events: Timeline) -> None:
    for name in reversed(names):
        _remove(stack.resource_map, name, events)


def _remove(where: ResourceMap, name: str, events: Timeline) -> bool:
    """Delete a resource; tells whether it could be done."""
    one, made = where._resource_json_map[name], where._parsed_resources.get(name)
    kind, physical = one["Type"], getattr(made, "physical_resource_id", name)
    if one.get("DeletionPolicy") == "Retain":
        events.add(name, physical, kind, "DELETE_SKIPPED")
        return True
    events.add(name, physical, kind, "DELETE_IN_PROGRESS")
    reason = STEERING.fail_delete.get(name)
    if made is not None and not reason:
        try:
            where._delete_resource(made, one)
        except Exception as exc:  # whatever moto says against it
            reason = None if GONE.search(str(exc)) else str(exc)
    if reason:
        events.add(name, physical, kind, "DELETE_FAILED", reason)
        return False
    where._parsed_resources.pop(name, None)
    events.add(name, physical, kind, "DELETE_COMPLETE")
    return True


def _finish(stack: Stack) -> None:
    stack.description = stack.template_dict.get("Description")
    if stack.resource_map._resource_json_map:
        stack.resource_map.create(stack.template_dict)  # all is made: this tags it
    stack.output_map = stack._create_output_map()


def update(stack: Stack, template: str, parameters: dict[str, str], tags: dict[str, str]) -> None:
    """Bring the resources to the template and the parameters, or leave all as it was."""
    wanted = stack.parse_template(template)
    todo = stack_diff.changes(stack, wanted, parameters)
    events = timeline.start(stack)
    events.own("UPDATE_IN_PROGRESS", "User Initiated")
    failing = next((one for one in todo if one.action != "Remove" and one.logical_id in STEERING.fail), None)
    if failing is not None:
        _updated_in_part(failing, events)
        return
    removed = [one.logical_id for one in todo if one.action == "Remove"]
    old = stack.resource_map
    stack.resource_map = stack_diff.planned_map(stack, wanted, parameters)
    for name in removed:
        old._resource_json_map.setdefault(name, {})
    stack.template, stack.template_dict, stack.parameters, stack.tags = template, wanted, parameters, tags
    for change in sorted((one for one in todo if one.action != "Remove"), key=_after(stack.resource_map)):
        _change(stack.resource_map, old, change, events)
    _finish(stack)
    events.own("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    for name in removed:
        _remove(old, name, events)
    events.own("UPDATE_COMPLETE")


def _after(where: ResourceMap) -> t.Callable[[stack_diff.Change], int]:
    order = _order(where)
    return lambda change: order.index(change.logical_id)


def _change(where: ResourceMap, old: ResourceMap, change: stack_diff.Change, events: Timeline) -> None:
    name = change.logical_id
    if change.action == "Add":
        _make(where, name, events)
        return
    physical = change.physical_id or name
    events.add(name, physical, change.kind, "UPDATE_IN_PROGRESS")
    before = where._parsed_resources[name]
    after = None
    if change.replacement != "True":
        after = parsing.parse_and_update_resource(
            name, where._resource_json_map[name], where, where._account_id, where._region_name
        )
    if after is None:  # replaced, or moto can't update it in place
        del where._parsed_resources[name]
        old._delete_resource(before, old._resource_json_map[name])
        after = where[name]
    where._parsed_resources[name] = after
    events.add(name, getattr(after, "physical_resource_id", name), change.kind, "UPDATE_COMPLETE")


def _updated_in_part(failing: stack_diff.Change, events: Timeline) -> None:
    """A change failed: what was done before it is undone. Nothing was done here, so nothing has to be."""
    name, physical = failing.logical_id, failing.physical_id or ""
    word = "CREATE" if failing.action == "Add" else "UPDATE"
    events.add(name, physical, failing.kind, f"{word}_IN_PROGRESS")
    events.add(name, physical, failing.kind, f"{word}_FAILED", STEERING.fail[name])
    events.own("UPDATE_ROLLBACK_IN_PROGRESS", FAILED.format(word.lower(), name))
    if STEERING.fail_rollback:
        stuck, reason = next(iter(STEERING.fail_rollback.items()))
        events.add(stuck, stuck, failing.kind, "UPDATE_FAILED", reason)
        events.own("UPDATE_ROLLBACK_FAILED", FAILED.format("update", stuck))
        return
    rolled_back(events)


def rolled_back(events: Timeline) -> None:
    """The end of a rollback that worked."""
    events.own("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    events.own("UPDATE_ROLLBACK_COMPLETE")


def delete(stack: Stack) -> None:
    """Delete the stack's resources, the last made first."""
    events = timeline.start(stack)
    events.own("DELETE_IN_PROGRESS", "User Initiated")
    made = [name for name in _order(stack.resource_map) if name in stack.resource_map._parsed_resources]
    left = [name for name in reversed(made) if not _remove(stack.resource_map, name, events)]
    if left:
        events.own("DELETE_FAILED", FAILED.format("delete", ", ".join(left)))
        return
    events.own("DELETE_COMPLETE")
