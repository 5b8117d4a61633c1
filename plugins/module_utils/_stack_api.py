# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of CloudFormation: stacks, their events, their drift."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import Aws, AwsError, Json
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack import Event, Stack

CFN = "cloudformation"
DRIFT_SECONDS = 600.0


def read(aws: Aws, name: str) -> Stack | None:
    """The stack of this name or id, or None."""
    try:
        found = aws.call(CFN, "describe_stacks", f"read stack {name}", StackName=name)["Stacks"]
    except AwsError as exc:
        if exc.code == "ValidationError" and "does not exist" in exc.detail:
            return None
        raise
    return Stack.from_api(found[0])


def last_event(aws: Aws, stack_id: str) -> str:
    """The id of the newest event, after which an operation's own come; empty where there is none."""
    newest = events(aws, stack_id, "")
    return newest[-1].event_id if newest else ""


def events(aws: Aws, stack_id: str, after: str) -> list[Event]:
    """The events that came after this one, oldest first."""
    found: list[Event] = []
    token: str | None = None
    while True:
        page = aws.call(CFN, "describe_stack_events", f"read events of {stack_id}", StackName=stack_id, NextToken=token)
        for data in page["StackEvents"]:
            if data["EventId"] == after:
                return found[::-1]
            found.append(Event.from_api(data))
        token = page.get("NextToken")
        if not token or not after:  # without a mark the newest page is enough
            return found[::-1]


def drift(
    aws: Aws, name: str, sleep: t.Callable[[float], None] = time.sleep, seconds: float = DRIFT_SECONDS
) -> list[Json]:
    """Resources that are no longer as the stack made them; takes as long as CloudFormation needs to look at each."""
    attempt = f"detect drift of stack {name}"
    detection = aws.call(CFN, "detect_stack_drift", attempt, StackName=name)["StackDriftDetectionId"]
    end, pause = time.monotonic() + seconds, 0.5
    while True:
        status = aws.call(CFN, "describe_stack_drift_detection_status", attempt, StackDriftDetectionId=detection)
        if status["DetectionStatus"] != "DETECTION_IN_PROGRESS":
            break
        if time.monotonic() > end:
            raise AwsError(attempt, "Timeout", f"CloudFormation was not done in {seconds:.0f} s", "Try again.")
        sleep(pause)
        pause = min(pause * 2, 5.0)
    filters = ["MODIFIED", "DELETED"]
    found: list[Json] = []
    token: str | None = None
    while True:
        page = aws.call(
            CFN,
            "describe_stack_resource_drifts",
            attempt,
            StackName=name,
            StackResourceDriftStatusFilters=filters,
            NextToken=token,
        )
        found += [_drifted(one) for one in page["StackResourceDrifts"]]
        token = page.get("NextToken")
        if not token:
            break
    if status["DetectionStatus"] == "DETECTION_FAILED":
        reason = status.get("DetectionStatusReason", "CloudFormation says no reason")
        raise AwsError(attempt, "DetectionFailed", reason, "Allow the caller to read the resources that it names.")
    return found


def _drifted(data: Json) -> Json:
    return {
        "logical_id": data["LogicalResourceId"],
        "physical_id": data.get("PhysicalResourceId", ""),
        "type": data["ResourceType"],
        "status": data["StackResourceDriftStatus"],
        "differences": [
            {
                "path": one["PropertyPath"],
                "expected": one["ExpectedValue"],
                "actual": one["ActualValue"],
                "type": one["DifferenceType"],
            }
            for one in data.get("PropertyDifferences", [])
        ],
    }
