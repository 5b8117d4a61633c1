#!/usr/bin/python
# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at every prerequisite of a fleet, and makes the service-linked roles if it may."""

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet_preflight
short_description: Look whether everything is there that a fleet on AWS needs
version_added: 0.1.0
author: Fleetwright contributors (@fleetwright)
description:
  - Looks at credentials, subnets, zones, the way out of private subnets, service-linked roles, the bucket for packages,
    image, instance types, quotas, GitLab, the container registry and the programs that build images, and says of each
    what was found and what to do.
  - Only what is named is looked at. All of it is looked at before it fails, so that one run shows everything that is
    missing.
  - Changes nothing unless O(create_service_linked_roles) asks for it.
extends_documentation_fragment:
  - fleetwright.gitlab_aws.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
options:
  account:
    description: The account that the credentials have to be of.
    type: str
  vpc_id:
    description: The VPC that the subnets have to be in.
    type: str
  subnet_ids:
    description: The private subnets, in two zones at least.
    type: list
    elements: str
    default: []
  endpoint_services:
    description: The services that need a VPC endpoint where a subnet has no default route.
    type: list
    elements: str
    default: [autoscaling, ec2, logs, s3, ssm, ssmmessages]
  service_linked_roles:
    description: The services whose linked role has to be there.
    type: list
    elements: str
    default: [autoscaling.amazonaws.com]
  create_service_linked_roles:
    description: Whether a missing one is made.
    type: bool
    default: false
  bucket:
    description: The bucket for Lambda packages and large templates.
    type: str
  image:
    description: The machines' image, as an id, or as the path of the SSM parameter that holds it.
    type: str
  instance_types:
    description: The instance types.
    type: list
    elements: str
    default: []
  max_instances:
    description: The number of instances at most; quotas and free addresses are held against it.
    type: int
    default: 0
  spot:
    description: Whether Spot instances are used.
    type: bool
    default: false
  gitlab_url:
    description: GitLab's base URL.
    type: str
  gitlab_token:
    description: The access token that the fleet uses. Without one, it is only asked whether GitLab answers.
    type: str
  gitlab_scopes:
    description: The scopes that the token needs; C(api) stands for all of them.
    type: list
    elements: str
    default: [create_runner, manage_runner]
  gitlab_validate_certs:
    description: Whether GitLab's certificate is checked.
    type: bool
    default: true
  gitlab_ca_path:
    description: A file with the certificate authorities that may have signed GitLab's certificate.
    type: path
  registry:
    description: The container registry, as a host with its port or as a URL.
    type: str
  builders:
    description: Programs of which one has to be on this machine to build images.
    type: list
    elements: str
    choices: [podman, docker]
    default: []
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
"""

EXAMPLES = r"""
- name: Look whether the fleet can be built
  fleetwright.gitlab_aws.fleet_preflight:
    region: eu-central-1
    vpc_id: vpc-0a1b2c3d
    subnet_ids: [subnet-0a1b2c3d, subnet-1a2b3c4d]
    bucket: example-fleet-packages
    image: /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64
    instance_types: [m7i.large, m6i.large]
    max_instances: 10
    gitlab_url: https://gitlab.example.com
    gitlab_token: "{{ vault_gitlab_token }}"
"""

RETURN = r"""
region:
  description: The region that was looked at.
  returned: always
  type: str
  sample: eu-central-1
account:
  description: The account of the credentials.
  returned: when AWS answers
  type: str
  sample: "123456789012"
checks:
  description: One a prerequisite.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: What kind of prerequisite it is.
      type: str
      returned: always
    subject:
      description: What was looked at.
      type: str
      returned: always
    found:
      description: What came back.
      type: str
      returned: always
    status:
      description: V(ok), V(warning), V(failed), or V(created) for what was made.
      type: str
      returned: always
    remedy:
      description: What to do.
      type: str
      returned: always
table:
  description: The checks as lines for people.
  returned: always
  type: list
  elements: str
