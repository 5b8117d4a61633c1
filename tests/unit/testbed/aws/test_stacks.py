# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks as CloudFormation makes, changes and removes them, through boto3."""

from __future__ import annotations

import json
import typing as t

import botocore.exceptions
import pytest
from testbed.aws import AwsServer, timeline
from testbed.aws.steering import STEERING

Json = dict[str, t.Any]
TEMPLATE: Json = {
    "Parameters": {
        "Value": {"Type": "String", "Default": "one"},
        "Size": {"Type": "Number", "Default": "1"},
        "Kind": {"Type": "String", "Default": "a", "AllowedValues": ["a", "b"]},
        "Extra": {"Type": "String", "Default": "no"},
    },
    "Conditions": {"WithExtra": {"Fn::Equals": [{"Ref": "Extra"}, "yes"]}},
    "Resources": {
        "Setting": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/team/setting", "Type": "String", "Value": {"Fn::Sub": "${Value}!"}},
        },
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "team-${Kind}"}}},
        "Alarm": {
            "Type": "AWS::CloudWatch::CompositeAlarm",
            "Properties": {"AlarmName": "x", "AlarmRule": {"Fn::Sub": "ALARM(${Bucket})"}},
        },
        "Maybe": {
            "Type": "AWS::SSM::Parameter",
            "Condition": "WithExtra",
            "Properties": {"Type": "String", "Value": "maybe"},
        },
    },
    "Outputs": {"Name": {"Value": {"Ref": "Bucket"}}},
}


def given(**values: str) -> list[Json]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def refusal(call: t.Callable[..., t.Any], **arguments: t.Any) -> str:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    return str(caught.value)


@pytest.fixture
def stacks(aws: AwsServer) -> t.Any:
    return aws.client("cloudformation")


@pytest.fixture
def stack(stacks: t.Any) -> t.Any:
    stacks.create_stack(StackName="one", TemplateBody=json.dumps(TEMPLATE))
    return stacks


def status(stacks: t.Any, name: str = "one") -> str:
    return str(stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


def story(stacks: t.Any, name: str = "one") -> list[str]:
    events = reversed(stacks.describe_stack_events(StackName=name)["StackEvents"])
    return [f"{event['LogicalResourceId']} {event['ResourceStatus']}" for event in events]


def change_set(stacks: t.Any, kind: str = "UPDATE", **values: str) -> Json:
    made = stacks.create_change_set(
        StackName="one",
        ChangeSetName="look",
        ChangeSetType=kind,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=given(**values),
    )
    return t.cast(Json, stacks.describe_change_set(ChangeSetName=made["Id"]))


def test_create_tells_its_story(stack: t.Any) -> None:
    found = stack.describe_stacks(StackName="one")["Stacks"][0]
    assert found["StackStatus"] == "CREATE_COMPLETE"
    assert found["Outputs"] == [{"OutputKey": "Name", "OutputValue": "team-a"}]
    told = story(stack)
    assert told[0] == "one CREATE_IN_PROGRESS"
    assert told[-1] == "one CREATE_COMPLETE"
    assert told.index("Bucket CREATE_COMPLETE") < told.index("Alarm CREATE_IN_PROGRESS")
    assert not [line for line in told if line.startswith("Maybe")]
    listed = stack.list_stack_resources(StackName="one")["StackResourceSummaries"]
    assert {one["LogicalResourceId"] for one in listed} == {"Setting", "Bucket", "Alarm"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param({"Value": "two"}, {("Modify", "Setting", "False")}, id="in-place"),
        pytest.param(
            {"Kind": "b"},
            {("Modify", "Bucket", "True"), ("Modify", "Alarm", "Conditional")},
            id="replaced-and-what-refers",
        ),
        pytest.param({"Extra": "yes"}, {("Add", "Maybe", None)}, id="condition-holds-now"),
        pytest.param({"Size": "2"}, set(), id="parameter-without-effect"),
    ],
)
def test_change_set_of_parameters(stack: t.Any, values: dict[str, str], expected: set[t.Any]) -> None:
    shown = change_set(stack, **values)
    found = [one["ResourceChange"] for one in shown["Changes"]]
    assert {(one["Action"], one["LogicalResourceId"], one.get("Replacement")) for one in found} == expected
    assert shown["Status"] == ("CREATE_COMPLETE" if expected else "FAILED")
    if not expected:
        assert "didn't contain changes" in shown["StatusReason"]


