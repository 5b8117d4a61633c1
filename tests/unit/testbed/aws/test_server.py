# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches beside AWS, and the network that the other tests stand on."""

from __future__ import annotations

import json
import typing as t
import urllib.error
import urllib.request

import pytest
from testbed.aws import AwsServer, server
from testbed.aws.steering import STEERING


def switch(aws: AwsServer, name: str, **body: t.Any) -> dict[str, t.Any]:
    request = urllib.request.Request(f"{aws.url}/-/twin/{name}", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return dict(json.loads(answer.read()))


def test_network(aws: AwsServer) -> None:
    laid = switch(aws, "network")
    ec2 = aws.client("ec2")
    subnets = ec2.describe_subnets(SubnetIds=laid["private_subnet_ids"])["Subnets"]
    assert len({one["AvailabilityZone"] for one in subnets}) == 2
    table = ec2.describe_route_tables(RouteTableIds=[laid["route_table_id"]])["RouteTables"][0]
    assert [one["NatGatewayId"] for one in table["Routes"] if "NatGatewayId" in one] == [laid["nat_gateway_id"]]


def test_steering_and_reset(aws: AwsServer) -> None:
    switch(aws, "steering", fail={"Bucket": "No."}, pace=0.1)
    assert STEERING.fail == {"Bucket": "No."}
    aws.client("s3").create_bucket(Bucket="one", CreateBucketConfiguration={"LocationConstraint": server.REGION})
    switch(aws, "reset")
    assert STEERING.fail == {}
    assert aws.client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize(("name", "body"), [("steering", {"fial": {}}), ("nothing", {})])
def test_unknown_switches(aws: AwsServer, name: str, body: dict[str, t.Any]) -> None:
    with pytest.raises(urllib.error.HTTPError):
        switch(aws, name, **body)


def test_accounts_are_apart(aws: AwsServer) -> None:
    """An assumed role's account is another one, as with AWS."""
    role = aws.client("sts").assume_role(RoleArn="arn:aws:iam::111111111111:role/deploy", RoleSessionName="test")
    keys = {
        "aws_access_key_id": role["Credentials"]["AccessKeyId"],
        "aws_secret_access_key": role["Credentials"]["SecretAccessKey"],
        "aws_session_token": role["Credentials"]["SessionToken"],
    }
    assert aws.client("sts", **keys).get_caller_identity()["Account"] == "111111111111"
    assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"
