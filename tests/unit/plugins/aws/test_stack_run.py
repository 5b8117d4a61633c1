# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on stacks, from nothing to nothing: what they change, what they leave, what they say."""

from __future__ import annotations

import json
import threading
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _stack_api
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import Aws, AwsError
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._change_set import PREFIX, Planner
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack import Wish
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._stack_run import Refused, Run, Watch
from testbed.aws import AwsServer, timeline
from testbed.aws.server import REGION
from testbed.aws.steering import STEERING

Json = dict[str, t.Any]
TEMPLATE = json.dumps(
    {
        "Parameters": {
            "Value": {"Type": "String", "Default": "one"},
            "Kind": {"Type": "String", "Default": "a", "AllowedValues": ["a", "b"]},
            "Token": {"Type": "String", "Default": "", "NoEcho": True},
        },
        "Resources": {
            "Setting": {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Name": "/team/setting", "Type": "String", "Value": {"Ref": "Value"}},
            },
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "team-${Kind}"}}},
        },
        "Outputs": {"Name": {"Value": {"Ref": "Bucket"}}},
    }
)
WISH = Wish("one", TEMPLATE, tags={"team": "x"})


def wish(**more: t.Any) -> Wish:
    return Wish(**{"name": "one", "template": TEMPLATE, "tags": {"team": "x"}, **more})


def go(aws: Aws, wanted: Wish = WISH, state: str = "present", check_mode: bool = False) -> Json:
    """Run as the action plugin does; "ways" are the steps on the way."""
    ways: list[str] = []
    while True:
        run = Run(aws, wanted, REGION, check_mode=check_mode)
        result = run.start(state)
        watch = result.get("watch")
        if watch is None:
            return {**result, "ways": ways}
        ways.append(watch["step"])
        while not (seen := run.watch(Watch(**watch), 5))["ended"]:
            watch = seen["watch"]
        result = {**result, **seen, "ways": ways}
        if "failure" in seen or not watch["again"]:
            return result


def status(aws: Aws) -> str | None:
    found = _stack_api.read(aws, "one")
    return found.status if found else None


def left_behind(server: AwsServer) -> list[str]:
    stacks = server.client("cloudformation")
    found = stacks.describe_stacks()["Stacks"]
    sets = [one for stack in found for one in stacks.list_change_sets(StackName=stack["StackId"])["Summaries"]]
    return [one["ChangeSetName"] for one in sets]


def test_made_unchanged_updated_removed(aws: Aws, server: AwsServer) -> None:
    first = go(aws)
    assert (first["changed"], first["outputs"], first["ways"]) == (True, {"Name": "team-a"}, ["create"])
    again = go(aws)
    assert (again["changed"], again["plan"]["lines"], again["outputs"]) == (False, [], {"Name": "team-a"})
    changed = go(aws, wish(parameters={"Value": "two"}, termination_protection=True))
    assert changed["plan"]["lines"] == [
        "~ Setting (AWS::SSM::Parameter): Value",
        "~ parameter Value: one -> two",
        "~ termination protection: off -> on",
    ]
    assert go(aws, wish(parameters={"Value": "two"}, termination_protection=True))["changed"] is False
    with pytest.raises(Refused, match="protected against termination"):
        go(aws, state="absent")
    assert go(aws, wish(termination_protection=False), "absent")["changed"] is True
    assert status(aws) is None
    nothing = go(aws, state="absent")
    assert (nothing["changed"], nothing["plan"]["step"]) == (False, "nothing")


def test_protection_alone(aws: Aws) -> None:
    go(aws)
    result = go(aws, wish(termination_protection=True))
    assert (result["changed"], result["plan"]["step"]) == (True, "nothing")
    assert go(aws, wish(termination_protection=True))["changed"] is False


def test_check_mode_tells_and_leaves_nothing(aws: Aws, server: AwsServer) -> None:
    planned = go(aws, check_mode=True)
    assert planned["plan"]["step"] == "create"
    assert server.client("cloudformation").describe_stacks()["Stacks"] == []
    done = go(aws)
    assert done["plan"]["lines"] == planned["plan"]["lines"]
    planned = go(aws, wish(parameters={"Value": "two"}), check_mode=True)
    assert left_behind(server) == []
    assert server.client("ssm").get_parameter(Name="/team/setting")["Parameter"]["Value"] == "one"
    assert go(aws, wish(parameters={"Value": "two"}))["plan"]["lines"] == planned["plan"]["lines"]
    assert go(aws, wish(parameters={"Value": "two"}), check_mode=True)["changed"] is False
    assert go(aws, state="absent", check_mode=True)["changed"] is True
    assert status(aws) == "UPDATE_COMPLETE"