def test_change_set_is_executed(stack: t.Any, aws: AwsServer) -> None:
    shown = change_set(stack, Kind="b", Value="two")
    stack.execute_change_set(ChangeSetName=shown["ChangeSetId"])
    assert status(stack) == "UPDATE_COMPLETE"
    assert [one["Name"] for one in aws.client("s3").list_buckets()["Buckets"]] == ["team-b"]
    assert aws.client("ssm").get_parameter(Name="/team/setting")["Parameter"]["Value"] == "two!"
    assert change_set(stack, Kind="b", Value="two")["Status"] == "FAILED"


def test_removed_by_an_update(stack: t.Any, aws: AwsServer) -> None:
    smaller = {**TEMPLATE, "Resources": {"Bucket": TEMPLATE["Resources"]["Bucket"]}}
    stack.update_stack(StackName="one", TemplateBody=json.dumps(smaller))
    assert "Setting DELETE_COMPLETE" in story(stack)
    assert aws.client("ssm").describe_parameters()["Parameters"] == []
    assert "No updates are to be performed" in refusal(
        stack.update_stack, StackName="one", TemplateBody=json.dumps(smaller)
    )


def test_create_by_change_set(stacks: t.Any) -> None:
    shown = change_set(stacks, kind="CREATE")
    assert {one["ResourceChange"]["Action"] for one in shown["Changes"]} == {"Add"}
    assert status(stacks) == "REVIEW_IN_PROGRESS"
    stacks.execute_change_set(ChangeSetName=shown["ChangeSetId"])
    assert status(stacks) == "CREATE_COMPLETE"


@pytest.mark.parametrize(
    ("on_failure", "left"),
    [("ROLLBACK", "ROLLBACK_COMPLETE"), ("DO_NOTHING", "CREATE_FAILED"), ("DELETE", "gone")],
)
def test_failed_create(stacks: t.Any, aws: AwsServer, on_failure: str, left: str) -> None:
    STEERING.set({"fail": {"Alarm": "Resource limit exceeded."}})
    made = stacks.create_stack(StackName="one", TemplateBody=json.dumps(TEMPLATE), OnFailure=on_failure)["StackId"]
    assert status(stacks, made) == ("DELETE_COMPLETE" if left == "gone" else left)
    reasons = [one.get("ResourceStatusReason") for one in stacks.describe_stack_events(StackName=made)["StackEvents"]]
    assert "Resource limit exceeded." in reasons
    buckets = aws.client("s3").list_buckets()["Buckets"]
    assert bool(buckets) == (on_failure == "DO_NOTHING")
    if left == "ROLLBACK_COMPLETE":
        assert "ROLLBACK_COMPLETE state and can not be updated" in refusal(
            stacks.update_stack, StackName="one", TemplateBody=json.dumps(TEMPLATE)
        )


@pytest.mark.parametrize("stuck", [False, True])
def test_failed_update(stack: t.Any, aws: AwsServer, stuck: bool) -> None:
    STEERING.set({"fail": {"Bucket": "No."}, "fail_rollback": {"Setting": "Stuck."} if stuck else {}})
    stack.update_stack(StackName="one", TemplateBody=json.dumps(TEMPLATE), Parameters=given(Kind="b"))
    assert status(stack) == ("UPDATE_ROLLBACK_FAILED" if stuck else "UPDATE_ROLLBACK_COMPLETE")
    assert [one["Name"] for one in aws.client("s3").list_buckets()["Buckets"]] == ["team-a"]
    if stuck:
        stack.continue_update_rollback(StackName="one")
        assert status(stack) == "UPDATE_ROLLBACK_COMPLETE"


