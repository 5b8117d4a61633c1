# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change sets that know parameters, conditions and replacements."""

from __future__ import annotations

import typing as t

from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.models import Stack
from moto.cloudformation.responses import CloudFormationResponse
from moto.cloudformation.utils import generate_changeset_id
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow

from testbed.aws import stack_diff, stack_operations, timeline
from testbed.aws.stack_requests import StackRequests

Json = dict[str, t.Any]
UNCHANGED = "The submitted information didn't contain changes. Submit different information to create a change set."


class ChangeSetNotFoundError(CloudFormationError):
    code = "ChangeSetNotFound"


class ChangeSets(StackRequests):
    """Creating, describing, listing, deleting and executing them."""

    RESPONSE_KEY_PATH_TO_TRANSFORMER: t.ClassVar[Json] = {
        key: value
        for key, value in CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER.items()
        if not key.startswith("DescribeChangeSetOutput")
    }

    def create_change_set(self) -> ActionResult:
        name, set_name = self._get_param("StackName"), self._get_param("ChangeSetName")
        stack = self._named(name)
        if self._get_param("ChangeSetType", "UPDATE") == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                raise ValidationError(
                    message=f"Stack [{name}] already exists and cannot be created again with the changeSet "
                    f"[{set_name}]."
                )
            template, parameters = self._asked(None)
            if stack is None:
                stack = self._new_stack(name)
                timeline.start(stack).own("REVIEW_IN_PROGRESS", "User Initiated")
        else:
            stack = self._settled(name)
            template, parameters = self._asked(stack)
        made = self._change_set(stack, set_name, template, parameters)
        self.cloudformation_backend.change_sets[made["ChangeSetId"]] = made
        return ActionResult({"Id": made["ChangeSetId"], "StackId": stack.stack_id})

    def _change_set(self, stack: Stack, name: str, template: str, parameters: dict[str, str]) -> Json:
        found = stack_diff.changes(stack, Stack.parse_template(template), parameters)
        empty = bool(stack.template) and self._unchanged(stack, template, parameters)
        return {
            "ChangeSetId": generate_changeset_id(name, self.region, self.current_account),
            "ChangeSetName": name,
            "StackId": stack.stack_id,
            "StackName": stack.name,
            "CreationTime": utcnow(),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in self._tags().items()],
            "Status": "FAILED" if empty else "CREATE_COMPLETE",
            "ExecutionStatus": "UNAVAILABLE" if empty else "AVAILABLE",
            **({"StatusReason": UNCHANGED} if empty else {}),
            "OnStackFailure": self._get_param("OnStackFailure") or "ROLLBACK",
            "Changes": [one.answer() for one in found],
            "Template": template,
        }

    def _found_change_set(self) -> Json:
        name, stack = self._get_param("ChangeSetName"), self._get_param("StackName")
        for one in self.cloudformation_backend.change_sets.values():
            owner = stack in (None, one["StackName"], one["StackId"])
            if name == one["ChangeSetId"] or (name == one["ChangeSetName"] and owner):
                return t.cast(Json, one)
        raise ChangeSetNotFoundError(f"ChangeSet [{name}] does not exist")

    def describe_change_set(self) -> ActionResult:
        shown = self._found_change_set()
        return ActionResult({key: value for key, value in shown.items() if key != "Template"})

    def list_change_sets(self) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        every = self.cloudformation_backend.change_sets.values()
        named = ("ChangeSetId", "ChangeSetName", "StackId", "StackName", "CreationTime", "Status", "ExecutionStatus")
        own = [{key: one[key] for key in named} for one in every if one["StackId"] == stack.stack_id]
        return ActionResult({"Summaries": own})

    def delete_change_set(self) -> ActionResult:
        try:
            del self.cloudformation_backend.change_sets[self._found_change_set()["ChangeSetId"]]
        except ChangeSetNotFoundError:
            if not str(self._get_param("ChangeSetName")).startswith("arn:"):
                raise
        return EmptyResult()

    def execute_change_set(self) -> ActionResult:
        asked = self._found_change_set()
        stack = self.cloudformation_backend.get_stack(asked["StackId"])
        if asked["ExecutionStatus"] != "AVAILABLE":
            raise ValidationError(
                message=f"ChangeSet [{asked['ChangeSetId']}] cannot be executed in its current status"
            )
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in asked["Parameters"]}
        tags = {one["Key"]: one["Value"] for one in asked["Tags"]}
        if stack.status == "REVIEW_IN_PROGRESS":
            stack_operations.create(stack, asked["Template"], parameters, tags, asked["OnStackFailure"])
        else:
            stack_operations.update(self._settled(stack.stack_id), asked["Template"], parameters, tags)
        sets = self.cloudformation_backend.change_sets
        for key in [key for key, one in sets.items() if one["StackId"] == stack.stack_id]:
            del sets[key]
        return EmptyResult()
