# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a fleet can be built here: one verdict a prerequisite, from facts that were collected before.

Pure. Facts are answers of AWS and others in their own shape, or a Failure where the question could not be answered.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_network import network_checks
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._preflight_types import (
    FAILED,
    OK,
    WARNING,
    Check,
    Facts,
    Failure,
    Prerequisites,
    unanswered,
)

# The families whose machines share the quotas of standard instances, On-Demand and Spot.
STANDARD = frozenset("acdhimrtz")
QUOTAS = {"on-demand": "L-1216C47A", "spot": "L-34B43A08"}
REGISTRY_ANSWERS = (200, 401)


def judge(wanted: Prerequisites, facts: Facts) -> list[Check]:
    """Every verdict on what is wanted; what nobody asked for is not looked at."""
    found = [_credentials(wanted, facts), *network_checks(wanted, facts)]
    found += [_service_role(name, answer) for name, answer in facts.service_roles.items()]
    if wanted.bucket:
        found.append(_bucket(wanted, facts))
    if wanted.image:
        found.append(_image(wanted, facts))
    if wanted.instance_types:
        found += [*_offered(wanted, facts), *_quota(wanted, facts)]
    if wanted.gitlab_url:
        found.append(_gitlab(wanted, facts))
    if wanted.registry:
        found.append(_registry(wanted, facts))
    if wanted.builders:
        found.append(_builder(wanted, facts))
    return found


def _credentials(wanted: Prerequisites, facts: Facts) -> Check:
    who = facts.identity
    if isinstance(who, Failure):
        return unanswered("credentials", wanted.region, who)
    said = f"{who['Arn']} in account {who['Account']}"
    if wanted.account and who["Account"] != wanted.account:
        remedy = f"Give credentials of account {wanted.account}, or a role there to assume."
        return Check("credentials", wanted.region, said, FAILED, remedy)
    return Check("credentials", wanted.region, said, OK)


def _service_role(name: str, answer: t.Any) -> Check:
    if isinstance(answer, Failure):
        return dataclasses.replace(unanswered("service_linked_role", name, answer), status=WARNING)
    if answer:
        return Check("service_linked_role", name, answer[0]["RoleName"], OK)
    remedy = (
        "Set create_service_linked_roles to true, or let somebody who may run "
        f"aws iam create-service-linked-role --aws-service-name {name}."
    )
    return Check("service_linked_role", name, "missing", FAILED, remedy)


def _bucket(wanted: Prerequisites, facts: Facts) -> Check:
    answer = facts.bucket
    if isinstance(answer, Failure):
        if answer.code in ("404", "NoSuchBucket", "NotFound"):
            remedy = "Let the role make it (cloudformation_stack_create_bucket), or name one that is there."
            return Check("bucket", wanted.bucket, "missing", FAILED, remedy)
        if answer.code in ("403", "AccessDenied", "Forbidden"):
            remedy = "Names of buckets are shared by all accounts: take another name, or get the right to use this one."
            return Check("bucket", wanted.bucket, "belongs to another, or is closed to this caller", FAILED, remedy)
        return unanswered("bucket", wanted.bucket, answer)
    region = answer.get("BucketRegion") or answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-bucket-region")
    if region and region != wanted.region:
        remedy = f"Lambda takes packages from its own region only: name a bucket in {wanted.region}."
        return Check("bucket", wanted.bucket, f"is in {region}", FAILED, remedy)
    return Check("bucket", wanted.bucket, "there", OK)


def _image(wanted: Prerequisites, facts: Facts) -> Check:
    answer = facts.image
    if isinstance(answer, Failure):
        return unanswered("image", wanted.image, answer)
    if not answer:
        remedy = f"Name an image that this account sees in {wanted.region}; ids differ from region to region."
        return Check("image", wanted.image, "missing", FAILED, remedy)
    image = answer[0]
    said = f"{image['ImageId']} {image.get('Name', '')} ({image.get('Architecture', '?')})"
    if image.get("State", "available") != "available":
        return Check("image", wanted.image, f"{said} is {image['State']}", FAILED, "Name another image.")
    others = _of_other_kind(str(image.get("Architecture", "")), facts.types)
    if others:
        remedy = "Choose an image and instance types of one architecture."
        return Check("image", wanted.image, f"{said} does not run on {', '.join(others)}", FAILED, remedy)
    return Check("image", wanted.image, said, OK)