def test_replacement_of_what_holds_data_is_refused(aws: Aws, server: AwsServer) -> None:
    go(aws)
    keeping = wish(parameters={"Kind": "b"}, protected_types=("AWS::S3::Bucket",))
    for check_mode in (True, False):
        with pytest.raises(Refused, match=r"-/\+ Bucket \(AWS::S3::Bucket\) is replaced: BucketName"):
            go(aws, keeping, check_mode=check_mode)
    assert left_behind(server) == []
    assert go(aws, wish(parameters={"Kind": "b"}))["outputs"] == {"Name": "team-b"}


@pytest.mark.parametrize(
    ("choice", "left", "ways"),
    [
        ("ROLLBACK", "ROLLBACK_COMPLETE", ["delete", "create"]),
        ("DELETE", None, ["create"]),
        ("DO_NOTHING", "CREATE_FAILED", None),
    ],
)
def test_failed_create(aws: Aws, choice: str, left: str | None, ways: list[str] | None) -> None:
    STEERING.set({"fail": {"Bucket": "team-a already exists"}})
    said = go(aws, wish(on_create_failure=choice))["failure"]
    assert "Could not create stack one: Bucket (AWS::S3::Bucket): team-a already exists." in said
    assert status(aws) == left
    STEERING.reset()
    if ways is None:
        with pytest.raises(Refused, match="set on_create_failure to DELETE"):
            go(aws, wish(on_create_failure=choice))
        assert go(aws, wish(on_create_failure="DELETE"))["ways"] == ["delete", "create"]
    else:
        assert go(aws, wish(on_create_failure=choice))["ways"] == ways
    assert status(aws) == "CREATE_COMPLETE"


def test_failed_update(aws: Aws) -> None:
    go(aws)
    STEERING.set({"fail": {"Setting": "Too long."}})
    said = go(aws, wish(parameters={"Value": "two"}))["failure"]
    assert "Could not update stack one: Setting (AWS::SSM::Parameter): Too long." in said
    assert "All is as it was before." in said
    STEERING.reset()
    assert go(aws, wish(parameters={"Value": "two"}))["ways"] == ["update"]


def test_stuck_rollback(aws: Aws) -> None:
    go(aws)
    STEERING.set({"fail": {"Setting": "Too long."}, "fail_rollback": {"Bucket": "Gone."}})
    assert "The rollback failed, too" in go(aws, wish(parameters={"Value": "two"}))["failure"]
    STEERING.reset()
    with pytest.raises(Refused, match="set continue_rollback to true"):
        go(aws)
    done = go(aws, wish(parameters={"Value": "two"}, continue_rollback=True))
    assert done["ways"] == ["continue_rollback", "update"]
    assert status(aws) == "UPDATE_COMPLETE"


def test_failed_deletion(aws: Aws) -> None:
    go(aws)
    STEERING.set({"fail_delete": {"Bucket": "The bucket is not empty"}})
    said = go(aws, state="absent")["failure"]
    assert "Bucket (AWS::S3::Bucket): The bucket is not empty." in said
    assert "retain_resources" in said
    with pytest.raises(Refused, match="Finish it with state absent"):
        go(aws)
    STEERING.reset()
    assert go(aws, state="absent")["changed"] is True


def test_killed_run_is_picked_up(aws: Aws) -> None:
    """A run that died after it began something: the next one waits for that, and goes on from there."""
    STEERING.set({"pace": 60})
    Run(aws, WISH, REGION, check_mode=False).start("present")
    assert status(aws) == "CREATE_IN_PROGRESS"
    with pytest.raises(Refused, match="when_busy"):
        go(aws, wish(when_busy="fail"))
    assert go(aws, check_mode=True)["plan"]["step"] == "wait"
    STEERING.reset()
    threading.Timer(1.5, timeline.hurry).start()
    assert go(aws, wish(parameters={"Value": "two"}))["ways"] == ["wait", "update"]


