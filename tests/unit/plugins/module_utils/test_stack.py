# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done about a stack in each of its statuses, how its failures read, and what a plan says."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _stack, _stack_options, _stack_plan
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack import Event, Stack, Step, Wish
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack_plan import Change, Plan

WISH = Wish("one")
# The service model's StackStatus, every one of them.
PRESENT = {
    "CREATE_COMPLETE": Step.UPDATE,
    "CREATE_FAILED": Step.REFUSE,
    "CREATE_IN_PROGRESS": Step.WAIT,
    "DELETE_COMPLETE": Step.CREATE,
    "DELETE_FAILED": Step.REFUSE,
    "DELETE_IN_PROGRESS": Step.WAIT,
    "IMPORT_COMPLETE": Step.UPDATE,
    "IMPORT_IN_PROGRESS": Step.WAIT,
    "IMPORT_ROLLBACK_COMPLETE": Step.UPDATE,
    "IMPORT_ROLLBACK_FAILED": Step.REFUSE,
    "IMPORT_ROLLBACK_IN_PROGRESS": Step.WAIT,
    "REVIEW_IN_PROGRESS": Step.CREATE,
    "ROLLBACK_COMPLETE": Step.DELETE,
    "ROLLBACK_FAILED": Step.REFUSE,
    "ROLLBACK_IN_PROGRESS": Step.WAIT,
    "UPDATE_COMPLETE": Step.UPDATE,
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": Step.WAIT,
    "UPDATE_FAILED": Step.UPDATE,
    "UPDATE_IN_PROGRESS": Step.WAIT,
    "UPDATE_ROLLBACK_COMPLETE": Step.UPDATE,
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": Step.WAIT,
    "UPDATE_ROLLBACK_FAILED": Step.REFUSE,
    "UPDATE_ROLLBACK_IN_PROGRESS": Step.WAIT,
}


def stack(status: str, **more: t.Any) -> Stack:
    return Stack("arn:one", "one", status, **more)


@pytest.mark.parametrize(("status", "step"), PRESENT.items())
def test_present(status: str, step: Step) -> None:
    found = _stack.decide_present(stack(status), WISH)
    assert found.step is step
    if step is Step.REFUSE:
        assert found.message.startswith(f"Nothing was changed: stack one is in status {status}. ")
        assert found.message.count(".") >= 2


@pytest.mark.parametrize("status", PRESENT)
def test_absent(status: str) -> None:
    expected = {"DELETE_COMPLETE": Step.NOTHING, "REVIEW_IN_PROGRESS": Step.DELETE}
    busy = status.endswith("_IN_PROGRESS") and status not in expected
    assert _stack.decide_absent(stack(status), WISH).step is expected.get(status, Step.WAIT if busy else Step.DELETE)


@pytest.mark.parametrize(
    ("status", "wish", "step", "words"),
    [
        pytest.param("CREATE_FAILED", {"on_create_failure": "DELETE"}, Step.DELETE, "deleted first", id="left-behind"),
        pytest.param(
            "UPDATE_ROLLBACK_FAILED", {"continue_rollback": True}, Step.CONTINUE_ROLLBACK, "stuck", id="stuck"
        ),
        pytest.param("UPDATE_IN_PROGRESS", {"when_busy": "fail"}, Step.REFUSE, "when_busy", id="busy"),
        pytest.param("DELETE_FAILED", {}, Step.REFUSE, "state absent", id="half-deleted"),
        pytest.param("UPDATE_ROLLBACK_FAILED", {}, Step.REFUSE, "continue_rollback to true", id="stuck-refused"),
    ],
)
def test_choices(status: str, wish: dict[str, t.Any], step: Step, words: str) -> None:
    found = _stack.decide_present(stack(status), Wish("one", **wish))
    assert found.step is step
    assert words in found.message


def test_no_stack() -> None:
    assert _stack.decide_present(None, WISH).step is Step.CREATE
    assert _stack.decide_absent(None, WISH).step is Step.NOTHING


