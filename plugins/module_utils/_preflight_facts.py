# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects what a preflight wants to know: one call a question, and none for what nobody asked."""

from __future__ import annotations

import dataclasses
import shutil
import typing as t
import urllib.error

from ansible.module_utils.urls import ConnectionError as CouldNotConnect
from ansible.module_utils.urls import open_url
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import Aws, AwsError
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import Call, GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight import QUOTAS
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_network import EVERYWHERE, table_of
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_types import (
    Facts,
    Failure,
    Prerequisites,
)

REGISTRY_SECONDS = 15


class Collector:
    """Asks AWS, GitLab, the registry and this machine."""

    def __init__(self, aws: Aws, wanted: Prerequisites, endpoint: Endpoint | None) -> None:
        self._aws = aws
        self._wanted = wanted
        self._endpoint = endpoint

    def collect(self) -> Facts:
        """All facts; without credentials nothing else is asked of AWS."""
        identity = self._ask("sts", "get_caller_identity", "ask AWS who calls")
        facts = Facts(
            identity=identity,
            gitlab=self._gitlab() if self._wanted.gitlab_url else None,
            registry=self._registry() if self._wanted.registry else None,
            builders=tuple(name for name in self._wanted.builders if shutil.which(name)),
        )
        return facts if isinstance(identity, Failure) else self._of_aws(facts)

    def _of_aws(self, facts: Facts) -> Facts:
        wanted = self._wanted
        roles = {
            name: self._ask(
                "iam",
                "list_roles",
                f"look for the role of {name}",
                "Roles",
                PathPrefix=f"/aws-service-role/{name}/",  # where IAM keeps those of a service, whatever their names
            )
            for name in wanted.service_linked_roles
        }
        facts = dataclasses.replace(facts, service_roles=roles)
        if wanted.subnet_ids:
            facts = self._network(facts)
        if wanted.bucket:
            attempt = f"look for bucket {wanted.bucket}"
            facts = dataclasses.replace(facts, bucket=self._ask("s3", "head_bucket", attempt, Bucket=wanted.bucket))
        if wanted.instance_types:
            facts = self._types(facts)
        if wanted.image:
            facts = dataclasses.replace(facts, image=self._image())
        return facts

    def _ask(self, service: str, operation: str, attempt: str, key: str = "", **arguments: t.Any) -> t.Any:
        try:
            answer = self._aws.call(service, operation, attempt, **arguments)
        except AwsError as exc:
            return Failure(exc.code, str(exc))
        return answer[key] if key else answer

    def _network(self, facts: Facts) -> Facts:
        """Subnets, their route tables, and endpoints where no default route makes them unneeded."""
        # By filter: an unknown id would fail the call for all of them.
        by_id = [{"Name": "subnet-id", "Values": list(self._wanted.subnet_ids)}]
        subnets = self._ask("ec2", "describe_subnets", "read the subnets", "Subnets", Filters=by_id)
        if isinstance(subnets, Failure) or not subnets:
            return dataclasses.replace(facts, subnets=subnets)
        of_vpc = [{"Name": "vpc-id", "Values": sorted({one["VpcId"] for one in subnets})}]
        tables = self._ask("ec2", "describe_route_tables", "read the route tables", "RouteTables", Filters=of_vpc)
        endpoints: t.Any = ()
        if not isinstance(tables, Failure) and not all(_has_default(table_of(one, tables)) for one in subnets):
            endpoints = self._ask(
                "ec2", "describe_vpc_endpoints", "read the VPC endpoints", "VpcEndpoints", Filters=of_vpc
            )
        return dataclasses.replace(facts, subnets=subnets, route_tables=tables, endpoints=endpoints)

    def _types(self, facts: Facts) -> Facts:
        wanted = self._wanted
        by_type = [{"Name": "instance-type", "Values": list(wanted.instance_types)}]
        offerings = self._ask(
            "ec2",
            "describe_instance_type_offerings",
            "read where the instance types are offered",
            "InstanceTypeOfferings",
            LocationType="availability-zone",
            Filters=by_type,
        )
        types = self._ask("ec2", "describe_instance_types", "read the instance types", "InstanceTypes", Filters=by_type)
        quota: t.Any = None
        if wanted.max_instances:
            code = QUOTAS["spot" if wanted.spot else "on-demand"]
            attempt = f"read quota {code}"
            quota = self._ask("service-quotas", "get_service_quota", attempt, ServiceCode="ec2", QuotaCode=code)
        return dataclasses.replace(facts, offerings=offerings, types=types, quota=quota)

    def _image(self) -> t.Any:
        image = self._wanted.image
        if not image.startswith("ami-"):
            path = image.replace("resolve:ssm:", "")
            found = self._ask("ssm", "get_parameter", f"read SSM parameter {path}", "Parameter", Name=path)
            if isinstance(found, Failure):
                return found
            image = str(found["Value"])
        by_id = [{"Name": "image-id", "Values": [image]}]
        return self._ask("ec2", "describe_images", f"read image {image}", "Images", Filters=by_id)

    def _gitlab(self) -> t.Any:
        """What GitLab says of the token, or without one that it answers."""
        if self._endpoint is None:
            return Failure("", "No way to GitLab was given.")
        path, attempt = "/personal_access_tokens/self", "ask GitLab about the token"
        expect: tuple[int, ...] = (200,)
        if not self._endpoint.api_token:
            path, attempt, expect = "/version", "reach GitLab", (200, 401)
        try:
            client = GitLab(self._endpoint)
            answer = client.request(Call("GET", path, attempt, expect=expect))
            client.close()
        except GitLabError as exc:
            return Failure(str(exc.status), str(exc))
        return dict(answer.data) if self._endpoint.api_token else {"scopes": None}

    def _registry(self) -> t.Any:
        """The status with which the registry's API answers; 401 is one that wants a login."""
        address = self._wanted.registry
        url = f"{address if '://' in address else f'https://{address}'}".rstrip("/") + "/v2/"
        try:
            with open_url(url, timeout=REGISTRY_SECONDS) as answer:
                return answer.status
        except urllib.error.HTTPError as exc:
            return exc.code
        except (OSError, ValueError, CouldNotConnect) as exc:
            remedy = "Check name, port and firewall, and that the registry is switched on."
            return Failure("", f"Could not reach {url}: {exc}. {remedy}")


def _has_default(table: t.Mapping[str, t.Any]) -> bool:
    return any(one.get("DestinationCidrBlock") == EVERYWHERE for one in table.get("Routes", []))
