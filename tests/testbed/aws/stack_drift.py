# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift: what resources are now against what their stack made of them, for the types whose state moto keeps."""

from __future__ import annotations

import json
import typing as t

from moto.cloudformation.models import Stack
from moto.cloudformation.parsing import clean_json
from moto.core.utils import utcnow
from moto.s3.models import s3_backends
from moto.ssm.models import ssm_backends

Json = dict[str, t.Any]
DETECTIONS: dict[str, Stack] = {}


def _group(stack: Stack, physical: str) -> t.Optional[Json]:
    from moto.autoscaling.models import autoscaling_backends

    found = autoscaling_backends[stack.account_id][stack.region_name].autoscaling_groups.get(physical)
    return None if found is None else {"MinSize": str(found.min_size), "MaxSize": str(found.max_size)}


def _bucket(stack: Stack, physical: str) -> t.Optional[Json]:
    return {} if physical in s3_backends[stack.account_id]["aws"].buckets else None


def _parameter(stack: Stack, physical: str) -> t.Optional[Json]:
    found = ssm_backends[stack.account_id][stack.region_name].get_parameter(physical)
    return None if found is None else {"Value": found.value}


# What is looked at; None means that the resource is gone.
READERS: dict[str, t.Callable[[Stack, str], t.Optional[Json]]] = {
    "AWS::AutoScaling::AutoScalingGroup": _group,
    "AWS::S3::Bucket": _bucket,
    "AWS::SSM::Parameter": _parameter,
}


def looked_at(stack: Stack) -> list[Json]:
    """What DescribeStackResourceDrifts answers for every resource that has a reader."""
    made = [one for one in stack.stack_resources if getattr(one, "cf_resource_type", None) in READERS]
    return [_look(stack, one) for one in made]


def _look(stack: Stack, resource: t.Any) -> Json:
    kind, name, physical = resource.cf_resource_type, resource.logical_resource_id, resource.physical_resource_id
    properties = clean_json(stack.template_dict["Resources"][name].get("Properties", {}), stack.resource_map)
    actual = READERS[kind](stack, physical)
    expected = {key: str(properties[key]) for key in actual or {} if key in properties}
    differences = [
        {
            "PropertyPath": f"/{key}",
            "ExpectedValue": value,
            "ActualValue": str((actual or {})[key]),
            "DifferenceType": "NOT_EQUAL",
        }
        for key, value in expected.items()
        if str((actual or {})[key]) != value
    ]
    return {
        "StackId": stack.stack_id,
        "LogicalResourceId": name,
        "PhysicalResourceId": physical,
        "ResourceType": kind,
        "ExpectedProperties": json.dumps(expected),
        "ActualProperties": json.dumps(actual or {}),
        "PropertyDifferences": differences,
        "StackResourceDriftStatus": "DELETED" if actual is None else "MODIFIED" if differences else "IN_SYNC",
        "Timestamp": utcnow(),
    }


def drifted(stack: Stack) -> list[Json]:
    """Those that are not as they were made."""
    return [one for one in looked_at(stack) if one["StackResourceDriftStatus"] != "IN_SYNC"]