@pytest.mark.parametrize(("wanted", "step"), [(None, Step.REFUSE), (True, Step.REFUSE), (False, Step.DELETE)])
def test_protected(wanted: bool | None, step: Step) -> None:
    found = _stack.decide_absent(
        stack("CREATE_COMPLETE", termination_protection=True), Wish("one", termination_protection=wanted)
    )
    assert found.step is step


def event(name: str, status: str, reason: str = "", own: bool = False) -> Event:
    return Event("e", "12:00:00", name, "AWS::S3::Bucket", status, reason, own)


def test_failure_names_causes_not_consequences() -> None:
    said = _stack.failure(
        "one",
        "create",
        "ROLLBACK_COMPLETE",
        [
            event("Bucket", "CREATE_FAILED", "team already exists."),
            event("Queue", "CREATE_FAILED", "Resource creation cancelled"),
            event("one", "ROLLBACK_IN_PROGRESS", "failed", own=True),
        ],
    )
    assert said.startswith(
        "Could not create stack one: Bucket (AWS::S3::Bucket): team already exists. It is now in status"
    )
    assert "cancelled" not in said
    assert "the next run removes the empty stack first" in said


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (Change("Add", "B", "T"), "+ B (T)"),
        (Change("Remove", "B", "T"), "- B (T)"),
        (Change("Modify", "B", "T", "b", "False", ("Size",)), "~ B (T): Size"),
        (Change("Modify", "B", "T", "b", "Conditional", ("Size",)), "~ B (T) may be replaced: Size"),
        (Change("Modify", "B", "T", "b", "True", ("Name", "Size")), "-/+ B (T) is replaced: Name, Size"),
    ],
)
def test_lines(change: Change, line: str) -> None:
    assert change.line() == line


@pytest.mark.parametrize(
    ("change", "found"),
    [
        pytest.param(Change("Remove", "B", "AWS::S3::Bucket"), True, id="removed"),
        pytest.param(Change("Modify", "B", "AWS::RDS::DBInstance", "", "True"), True, id="replaced-by-pattern"),
        pytest.param(Change("Modify", "B", "AWS::S3::Bucket", "", "Conditional"), True, id="maybe"),
        pytest.param(Change("Modify", "B", "AWS::S3::Bucket", "", "False"), False, id="in-place"),
        pytest.param(Change("Add", "B", "AWS::S3::Bucket"), False, id="added"),
        pytest.param(Change("Remove", "B", "AWS::SQS::Queue"), False, id="holds-nothing"),
    ],
)
def test_endangered(change: Change, found: bool) -> None:
    wish = Wish("one", protected_types=("AWS::S3::Bucket", "AWS::RDS::*"))
    assert bool(_stack_plan.endangered(Plan("update", (change,)), wish)) == found


@pytest.mark.parametrize(
    ("before", "after", "secrets", "lines"),
    [
        pytest.param({"a": "1"}, {"a": "1"}, (), [], id="same"),
        pytest.param({"a": "1"}, {"a": "2"}, (), ["~ parameter a: 1 -> 2"], id="other"),
        pytest.param({"a": "1"}, {"b": "2"}, (), ["- parameter a: 1", "+ parameter b: 2"], id="one-for-another"),
        pytest.param({}, {"a": "hush"}, {"a"}, ["+ parameter a: ****"], id="new-secret"),
        pytest.param({"a": "****"}, {"a": "hush"}, {"a"}, [], id="nobody-knows-the-old-secret"),
    ],
)
def test_compared(before: dict[str, str], after: dict[str, str], secrets: t.Any, lines: list[str]) -> None:
    assert _stack_plan.compared(before, after, "parameter", secrets) == lines


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (7, "7"), (["a", 1], "a,1"), (None, None), ({"b": 1}, '{"b": 1}'), ("x", "x"), ([], "")],
)
def test_text(value: t.Any, text: str | None) -> None:
    assert _stack_options.text(value) == text


def test_parameters_are_held_against_the_template() -> None:
    wish = Wish("one", parameters={"Dyas": "7"})
    said = "; ".join(_stack_plan.check_parameters(wish, {"Days": {}, "Name": {"DefaultValue": "x"}}))
    assert said == "the template has no parameter Dyas (it has Days, Name); no value for Days"