def test_killed_deletion_is_picked_up(aws: Aws) -> None:
    go(aws)
    STEERING.set({"pace": 60})
    Run(aws, WISH, REGION, check_mode=False).start("absent")
    threading.Timer(1.5, timeline.hurry).start()
    assert go(aws, state="absent")["ways"] == ["wait"]
    assert status(aws) is None


def test_killed_plan_is_cleaned_up(aws: Aws, server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that was killed leaves an empty stack with its change set; others' change sets are left alone."""
    stacks = server.client("cloudformation")
    stacks.create_change_set(StackName="one", ChangeSetName=f"{PREFIX}1", ChangeSetType="CREATE", TemplateBody=TEMPLATE)
    assert status(aws) == "REVIEW_IN_PROGRESS"
    go(aws, check_mode=True)
    assert status(aws) is None
    stacks.create_change_set(StackName="one", ChangeSetName="of-others", ChangeSetType="CREATE", TemplateBody=TEMPLATE)
    go(aws, check_mode=True)
    assert status(aws) == "REVIEW_IN_PROGRESS"
    assert go(aws)["ways"] == ["create"]


def test_previous_values_and_secrets(aws: Aws) -> None:
    go(aws, wish(parameters={"Value": "two", "Token": "hush"}, secrets=frozenset({"Token"})))
    kept = go(aws, wish(parameters={"Value": None, "Token": None}))
    assert kept["changed"] is False
    result = go(aws, wish(parameters={"Value": "three", "Token": "hush-hush"}))
    assert "hush" not in json.dumps(result)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        pytest.param({"parameters": {"Vaule": "x"}}, "has no parameter Vaule", id="unknown-parameter"),
        pytest.param({"parameters": {"Kind": "c"}}, "must be one of AllowedValues", id="value"),
        pytest.param({"template": "{"}, "Correct what AWS names", id="no-template"),
        pytest.param({"template": "words"}, "Template format error", id="only-words"),
        pytest.param(
            {"template": json.dumps({"Resources": {"X": {"Type": "AWS::No::Such"}}})}, "Unrecognized", id="type"
        ),
        pytest.param({"template": TEMPLATE + " " * 60000}, "Name a bucket of this region", id="too-large"),
        pytest.param(
            {
                "parameters": {"Must": None},
                "template": TEMPLATE.replace('"Kind": {', '"Must": {"Type": "String"}, "Kind": {'),
            },
            "shall keep its value, and the stack has none",
            id="nothing-to-keep",
        ),
    ],
)
def test_bad_input_leaves_nothing(aws: Aws, server: AwsServer, more: Json, words: str) -> None:
    with pytest.raises(AwsError, match=words):
        go(aws, wish(**more))
    assert server.client("cloudformation").describe_stacks()["Stacks"] == []


def test_large_template_goes_through_the_bucket(aws: Aws, server: AwsServer) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION})
    large = wish(template=TEMPLATE + " " * 60000, template_bucket="templates")
    go(aws, large, check_mode=True)
    assert s3.list_objects_v2(Bucket="templates")["KeyCount"] == 0
    assert go(aws, large)["ways"] == ["create"]
    assert go(aws, large)["changed"] is False


def test_drift(aws: Aws, server: AwsServer) -> None:
    go(aws)
    assert _stack_api.drift(aws, "one") == []
    server.client("ssm").put_parameter(Name="/team/setting", Value="else", Type="String", Overwrite=True)
    found = _stack_api.drift(aws, "one")
    assert [(one["logical_id"], one["status"]) for one in found] == [("Setting", "MODIFIED")]
    assert found[0]["differences"] == [{"path": "/Value", "expected": "one", "actual": "else", "type": "NOT_EQUAL"}]


def test_plan_is_dropped_when_it_cannot_be_read(aws: Aws, server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: t.Any) -> t.NoReturn:
        raise AwsError("read the plan", "Throttling", "Rate exceeded")

    monkeypatch.setattr(Planner, "_finished", broken)
    with pytest.raises(AwsError, match="Rate exceeded"):
        go(aws)
    assert server.client("cloudformation").describe_stacks()["Stacks"] == []
