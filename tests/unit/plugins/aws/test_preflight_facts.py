# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a preflight from an AWS and a GitLab that answer, and what the module makes of them."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import Aws
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight import judge
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_facts import Collector
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_types import Check, Prerequisites
from ansible_collections.fleetwright.gitlab_aws.plugins.modules.fleet_preflight import with_roles_made
from testbed.aws import AwsServer, network
from testbed.aws.server import REGION
from testbed.aws.steering import STEERING
from testbed.gitlab_api import TwinServer

SERVICE = "autoscaling.amazonaws.com"
Laid = dict[str, t.Any]


@pytest.fixture
def laid(server: AwsServer) -> Laid:
    server.client("s3").create_bucket(Bucket="packages", CreateBucketConfiguration={"LocationConstraint": REGION})
    STEERING.set({"quotas": {"L-1216C47A": 64.0}})
    return network.lay(server.client("ec2"))


def wanted(laid: Laid, **more: t.Any) -> Prerequisites:
    base = Prerequisites(
        region=REGION,
        account="123456789012",
        vpc_id=laid["vpc_id"],
        subnet_ids=tuple(laid["private_subnet_ids"]),
        endpoint_services=("s3",),
        service_linked_roles=(SERVICE,),
        bucket="packages",
        image="/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
        instance_types=("m5.large",),
        max_instances=10,
    )
    return dataclasses.replace(base, **more)


def looked(aws: Aws, asked: Prerequisites, endpoint: Endpoint | None = None) -> dict[str, Check]:
    """The verdicts by kind, the worst of each."""
    found: dict[str, Check] = {}
    for one in judge(asked, Collector(aws, asked, endpoint).collect()):
        if one.id not in found or one.status != "ok":
            found[one.id] = one
    return found


def statuses(found: dict[str, Check]) -> dict[str, str]:
    return {name: one.status for name, one in found.items() if one.status != "ok"}


def test_everything_is_there(aws: Aws, laid: Laid) -> None:
    aws.call("iam", "create_service_linked_role", "make the role", AWSServiceName=SERVICE)
    found = looked(aws, wanted(laid))
    assert statuses(found) == {}
    assert {"credentials", "subnets", "zones", "private", "way_out", "bucket", "image", "quota"} <= set(found)


def test_much_is_missing(aws: Aws, laid: Laid) -> None:
    asked = wanted(
        laid,
        account="1",
        subnet_ids=(laid["public_subnet_id"],),
        bucket="nobodys",
        image="ami-00000000",
        instance_types=("m5.large", "m99.huge"),
        max_instances=100,
        registry="127.0.0.1:1",
        builders=("podman",),
    )
    assert set(statuses(looked(aws, asked)).values()) == {"failed"}
    assert set(statuses(looked(aws, asked))) >= {
        "credentials",
        "zones",
        "private",
        "service_linked_role",
        "bucket",
        "image",
        "instance_types",
        "quota",
        "registry",
    }


def test_endpoints_in_place_of_a_gateway(aws: Aws, server: AwsServer) -> None:
    laid = network.lay(server.client("ec2"), nat=False)
    asked = wanted(laid, bucket="", image="", instance_types=(), service_linked_roles=())
    assert looked(aws, asked)["way_out"].status == "failed"
    server.client("ec2").create_vpc_endpoint(
        VpcId=laid["vpc_id"],
        ServiceName=f"com.amazonaws.{REGION}.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[laid["route_table_id"]],
    )
    assert looked(aws, asked)["way_out"].status == "warning"


def test_roles_are_made_on_request(aws: Aws, laid: Laid) -> None:
    asked = wanted(laid)
    checks = judge(asked, Collector(aws, asked, None).collect())
    assert "created" in {one.status for one in with_roles_made(aws, checks, check_mode=True)}
    assert looked(aws, asked)["service_linked_role"].status == "failed"
    with_roles_made(aws, checks, check_mode=False)
    assert looked(aws, asked)["service_linked_role"].status == "ok"


def test_gitlab(aws: Aws, twin: TwinServer) -> None:
    asked = Prerequisites(REGION, gitlab_url=twin.url, gitlab_scopes=("create_runner",))
    assert looked(aws, asked, Endpoint(twin.url, twin.admin_token))["gitlab"].status == "ok"
    assert looked(aws, asked, Endpoint(twin.url))["gitlab"].status == "ok"
    refused = looked(aws, asked, Endpoint(twin.url, "glpat-nobodys"))["gitlab"]
    assert (refused.status, refused.remedy.count("Pass a current access token")) == ("failed", 1)


def test_registry(aws: Aws, twin: TwinServer) -> None:
    """What answers with another status than a registry's is none."""
    asked = Prerequisites(REGION, registry=twin.url)
    assert looked(aws, asked)["registry"].status == "failed"


def test_nobodys_credentials(server: AwsServer) -> None:
    import botocore.exceptions

    def no_client(_service: str) -> t.NoReturn:
        raise botocore.exceptions.NoCredentialsError

    class Nobody:
        def __getattr__(self, name: str) -> t.Callable[..., t.NoReturn]:
            return lambda **_arguments: no_client(name)

    found = looked(Aws(lambda _service: Nobody()), Prerequisites(REGION, subnet_ids=("subnet-1",)))
    assert found["credentials"].status == "failed"
    assert "AWS_ACCESS_KEY_ID" in found["credentials"].remedy