"""

import dataclasses
import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._aws import Aws, AwsError, connect
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_endpoint import Endpoint
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight import judge
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_facts import Collector
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_types import (
    FAILED,
    Check,
    Failure,
    Prerequisites,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._table import table

STRINGS: dict[str, t.Any] = {"type": "list", "elements": "str"}
ENDPOINTS = ["autoscaling", "ec2", "logs", "s3", "ssm", "ssmmessages"]
ARGUMENT_SPEC: dict[str, t.Any] = {
    "account": {"type": "str"},
    "vpc_id": {"type": "str"},
    "subnet_ids": {**STRINGS, "default": []},
    "endpoint_services": {**STRINGS, "default": ENDPOINTS},
    "service_linked_roles": {**STRINGS, "default": ["autoscaling.amazonaws.com"]},
    "create_service_linked_roles": {"type": "bool", "default": False},
    "bucket": {"type": "str"},
    "image": {"type": "str"},
    "instance_types": {**STRINGS, "default": []},
    "max_instances": {"type": "int", "default": 0},
    "spot": {"type": "bool", "default": False},
    "gitlab_url": {"type": "str"},
    "gitlab_token": {"type": "str", "no_log": True},
    "gitlab_scopes": {**STRINGS, "default": ["create_runner", "manage_runner"]},
    "gitlab_validate_certs": {"type": "bool", "default": True},
    "gitlab_ca_path": {"type": "path"},
    "registry": {"type": "str"},
    "builders": {**STRINGS, "choices": ["podman", "docker"], "default": []},
}


def prerequisites(params: t.Mapping[str, t.Any], region: str) -> Prerequisites:
    """What the options ask about."""
    values: dict[str, t.Any] = {}
    for field in dataclasses.fields(Prerequisites):
        if field.name != "region":
            value = params[field.name]
            values[field.name] = tuple(value) if isinstance(value, list) else value or field.default
    return Prerequisites(region=region, **values)


def endpoint(params: t.Mapping[str, t.Any]) -> Endpoint | None:
    """The way to GitLab, if one is named."""
    if not params["gitlab_url"]:
        return None
    return Endpoint(
        api_url=params["gitlab_url"],
        api_token=params["gitlab_token"] or None,
        validate_certs=params["gitlab_validate_certs"],
        ca_path=params["gitlab_ca_path"],
    )


def with_roles_made(aws: Aws, checks: list[Check], check_mode: bool) -> list[Check]:
    """The checks, after the missing service-linked roles were made (or would be)."""
    done = []
    for one in checks:
        if one.id == "service_linked_role" and one.found == "missing":
            if not check_mode:
                attempt = f"make the service-linked role of {one.subject}"
                aws.call("iam", "create_service_linked_role", attempt, AWSServiceName=one.subject)
            one = dataclasses.replace(one, found="was missing", status="created", remedy="")
        done.append(one)
    return done


def run(module: t.Any) -> dict[str, t.Any]:
    """Collect, judge, and make what may be made."""
    aws, params = connect(module), module.params
    wanted = prerequisites(params, str(module.region or ""))
    facts = Collector(aws, wanted, endpoint(params)).collect()
    checks = judge(wanted, facts)
    if params["create_service_linked_roles"]:
        checks = with_roles_made(aws, checks, module.check_mode)
    failed = [one for one in checks if one.status == FAILED]
    return {
        "changed": any(one.status == "created" for one in checks),
        "region": wanted.region,
        "account": None if isinstance(facts.identity, Failure) else facts.identity["Account"],
        "checks": [dataclasses.asdict(one) for one in checks],
        "table": table([_row(one) for one in checks]),
        "failed": bool(failed),
        "msg": message(failed) if failed else "All prerequisites are met.",
    }


def _row(one: Check) -> dict[str, str]:
    return {"STATUS": one.status, "CHECK": one.id, "SUBJECT": one.subject, "FOUND": one.found, "REMEDY": one.remedy}


def message(failed: t.Sequence[Check]) -> str:
    """Why the fleet can't be built, with what to do about each reason."""
    lines = " ".join(f"{one.id} {one.subject}: {one.found}. {one.remedy}" for one in failed)
    return f"Nothing was built, {len(failed)} of the prerequisites are not met. {lines}"


def main() -> None:
    module = AnsibleAWSModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module)
    except AwsError as exc:
        module.fail_json(msg=str(exc))
    if result.pop("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
