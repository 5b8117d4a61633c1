# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CloudFormation stack: what it is, what is wanted of it, and the next step from one to the other.

Pure: no boto3. Statuses are CloudFormation's (service model, StackStatus).
"""

from __future__ import annotations

import dataclasses
import enum
import typing as t

Json = dict[str, t.Any]

REVIEW = "REVIEW_IN_PROGRESS"  # a change set for a stack that does not exist yet; nothing is under way
GONE = "DELETE_COMPLETE"
UPDATABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
HALF_CREATED = frozenset({"CREATE_FAILED", "ROLLBACK_FAILED"})


@dataclasses.dataclass(frozen=True)
class Stack:
    """A stack as DescribeStacks tells of it."""

    stack_id: str
    name: str
    status: str
    status_reason: str = ""
    parameters: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    tags: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    outputs: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    termination_protection: bool = False

    @classmethod
    def from_api(cls, data: t.Mapping[str, t.Any]) -> Stack:
        return cls(
            stack_id=data["StackId"],
            name=data["StackName"],
            status=data["StackStatus"],
            status_reason=data.get("StackStatusReason", ""),
            parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in data.get("Parameters", [])},
            tags={one["Key"]: one["Value"] for one in data.get("Tags", [])},
            outputs={one["OutputKey"]: one.get("OutputValue", "") for one in data.get("Outputs", [])},
            termination_protection=bool(data.get("EnableTerminationProtection", False)),
        )

    @property
    def busy(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != REVIEW


@dataclasses.dataclass(frozen=True)
class Wish:
    """What is wanted of a stack; a parameter of None keeps the value that the stack has.

    secrets are the names of parameters whose values are never shown.
    """

    name: str
    template: str = dataclasses.field(default="", repr=False)
    parameters: t.Mapping[str, str | None] = dataclasses.field(default_factory=dict, repr=False)
    tags: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    role_arn: str | None = None
    notification_arns: tuple[str, ...] = ()
    on_create_failure: str = "ROLLBACK"
    termination_protection: bool | None = None
    secrets: frozenset[str] = frozenset()
    template_bucket: str | None = None
    when_busy: str = "wait"
    continue_rollback: bool = False
    resources_to_skip: tuple[str, ...] = ()
    retain_resources: tuple[str, ...] = ()
    protected_types: tuple[str, ...] = ()


class Step(enum.Enum):
    """What is to be done next."""

    NOTHING = "nothing"
    WAIT = "wait"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    CONTINUE_ROLLBACK = "continue_rollback"
    REFUSE = "refuse"


@dataclasses.dataclass(frozen=True)
class Decision:
    """The next step; message says why, for the user. again: another decision is due when the step is done."""

    step: Step
    message: str = ""
    again: bool = False


def decide_present(stack: Stack | None, wish: Wish) -> Decision:
    """The next step towards a stack that is as wished."""
    if stack is None or stack.status in (GONE, REVIEW):
        return Decision(Step.CREATE)
    if stack.busy:
        return _busy(stack, wish)
    if stack.status in UPDATABLE:
        return Decision(Step.UPDATE)
    return _recover(stack, wish)


def _recover(stack: Stack, wish: Wish) -> Decision:
    """The way out of a status that an earlier failure left; AWS takes no update in it."""
    if stack.status == "ROLLBACK_COMPLETE":
        return Decision(Step.DELETE, "An earlier create was rolled back: the empty stack is deleted first.", True)
    if stack.status in HALF_CREATED:
        return _half_created(stack, wish)
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        return _stuck_rollback(stack, wish)
    return Decision(Step.REFUSE, _refusal(stack, REMEDIES.get(stack.status, UNKNOWN)))


def decide_absent(stack: Stack | None, wish: Wish) -> Decision:
    """The next step towards a stack that is not there."""
    if stack is None or stack.status == GONE:
        return Decision(Step.NOTHING)
    if stack.busy:
        # A deletion that another run began is waited for like an own one.
        return Decision(Step.WAIT, again=True) if stack.status == "DELETE_IN_PROGRESS" else _busy(stack, wish)
    if stack.termination_protection and wish.termination_protection is not False:
        return Decision(Step.REFUSE, _refusal(stack, PROTECTED))
    return Decision(Step.DELETE)


PROTECTED = "It is protected against termination. To delete it all the same, set termination_protection to false."
UNKNOWN = "Look at its events in the CloudFormation console; nothing is done in this status."
REMEDIES = {
    "DELETE_FAILED": (
        "Its deletion began and could not be finished. Finish it with state absent (retain_resources names what shall "
        "stay), then run this again."
    ),
    "IMPORT_ROLLBACK_FAILED": "Correct what its events name, then finish the rollback in the CloudFormation console.",
}


def _refusal(stack: Stack, remedy: str) -> str:
    reason = f" ({stack.status_reason.strip()})" if stack.status_reason else ""
    return f"Nothing was changed: stack {stack.name} is in status {stack.status}{reason}. {remedy}"


def _busy(stack: Stack, wish: Wish) -> Decision:
    if wish.when_busy == "fail":
        remedy = "Something else is at work on it: run this again when it is done, or set when_busy to wait."
        return Decision(Step.REFUSE, _refusal(stack, remedy))
    return Decision(Step.WAIT, f"Stack {stack.name} is in status {stack.status}: waiting for what began before.", True)


def _half_created(stack: Stack, wish: Wish) -> Decision:
    if wish.on_create_failure == "DELETE":
        return Decision(Step.DELETE, "An earlier create failed half way: what is left is deleted first.", True)
    remedy = (
        "A create failed and left resources. Look at them, then delete the stack (state absent), or set "
        "on_create_failure to DELETE to have leftovers removed before each new try."
    )
    return Decision(Step.REFUSE, _refusal(stack, remedy))


def _stuck_rollback(stack: Stack, wish: Wish) -> Decision:
    if wish.continue_rollback:
        return Decision(Step.CONTINUE_ROLLBACK, "An earlier rollback got stuck: it is continued first.", True)
    remedy = (
        "An update failed, and so did its rollback. Correct what its events name, then set continue_rollback to true; "
        "resources_to_skip names resources that can't be brought back."
    )
    return Decision(Step.REFUSE, _refusal(stack, remedy))


# What an operation may end in.
GOOD_ENDS = {
    Step.CREATE: frozenset({"CREATE_COMPLETE"}),
    Step.UPDATE: frozenset({"UPDATE_COMPLETE"}),
    Step.DELETE: frozenset({GONE}),
    Step.CONTINUE_ROLLBACK: frozenset({"UPDATE_ROLLBACK_COMPLETE"}),
}
NEXT = {
    "ROLLBACK_COMPLETE": "All that was made is gone again; the next run removes the empty stack first.",
    "CREATE_FAILED": "What was made is left for you to look at; delete it with state absent.",
    "ROLLBACK_FAILED": "Part of what was made could not be removed: delete it with state absent.",
    GONE: "All that was made is gone again, the stack too.",
    "UPDATE_ROLLBACK_COMPLETE": "All is as it was before.",
    "UPDATE_ROLLBACK_FAILED": "The rollback failed, too: correct the cause and set continue_rollback to true.",
    "UPDATE_FAILED": "It was left half way: correct the cause and run this again.",
    "DELETE_FAILED": "Correct the cause and run this again; retain_resources names what shall stay.",
}


@dataclasses.dataclass(frozen=True)
class Event:
    """One of a stack's events; own tells the stack's own from those of its resources."""

    event_id: str
    time: str
    logical_id: str
    type: str
    status: str
    reason: str
    own: bool

    @classmethod
    def from_api(cls, data: t.Mapping[str, t.Any]) -> Event:
        when = data["Timestamp"]
        return cls(
            event_id=data["EventId"],
            time=when.strftime("%H:%M:%S") if hasattr(when, "strftime") else str(when),
            logical_id=data.get("LogicalResourceId", ""),
            type=data.get("ResourceType", ""),
            status=data.get("ResourceStatus", ""),
            reason=data.get("ResourceStatusReason") or "",
            own=data.get("PhysicalResourceId") == data.get("StackId"),
        )

    def line(self) -> str:
        """As progress shows it."""
        reason = f": {self.reason}" if self.reason and self.reason != "User Initiated" else ""
        return f"{self.time} {self.status} {self.logical_id} ({self.type}){reason}"


def failure(name: str, step: str, status: str, events: t.Sequence[Event]) -> str:
    """What went wrong, from the first failures on, and how the stack is left."""
    bad = [one for one in events if one.status.endswith("_FAILED") and not one.own]
    # What AWS cancels because of another failure is no cause.
    causes = [one for one in bad if "cancelled" not in one.reason] or bad
    said = "; ".join(f"{one.logical_id} ({one.type}): {one.reason.strip().rstrip('.')}" for one in causes[:5])
    remedy = NEXT.get(status, UNKNOWN)
    return f"Could not {step} stack {name}: {said or f'it ended in {status}'}. It is now in status {status}. {remedy}"
