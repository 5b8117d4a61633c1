# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change sets: CloudFormation's own answer to what a wish comes to, executed as shown or dropped without a trace."""

from __future__ import annotations

import dataclasses
import hashlib
import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import Aws, AwsError, Json
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack import GONE, REVIEW, Stack, Wish
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack_api import CFN, read
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack_plan import (
    SECRET,
    Change,
    Plan,
    check_parameters,
    compared,
    protection,
)

PREFIX = "fleetwright-"
ABANDONED_SECONDS = 3600
INLINE_BYTES = 51200  # what a call takes of a template; more has to come from S3
NO_CHANGE = ("didn't contain changes", "No updates are to be performed")
PLAN_SECONDS = 300.0


@dataclasses.dataclass(frozen=True)
class ChangeSet:
    """A change set, and what to clean up with it: the stack that it brought, the template that it uploaded."""

    change_set_id: str
    stack_id: str
    plan: Plan
    new_stack: bool
    uploaded: tuple[str, str] | None = None


class Planner:
    """Makes the change set that a wish comes to; the caller executes it or drops it."""

    def __init__(self, aws: Aws, wish: Wish, region: str, sleep: t.Callable[[float], None] = time.sleep) -> None:
        self._aws = aws
        self._wish = wish
        self._region = region
        self._sleep = sleep

    def plan(self, stack: Stack | None) -> ChangeSet:
        """Ask CloudFormation what it would do. Raises AwsError; nothing is left behind then."""
        new = stack is None or stack.status in (GONE, REVIEW)
        source, uploaded = self._source()
        try:
            declared = self._declared(source)
            made = self._create(stack, new, source, declared)
        except AwsError:
            self._forget(uploaded)
            raise
        empty = ChangeSet(made["Id"], made["StackId"], Plan("nothing"), new, uploaded)
        try:
            shown = self._finished(made["Id"])
            plan = self._read_plan(stack, new, shown, declared)
        except AwsError:
            self.drop(empty)
            raise
        return dataclasses.replace(empty, plan=plan)

    def drop(self, made: ChangeSet) -> None:
        """Remove a change set that is not executed, with the empty stack that it brought."""
        attempt = f"delete the change set of stack {self._wish.name}"
        self._aws.call(CFN, "delete_change_set", attempt, ChangeSetName=made.change_set_id)
        self._forget(made.uploaded)
        if not made.new_stack:
            return
        left = self._aws.call(CFN, "list_change_sets", attempt, StackName=made.stack_id)["Summaries"]
        now = read(self._aws, made.stack_id)
        # Another run's change set keeps the stack, unless it is one that a killed run left.
        if now is not None and now.status == REVIEW and all(_abandoned(one["ChangeSetName"]) for one in left):
            self._aws.call(CFN, "delete_stack", f"delete the empty stack {self._wish.name}", StackName=made.stack_id)

    def execute(self, made: ChangeSet) -> None:
        """Do what the change set says; that it is under way is all that is known then."""
        attempt = f"execute the change set of stack {self._wish.name}"
        self._aws.call(CFN, "execute_change_set", attempt, ChangeSetName=made.change_set_id)

    # The template

    def _source(self) -> tuple[Json, tuple[str, str] | None]:
        """How the template is handed over, and what was put into the bucket for it."""
        body = self._wish.template.encode()
        if len(body) <= INLINE_BYTES:
            return {"TemplateBody": self._wish.template}, None
        bucket = self._wish.template_bucket
        if not bucket:
            raise AwsError(
                f"hand the template of stack {self._wish.name} over",
                "TemplateTooLarge",
                f"it has {len(body)} bytes, and a call takes {INLINE_BYTES}",
                "Name a bucket of this region as template_bucket.",
            )
        key = f"cloudformation/{self._wish.name}/{hashlib.sha256(body).hexdigest()}.template"
        attempt = f"put the template of stack {self._wish.name} into bucket {bucket}"
        self._aws.call("s3", "put_object", attempt, Bucket=bucket, Key=key, Body=body)
        domain = "amazonaws.com.cn" if self._region.startswith("cn-") else "amazonaws.com"
        return {"TemplateURL": f"https://{bucket}.s3.{self._region}.{domain}/{key}"}, (bucket, key)

    def _forget(self, uploaded: tuple[str, str] | None) -> None:
        if uploaded:
            bucket, key = uploaded
            self._aws.call("s3", "delete_object", f"remove {key} from bucket {bucket}", Bucket=bucket, Key=key)

    def _declared(self, source: Json) -> dict[str, Json]:
        """The template's parameters by name; checks it, and what is given for them, on the way."""
        attempt = f"read the template of stack {self._wish.name}"
        found = self._aws.call(CFN, "get_template_summary", attempt, **source).get("Parameters", [])
        declared = {one["ParameterKey"]: one for one in found}
        problems = check_parameters(self._wish, declared)
        if problems:
            remedy = "Correct the parameters; nothing was changed."
            raise AwsError(f"use the parameters of stack {self._wish.name}", "Parameters", "; ".join(problems), remedy)
        return declared

    # The change set

    def _create(self, stack: Stack | None, new: bool, source: Json, declared: t.Mapping[str, Json]) -> Json:
        wish = self._wish
        kept = {} if new or stack is None else stack.parameters
        parameters: list[Json] = []
        for key, value in wish.parameters.items():
            if value is not None:
                parameters.append({"ParameterKey": key, "ParameterValue": value})
            elif key in kept:
                parameters.append({"ParameterKey": key, "UsePreviousValue": True})
            elif "DefaultValue" not in declared[key]:
                raise AwsError(
                    f"use the parameters of stack {wish.name}",
                    "Parameters",
                    f"{key} shall keep its value, and the stack has none",
                    "Give its value; nothing was changed.",
                )
        return self._aws.call(
            CFN,
            "create_change_set",
            f"plan stack {wish.name}",
            StackName=wish.name,
            ChangeSetName=f"{PREFIX}{time.time_ns()}",
            ChangeSetType="CREATE" if new else "UPDATE",
            Parameters=parameters,
            Tags=[{"Key": key, "Value": value} for key, value in sorted(wish.tags.items())],
            Capabilities=list(wish.capabilities),
            RoleARN=wish.role_arn,
            NotificationARNs=list(wish.notification_arns),
            OnStackFailure=wish.on_create_failure if new else None,
            **source,
        )

    def _finished(self, change_set_id: str) -> Json:
        """The change set when CloudFormation has worked it out, with all its changes."""
        attempt = f"read the plan of stack {self._wish.name}"
        end, pause = time.monotonic() + PLAN_SECONDS, 0.2
        while True:
            shown = self._aws.call(CFN, "describe_change_set", attempt, ChangeSetName=change_set_id)
            if not shown["Status"].endswith(("_PENDING", "_IN_PROGRESS")):
                break
            if time.monotonic() > end:
                raise AwsError(attempt, "Timeout", f"CloudFormation was not done in {PLAN_SECONDS:.0f} s", "Try again.")
            self._sleep(pause)
            pause = min(pause * 2, 5.0)
        token = shown.get("NextToken")
        while token:
            page = self._aws.call(CFN, "describe_change_set", attempt, ChangeSetName=change_set_id, NextToken=token)
            shown["Changes"] += page["Changes"]
            token = page.get("NextToken")
        return shown

    def _read_plan(self, stack: Stack | None, new: bool, shown: Json, declared: t.Mapping[str, Json]) -> Plan:
        reason = shown.get("StatusReason", "")
        unchanged = shown["Status"] == "FAILED" and any(words in reason for words in NO_CHANGE)
        if shown["Status"] == "FAILED" and not unchanged:
            raise AwsError(
                f"plan stack {self._wish.name}", "ChangeSetFailed", reason or "CloudFormation says no reason"
            )
        old = None if new else stack
        other = tuple(protection(old, self._wish))
        if unchanged:
            return Plan("nothing", other=other)
        secrets = self._wish.secrets | {key for key, one in declared.items() if one.get("NoEcho")}
        return Plan(
            step="create" if new else "update",
            changes=tuple(Change.from_api(one["ResourceChange"]) for one in shown.get("Changes", [])),
            parameters=tuple(self._parameter_lines(old, declared, secrets)),
            tags=tuple(compared(old.tags if old else {}, self._wish.tags, "tag", ())),
            other=other,
        )

    def _parameter_lines(
        self, old: Stack | None, declared: t.Mapping[str, Json], secrets: t.AbstractSet[str]
    ) -> list[str]:
        before = dict(old.parameters) if old else {}
        after = {}
        for key, one in declared.items():
            given = self._wish.parameters.get(key)
            value = before.get(key) if key in self._wish.parameters and given is None else given
            after[key] = str(one.get("DefaultValue", "") if value is None else value)
        hidden = {key: SECRET for key in secrets if key in before}
        return compared({**before, **hidden}, after, "parameter", secrets)


def _abandoned(name: str) -> bool:
    """Whether a change set is one of ours that nobody waits for any more; its name holds its birth in nanoseconds."""
    birth = name[len(PREFIX) :]
    return name.startswith(PREFIX) and birth.isdigit() and time.time_ns() - int(birth) > ABANDONED_SECONDS * 10**9