def test_delete(stack: t.Any) -> None:
    stack.update_termination_protection(StackName="one", EnableTerminationProtection=True)
    assert "TerminationProtection is enabled" in refusal(stack.delete_stack, StackName="one")
    stack.update_termination_protection(StackName="one", EnableTerminationProtection=False)
    STEERING.set({"fail_delete": {"Bucket": "The bucket you tried to delete is not empty."}})
    stack.delete_stack(StackName="one")
    assert status(stack) == "DELETE_FAILED"
    STEERING.reset()
    stack.delete_stack(StackName="one")
    assert "does not exist" in refusal(stack.describe_stacks, StackName="one")
    stack.delete_stack(StackName="one")


def test_at_a_pace(stacks: t.Any) -> None:
    STEERING.set({"pace": 60})
    stacks.create_stack(StackName="one", TemplateBody=json.dumps(TEMPLATE))
    assert status(stacks) == "CREATE_IN_PROGRESS"
    assert "CREATE_IN_PROGRESS state and can not be updated" in refusal(
        stacks.update_stack, StackName="one", TemplateBody=json.dumps(TEMPLATE)
    )
    first = len(story(stacks))
    timeline.hurry()
    assert status(stacks) == "CREATE_COMPLETE"
    assert len(story(stacks)) > first


@pytest.mark.parametrize(
    ("template", "values", "words"),
    [
        pytest.param({"Resources": {"X": {"Type": "AWS::No::Such"}}}, {}, "Unrecognized resource types", id="type"),
        pytest.param({"Outputs": {}}, {}, "At least one Resources member", id="empty"),
        pytest.param(TEMPLATE, {"Kind": "c"}, "must be one of AllowedValues", id="value"),
        pytest.param(TEMPLATE, {"Size": "many"}, "must be a number", id="number"),
        pytest.param(TEMPLATE, {"Nobody": "1"}, "do not exist in the template", id="parameter"),
        pytest.param(
            {"Resources": {"X": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "x"}}}},
            {},
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
            id="capabilities",
        ),
    ],
)
def test_refused(stacks: t.Any, template: Json, values: dict[str, str], words: str) -> None:
    said = refusal(stacks.create_stack, StackName="one", TemplateBody=json.dumps(template), Parameters=given(**values))
    assert words in said
    assert stacks.describe_stacks()["Stacks"] == []


def test_drift(stack: t.Any, aws: AwsServer) -> None:
    def found() -> dict[str, str]:
        detection = stack.detect_stack_drift(StackName="one")["StackDriftDetectionId"]
        looked = stack.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        assert looked["DetectionStatus"] == "DETECTION_COMPLETE"
        drifts = stack.describe_stack_resource_drifts(StackName="one")["StackResourceDrifts"]
        return {one["LogicalResourceId"]: one["StackResourceDriftStatus"] for one in drifts}

    assert set(found().values()) == {"IN_SYNC"}
    aws.client("ssm").put_parameter(Name="/team/setting", Value="else", Type="String", Overwrite=True)
    aws.client("s3").delete_bucket(Bucket="team-a")
    assert found() == {"Setting": "MODIFIED", "Bucket": "DELETED"}


def test_summary(stack: t.Any) -> None:
    summary = stack.get_template_summary(StackName="one")
    assert {one["ParameterKey"] for one in summary["Parameters"]} == set(TEMPLATE["Parameters"])


def test_quota(aws: AwsServer) -> None:
    quotas = aws.client("service-quotas")
    assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")["Quota"]["Value"] == 5.0
    STEERING.set({"quotas": {"L-1216C47A": 64.0}})
    assert quotas.get_service_quota(ServiceCode="ec2", QuotaCode="L-1216C47A")["Quota"]["Value"] == 64.0
    assert "NoSuchResource" in refusal(quotas.get_service_quota, ServiceCode="ec2", QuotaCode="L-00000000")
