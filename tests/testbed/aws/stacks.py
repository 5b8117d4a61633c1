# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation's operations where moto lacks them or answers otherwise than AWS.

"No updates"; events of every resource; failures with
rollback; termination protection; drift; what may not be done in which status. Wording is AWS's.
"""

from __future__ import annotations

import typing as t

from moto.cloudformation.exceptions import AlreadyExistsException, ValidationError
from moto.cloudformation.responses import StackResourceDTO
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from testbed.aws import stack_drift, stack_operations, timeline
from testbed.aws.change_sets import ChangeSets
from testbed.aws.stack_requests import capabilities, parsed
from testbed.aws.steering import STEERING

Json = dict[str, t.Any]


class Stacks(ChangeSets):
    """The operations; what is not here is moto's own."""

    def call_action(self) -> t.Any:
        timeline.advance(self.cloudformation_backend)
        try:
            return super().call_action()
        finally:
            timeline.advance(self.cloudformation_backend)

    # Stacks

    def describe_stacks(self) -> ActionResult:
        if STEERING.looks:
            STEERING.looks -= 1
            if not STEERING.looks:
                timeline.hurry()
                timeline.advance(self.cloudformation_backend)
        return super().describe_stacks()

    def create_stack(self) -> ActionResult:
        name = self._get_param("StackName")
        if self._named(name) is not None:
            raise AlreadyExistsException(f"Stack [{name}] already exists")
        template, parameters = self._asked(None)
        stack = self._new_stack(name)
        stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection", False)
        on_failure = self._get_param("OnFailure") or (
            "DO_NOTHING" if self._get_bool_param("DisableRollback", False) else "ROLLBACK"
        )
        stack_operations.create(stack, template, parameters, self._tags(), on_failure)
        return ActionResult({"StackId": stack.stack_id})

    def update_stack(self) -> ActionResult:
        stack = self._settled(self._get_param("StackName"))
        template, parameters = self._asked(stack)
        if self._unchanged(stack, template, parameters):
            raise ValidationError(message="No updates are to be performed.")
        stack_operations.update(stack, template, parameters, self._tags())
        return ActionResult({"StackId": stack.stack_id})

    def delete_stack(self) -> ActionResult:
        stack = self._named(self._get_param("StackName"))
        if stack is None:
            return EmptyResult()
        if stack.enable_termination_protection:
            raise ValidationError(
                message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        if stack.status != "DELETE_IN_PROGRESS":
            stack_operations.delete(stack)
        return EmptyResult()

    def update_termination_protection(self) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection")
        return ActionResult({"StackId": stack.stack_id})

    def continue_update_rollback(self) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise ValidationError(
                message=f"Stack:{stack.stack_id} is in {stack.status} state and can not continue update rollback."
            )
        events = timeline.start(stack)
        events.own("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
        stack_operations.rolled_back(events)
        return EmptyResult()

    def describe_stack_resources(self) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        wanted = self._get_param("LogicalResourceId")
        found = [one for one in stack.stack_resources if one is not None]
        named = [one for one in found if wanted in (None, one.logical_resource_id)]
        return ActionResult({"StackResources": [StackResourceDTO(stack, one) for one in named]})

    def list_stack_resources(self) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        found = [one for one in stack.stack_resources if one is not None]
        summaries = [
            {
                "LogicalResourceId": one.logical_resource_id,
                "PhysicalResourceId": one.physical_resource_id,
                "ResourceType": one.cf_resource_type,
                "LastUpdatedTimestamp": stack.creation_time,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for one in found
        ]
        return ActionResult({"StackResourceSummaries": summaries})

    def get_template_summary(self) -> ActionResult:
        name = self._get_param("StackName")
        text = str(self.cloudformation_backend.get_stack(name).template) if name else self._template(None)
        template = parsed(text)
        needed = capabilities(template)
        parameters = [
            {
                "ParameterKey": key,
                "ParameterType": one.get("Type", "String"),
                "NoEcho": bool(one.get("NoEcho", False)),
                **({"DefaultValue": str(one["Default"])} if "Default" in one else {}),
            }
            for key, one in (template.get("Parameters") or {}).items()
        ]
        kinds = [one["Type"] for one in template["Resources"].values()]
        summary = {"Parameters": parameters, "ResourceTypes": kinds, "Capabilities": [needed] if needed else []}
        return ActionResult(summary)

    # Drift

    def detect_stack_drift(self) -> ActionResult:
        stack = self._settled(self._get_param("StackName"))
        found = str(mock_random.uuid4())
        stack_drift.DETECTIONS[found] = stack
        return ActionResult({"StackDriftDetectionId": found})

    def describe_stack_drift_detection_status(self) -> ActionResult:
        found = self._get_param("StackDriftDetectionId")
        stack = stack_drift.DETECTIONS[found]
        drifted = stack_drift.drifted(stack)
        return ActionResult(
            {
                "StackId": stack.stack_id,
                "StackDriftDetectionId": found,
                "StackDriftStatus": "DRIFTED" if drifted else "IN_SYNC",
                "DetectionStatus": "DETECTION_COMPLETE",
                "DriftedStackResourceCount": len(drifted),
                "Timestamp": utcnow(),
            }
        )

    def describe_stack_resource_drifts(self) -> ActionResult:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        wanted = self._get_param("StackResourceDriftStatusFilters", [])
        found = [one for one in stack_drift.looked_at(stack) if not wanted or one["StackResourceDriftStatus"] in wanted]
        return ActionResult({"StackResourceDrifts": found})