def _of_other_kind(architecture: str, types: t.Any) -> list[str]:
    if not architecture or isinstance(types, Failure):
        return []
    return [
        one["InstanceType"]
        for one in types
        if architecture not in one.get("ProcessorInfo", {}).get("SupportedArchitectures", [architecture])
    ]


def _offered(wanted: Prerequisites, facts: Facts) -> list[Check]:
    """Each type in each of the zones; one zone without it only costs a choice."""
    if isinstance(facts.offerings, Failure):
        return [unanswered("instance_types", ", ".join(wanted.instance_types), facts.offerings)]
    zones = facts.zones()
    found = []
    for kind in wanted.instance_types:
        where = {one["Location"] for one in facts.offerings if one["InstanceType"] == kind}
        missing = sorted(zones - where) if zones else []
        if not where or (zones and not zones & where):
            remedy = f"Choose another type, or subnets in {', '.join(sorted(where)) or 'another region'}."
            found.append(
                Check("instance_types", kind, f"not offered in {', '.join(missing) or wanted.region}", FAILED, remedy)
            )
        elif missing:
            remedy = "The group can't use it there: choose another type or zone, or live with it."
            found.append(Check("instance_types", kind, f"not offered in {', '.join(missing)}", WARNING, remedy))
        else:
            found.append(Check("instance_types", kind, f"offered in {', '.join(sorted(zones or where))}", OK))
    return found


def _quota(wanted: Prerequisites, facts: Facts) -> list[Check]:
    """Whether the account's vCPUs are enough for the group at its largest, of the types with most of them."""
    if not wanted.max_instances or isinstance(facts.types, Failure):
        return []
    special = [kind for kind in wanted.instance_types if kind[0] not in STANDARD]
    if special:
        remedy = "Families beside the standard ones have quotas of their own: look them up in Service Quotas."
        return [Check("quota", ", ".join(special), "not looked at", WARNING, remedy)]
    most = max((one["VCpuInfo"]["DefaultVCpus"] for one in facts.types), default=0)
    needed = most * wanted.max_instances
    market = "spot" if wanted.spot else "on-demand"
    subject = f"{market} vCPUs ({QUOTAS[market]})"
    if isinstance(facts.quota, Failure):
        return [dataclasses.replace(unanswered("quota", subject, facts.quota), status=WARNING)]
    value = int(facts.quota["Quota"]["Value"])
    said = f"{value} of {needed} that {wanted.max_instances} instances take"
    if value < needed:
        remedy = f"Ask for at least {needed} in Service Quotas, or lower the number or the size of the instances."
        return [Check("quota", subject, said, FAILED, remedy)]
    return [Check("quota", subject, said, OK)]


def _gitlab(wanted: Prerequisites, facts: Facts) -> Check:
    subject = wanted.gitlab_url
    if isinstance(facts.gitlab, Failure):
        return unanswered("gitlab", subject, facts.gitlab)
    if facts.gitlab.get("scopes") is None:
        return Check("gitlab", subject, "answers, no token was tried", OK)
    if facts.gitlab.get("active") is False:
        return Check("gitlab", subject, "the token is not active", FAILED, "Give a current token.")
    scopes = sorted(str(one) for one in facts.gitlab["scopes"])
    missing = [] if "api" in scopes else [scope for scope in wanted.gitlab_scopes if scope not in scopes]
    said = f"token with {', '.join(scopes) or 'no scopes'}"
    if missing:
        return Check("gitlab", subject, said, FAILED, f"Give the token the scopes {', '.join(missing)}.")
    return Check("gitlab", subject, said, OK)


def _registry(wanted: Prerequisites, facts: Facts) -> Check:
    if isinstance(facts.registry, Failure):
        return unanswered("registry", wanted.registry, facts.registry)
    if facts.registry in REGISTRY_ANSWERS:
        return Check("registry", wanted.registry, "answers", OK)
    remedy = "Check that it is a container registry's own address (https://HOST/v2/ answers 200 or 401 there)."
    return Check("registry", wanted.registry, f"HTTP {facts.registry}", FAILED, remedy)


def _builder(wanted: Prerequisites, facts: Facts) -> Check:
    subject = " or ".join(wanted.builders)
    there = [name for name in wanted.builders if name in facts.builders]
    if there:
        return Check("builder", subject, there[0], OK)
    remedy = "Install one of them on this machine, or have images built elsewhere and name them."
    return Check("builder", subject, "not found on this machine", FAILED, remedy)
