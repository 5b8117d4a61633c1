# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts on every prerequisite: what is good, what is missing, and that each failure says what to do."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight import judge
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_types import (
    Check,
    Facts,
    Failure,
    Prerequisites,
)

REGION = "eu-central-1"
DENIED = Failure("AccessDenied", "Could not look: denied. Allow ec2:Look for whoever makes this call.")
NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
IGW = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}


def subnet(number: int, zone: str, **more: t.Any) -> dict[str, t.Any]:
    return {
        "SubnetId": f"subnet-{number}",
        "VpcId": "vpc-1",
        "AvailabilityZone": f"{REGION}{zone}",
        "MapPublicIpOnLaunch": False,
        "AvailableIpAddressCount": 100,
        **more,
    }


def routes(*found: dict[str, t.Any], main: bool = True) -> dict[str, t.Any]:
    return {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": main}], "Routes": [LOCAL, *found]}


def kind(name: str, vcpus: int = 2, architecture: str = "x86_64") -> dict[str, t.Any]:
    return {
        "InstanceType": name,
        "VCpuInfo": {"DefaultVCpus": vcpus},
        "ProcessorInfo": {"SupportedArchitectures": [architecture]},
    }


def endpoint(service: str, **more: t.Any) -> dict[str, t.Any]:
    return {
        "ServiceName": f"com.amazonaws.{REGION}.{service}",
        "State": "available",
        "VpcEndpointType": "Interface",
        **more,
    }


WANTED = Prerequisites(
    region=REGION,
    account="1",
    vpc_id="vpc-1",
    subnet_ids=("subnet-1", "subnet-2"),
    endpoint_services=("s3", "ssm"),
    service_linked_roles=("autoscaling.amazonaws.com",),
    bucket="packages",
    image="ami-1",
    instance_types=("m7i.large",),
    max_instances=10,
    gitlab_url="https://gitlab",
    gitlab_scopes=("create_runner", "manage_runner"),
    registry="registry",
    builders=("podman", "docker"),
)
OFFERED = [{"InstanceType": "m7i.large", "Location": f"{REGION}{zone}"} for zone in "ab"]
GOOD = Facts(
    identity={"Account": "1", "Arn": "arn:aws:sts::1:assumed-role/deploy/x"},
    subnets=[subnet(1, "a"), subnet(2, "b")],
    route_tables=[routes(NAT)],
    service_roles={"autoscaling.amazonaws.com": [{"RoleName": "AWSServiceRoleForAutoScaling"}]},
    bucket={"BucketRegion": REGION},
    image=[{"ImageId": "ami-1", "Name": "al2023", "Architecture": "x86_64", "State": "available"}],
    offerings=OFFERED,
    types=[kind("m7i.large")],
    quota={"Quota": {"Value": 20.0}},
    gitlab={"scopes": ["api"], "active": True},
    registry=401,
    builders=("podman",),
)


def verdict(name: str, wanted: Prerequisites, facts: Facts) -> Check:
    """The worst verdict of this kind."""
    order = ["ok", "warning", "failed"]
    found = [one for one in judge(wanted, facts) if one.id == name]
    return max(found, key=lambda one: order.index(one.status))


def test_all_is_well() -> None:
    assert {one.status for one in judge(WANTED, GOOD)} == {"ok"}
    assert [one for one in judge(WANTED, GOOD) if one.remedy] == []


CASES = [
    (
        "credentials",
        {},
        {"identity": Failure("NoCredentialsError", "Could not ask. Give current credentials.")},
        "current",
    ),
    ("credentials", {"account": "2"}, {}, "credentials of account 2"),
    ("subnets", {}, {"subnets": [subnet(1, "a")]}, "subnets of this region"),
    ("subnets", {}, {"subnets": []}, "subnets of this region"),
    ("subnets", {}, {"subnets": [subnet(1, "a"), subnet(2, "b", VpcId="vpc-2")]}, "of vpc-1 only"),
    ("subnets", {}, {"subnets": DENIED}, "Allow ec2:Look"),
    ("zones", {}, {"subnets": [subnet(1, "a"), subnet(2, "a")]}, "another zone"),
    ("private", {}, {"route_tables": [routes(IGW)]}, "NAT gateway"),
    ("way_out", {}, {"route_tables": [routes({**NAT, "State": "blackhole"})]}, "NAT gateway that is there"),
    ("way_out", {}, {"route_tables": [routes()]}, "endpoints for s3, ssm"),
    ("way_out", {}, {"route_tables": [routes()], "endpoints": [endpoint("s3")]}, "endpoints for ssm"),
    (
        "way_out",
        {},
        {
            "route_tables": [routes()],
            "endpoints": [endpoint("ssm"), endpoint("s3", VpcEndpointType="Gateway", RouteTableIds=["rtb-2"])],
        },
        "endpoints for s3",
    ),
    ("routes", {}, {"route_tables": DENIED}, "Allow ec2:Look"),
    ("addresses", {"max_instances": 300}, {}, "larger or more subnets"),
    (
        "service_linked_role",
        {},
        {"service_roles": {"autoscaling.amazonaws.com": []}},
        "create_service_linked_roles",
    ),
    ("bucket", {}, {"bucket": Failure("404", "no")}, "cloudformation_stack_create_bucket"),
    ("bucket", {}, {"bucket": Failure("403", "no")}, "take another name"),
    ("bucket", {}, {"bucket": {"BucketRegion": "us-east-1"}}, f"bucket in {REGION}"),
    ("image", {}, {"image": []}, "ids differ"),
    ("image", {}, {"image": [{"ImageId": "ami-1", "State": "deregistered"}]}, "another image"),
    ("image", {}, {"types": [kind("m7g.large", 2, "arm64")]}, "one architecture"),
    ("image", {}, {"image": DENIED}, "Allow"),
    ("instance_types", {}, {"offerings": []}, "another region"),
    (
        "instance_types",
        {},
        {"offerings": [{"InstanceType": "m7i.large", "Location": "eu-central-1c"}]},
        "eu-central-1c",
    ),
    ("quota", {}, {"quota": {"Quota": {"Value": 19.0}}}, "at least 20"),
    ("gitlab", {}, {"gitlab": {"scopes": ["read_api"]}}, "create_runner, manage_runner"),
    ("gitlab", {}, {"gitlab": {"scopes": ["api"], "active": False}}, "current token"),
    ("gitlab", {}, {"gitlab": Failure("401", "Could not ask. Pass a current access token.")}, "current access token"),
    ("registry", {}, {"registry": 404}, "own address"),
    ("registry", {}, {"registry": Failure("", "Could not reach it. Check name.")}, "Check name"),
    ("builder", {}, {"builders": ()}, "Install one"),
]


@pytest.mark.parametrize(("name", "wanted", "facts", "remedy"), CASES)
def test_missing(name: str, wanted: dict[str, t.Any], facts: dict[str, t.Any], remedy: str) -> None:
    found = verdict(name, dataclasses.replace(WANTED, **wanted), dataclasses.replace(GOOD, **facts))
    assert found.status == "failed"
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("name", "wanted", "facts"),
    [
        ("private", {}, {"subnets": [subnet(1, "a", MapPublicIpOnLaunch=True), subnet(2, "b")]}),
        ("way_out", {}, {"route_tables": [routes()], "endpoints": [endpoint("s3"), endpoint("ssm")]}),
        ("service_linked_role", {}, {"service_roles": {"autoscaling.amazonaws.com": DENIED}}),
        ("instance_types", {}, {"offerings": OFFERED[:1]}),
        ("quota", {}, {"quota": DENIED}),
        ("quota", {"instance_types": ("g6.xlarge",)}, {"offerings": []}),
    ],
)
def test_only_warned_of(name: str, wanted: dict[str, t.Any], facts: dict[str, t.Any]) -> None:
    found = verdict(name, dataclasses.replace(WANTED, **wanted), dataclasses.replace(GOOD, **facts))
    assert found.status == "warning"
    assert found.remedy


def test_own_table_wins_over_the_main_one() -> None:
    own = {**routes(NAT, main=False), "Associations": [{"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}]}
    assert verdict("private", WANTED, dataclasses.replace(GOOD, route_tables=[routes(IGW), own])).status == "ok"


def test_nothing_is_said_of_what_nobody_asked_for() -> None:
    assert [one.id for one in judge(Prerequisites(REGION), Facts(identity=GOOD.identity))] == ["credentials"]


def test_spot_has_a_quota_of_its_own() -> None:
    assert "L-34B43A08" in verdict("quota", dataclasses.replace(WANTED, spot=True), GOOD).subject
