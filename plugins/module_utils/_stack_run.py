# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run on a stack: plan, start, watch, finish.

Each part returns at once or after a few seconds, so that whoever calls can show progress; the result says how to go on.
"""

from __future__ import annotations

import dataclasses
import time

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _stack_api
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import Aws, Json
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._change_set import Planner
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack import (
    GONE,
    GOOD_ENDS,
    Decision,
    Stack,
    Step,
    Wish,
    decide_absent,
    decide_present,
    failure,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack_plan import (
    Plan,
    endangered,
    protection,
    refusal,
)

CFN = _stack_api.CFN
LOOK_SECONDS = 1.0
# The event with which an operation begins.
BEGINNINGS = {
    Step.CREATE: "CREATE_IN_PROGRESS",
    Step.UPDATE: "UPDATE_IN_PROGRESS",
    Step.DELETE: "DELETE_IN_PROGRESS",
    Step.CONTINUE_ROLLBACK: "UPDATE_ROLLBACK_IN_PROGRESS",
}


class Refused(Exception):
    """Nothing was done, and the text says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Watch:
    """An operation under way: which, after which event its own come, and whether another decision follows.

    begun: a sign of it was seen; until then a status at rest is that of before.
    """

    stack_id: str
    step: str
    after: str
    again: bool
    begun: bool = False

    def as_result(self) -> Json:
        return dataclasses.asdict(self)


class Run:
    """A run towards state present or absent."""

    def __init__(self, aws: Aws, wish: Wish, region: str, *, check_mode: bool) -> None:
        self._aws = aws
        self._wish = wish
        self._planner = Planner(aws, wish, region)
        self._check_mode = check_mode

    def start(self, state: str) -> Json:
        """Begin what is to be done next. Raises Refused and AwsError."""
        stack = _stack_api.read(self._aws, self._wish.name)
        decision = (decide_present if state == "present" else decide_absent)(stack, self._wish)
        if decision.step is Step.REFUSE:
            raise Refused(decision.message)
        if decision.step is Step.NOTHING:
            return self._result(stack, Plan("nothing"))
        if decision.step in (Step.CREATE, Step.UPDATE):
            return self._change(stack)
        return self._other(stack, decision) if stack else self._result(None, Plan("nothing"))

    def _other(self, stack: Stack, decision: Decision) -> Json:
        """Wait, delete or continue a rollback; in check mode say that this comes first."""
        if self._check_mode:
            step = {Step.DELETE: "delete", Step.WAIT: "wait"}.get(decision.step, "continue_rollback")
            if decision.again and decision.step is not Step.WAIT:
                step = f"{step}, then create" if decision.step is Step.DELETE else f"{step}, then update"
            note = decision.message or f"- stack {stack.name}"
            return self._result(stack, Plan(step, other=(note,)))
        after = _stack_api.last_event(self._aws, stack.stack_id)
        if decision.step is Step.DELETE:
            self._delete(stack)
        elif decision.step is Step.CONTINUE_ROLLBACK:
            self._continue_rollback(stack)
        plan = Plan("nothing" if decision.step is Step.WAIT else decision.step.value)
        watch = Watch(stack.stack_id, decision.step.value, after, decision.again, decision.step is Step.WAIT)
        return {**self._result(stack, plan), "watch": watch.as_result(), "note": decision.message}

    def _delete(self, stack: Stack) -> None:
        if stack.termination_protection and self._wish.termination_protection is False:
            self._protect(stack.stack_id, False)
        retain = list(self._wish.retain_resources) if stack.status == "DELETE_FAILED" else []
        self._aws.call(
            CFN,
            "delete_stack",
            f"delete stack {stack.name}",
            StackName=stack.stack_id,
            RoleARN=self._wish.role_arn,
            RetainResources=retain or None,
        )

    def _continue_rollback(self, stack: Stack) -> None:
        self._aws.call(
            CFN,
            "continue_update_rollback",
            f"continue the rollback of stack {stack.name}",
            StackName=stack.stack_id,
            RoleARN=self._wish.role_arn,
            ResourcesToSkip=list(self._wish.resources_to_skip) or None,
        )

    def _change(self, stack: Stack | None) -> Json:
        """Plan, and carry it out unless that is only asked for, or forbidden."""
        made = self._planner.plan(stack)
        lost = endangered(made.plan, self._wish)
        if lost or self._check_mode or made.plan.step == "nothing":
            self._planner.drop(made)
            if lost:
                raise Refused(refusal(self._wish.name, lost))
            return self._unchanged(stack, made.plan)
        after = _stack_api.last_event(self._aws, made.stack_id)
        self._planner.execute(made)
        watch = Watch(made.stack_id, made.plan.step, after, False)
        return {**self._result(stack, made.plan), "watch": watch.as_result()}

    def _unchanged(self, stack: Stack | None, plan: Plan) -> Json:
        """Nothing to do for CloudFormation; termination protection is not part of a change set."""
        if not self._check_mode and stack is not None:
            self._finish(stack)
        return self._result(stack, plan)

    def watch(self, watch: Watch, seconds: float) -> Json:
        """Return when something happened or the seconds are over: new events, and whether it has ended."""
        end = time.monotonic() + seconds
        while True:
            stack = _stack_api.read(self._aws, watch.stack_id)
            new = _stack_api.events(self._aws, watch.stack_id, watch.after)
            ended = (watch.begun or bool(new)) and (stack is None or not stack.busy)
            if new or ended or time.monotonic() > end:
                break
            time.sleep(LOOK_SECONDS)
        status = stack.status if stack else GONE
        after = new[-1].event_id if new else watch.after
        found: Json = {
            "ended": ended,
            "status": status,
            "events": [one.line() for one in new],
            "watch": dataclasses.replace(watch, after=after, begun=watch.begun or bool(new)).as_result(),
        }
        return {**found, **self._end(watch, stack, status)} if ended else found

    def _end(self, watch: Watch, stack: Stack | None, status: str) -> Json:
        """What an operation that has ended comes to: the stack's outputs, or why it failed."""
        step = Step(watch.step)
        if step is not Step.WAIT and status not in GOOD_ENDS[step]:
            every = _stack_api.events(self._aws, watch.stack_id, "")
            marks = [n for n, one in enumerate(every) if one.own and one.status == BEGINNINGS[step]]
            begun = marks[-1] if marks else 0
            return {"failure": failure(self._wish.name, watch.step, status, every[begun:])}
        if stack is not None and not watch.again:
            self._finish(stack)
        return self._of_stack(stack)

    def _finish(self, stack: Stack) -> None:
        if protection(stack, self._wish):
            self._protect(stack.stack_id, bool(self._wish.termination_protection))

    def _protect(self, stack_id: str, on: bool) -> None:
        self._aws.call(
            CFN,
            "update_termination_protection",
            f"turn termination protection of stack {self._wish.name} {'on' if on else 'off'}",
            StackName=stack_id,
            EnableTerminationProtection=on,
        )

    def _result(self, stack: Stack | None, plan: Plan) -> Json:
        return {
            "changed": plan.changed,
            "plan": plan.as_result(),
            "diff": {"prepared": "".join(f"{line}\n" for line in plan.lines())},
            **self._of_stack(stack),
        }

    @staticmethod
    def _of_stack(stack: Stack | None) -> Json:
        if stack is None:
            return {"stack_id": None, "stack_status": None, "outputs": {}}
        return {"stack_id": stack.stack_id, "stack_status": stack.status, "outputs": dict(stack.outputs)}
