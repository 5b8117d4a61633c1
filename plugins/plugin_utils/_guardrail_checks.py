# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One check a rule: what it wants of a place in a template, or None. A place without a name is a whole resource."""

from __future__ import annotations

import fnmatch
import ipaddress
import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._guardrails import Check, Place

GROUP = "AWS::AutoScaling::AutoScalingGroup"
TEMPLATE = "AWS::EC2::LaunchTemplate"
# Where a number of machines is set: types and properties as in CloudFormation's reference.
SIZES = {
    (GROUP, "MaxSize"),
    (GROUP, "DesiredCapacity"),
    ("AWS::AutoScaling::ScheduledAction", "MaxSize"),
    ("AWS::AutoScaling::ScheduledAction", "DesiredCapacity"),
    ("AWS::CodeBuild::Fleet", "BaseCapacity"),
    ("AWS::CodeBuild::Fleet", "MaxCapacity"),
    ("AWS::ECS::Service", "DesiredCount"),
}
# Values that make something reachable from outside, by property.
PUBLIC: dict[str, tuple[str, ...]] = {
    "AssociatePublicIpAddress": ("true",),
    "MapPublicIpOnLaunch": ("true",),
    "PubliclyAccessible": ("true",),
    "AssignPublicIp": ("ENABLED",),
    "Scheme": ("internet-facing",),
}
PUBLIC_TYPES = ("AWS::EC2::EIP", "AWS::EC2::EIPAssociation")
# Where encryption is off unless it is asked for.
ENCRYPTED: dict[str, str] = {
    "AWS::EC2::Volume": "Encrypted",
    "AWS::EFS::FileSystem": "Encrypted",
    "AWS::RDS::DBInstance": "StorageEncrypted",
    "AWS::RDS::DBCluster": "StorageEncrypted",
    "AWS::SNS::Topic": "KmsMasterKeyId",
}
WIDEST = {4: 8, 6: 32}  # prefix lengths up to which a public network counts as everybody


def instance_type(patterns: t.Sequence[str]) -> Check:
    allowed = f"allowed are {', '.join(patterns)}"

    def look(place: Place) -> str | None:
        if place.name in ("InstanceType", "InstanceTypes", "AllowedInstanceTypes"):
            return None if isinstance(place.value, list) or _one_of(place.value, patterns) else allowed
        if place.name == "InstanceRequirements" and _lacks(place.value, "AllowedInstanceTypes"):
            return f"name AllowedInstanceTypes in it: {allowed}"
        return None

    return look


def _one_of(value: t.Any, patterns: t.Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(str(value), pattern) for pattern in patterns)


def max_instances(most: int) -> Check:
    return _at_most(most, lambda place: (place.type, place.name) in SIZES)


def max_volume(most: int) -> Check:
    of_volumes = {("AWS::EC2::Volume", "Size")}
    return _at_most(most, lambda place: place.name == "VolumeSize" or (place.type, place.name) in of_volumes)


def _at_most(most: int, concerns: t.Callable[[Place], bool]) -> Check:
    def look(place: Place) -> str | None:
        if not concerns(place):
            return None
        try:
            good = float(str(place.value)) <= most
        except ValueError:
            good = False
        return None if good else f"at most {most} are allowed"

    return look


def public_address(place: Place) -> str | None:
    if not place.name:
        return "no resource may have a public address" if place.type in PUBLIC_TYPES else None
    if place.name not in PUBLIC:
        return None
    values = PUBLIC[place.name]
    text = _word(place.value)
    return f"it may not be {values[0]}" if text == "?" or text in values else None


def _word(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) or str(value) in ("True", "False", "TRUE") else str(value)


def open_ingress(place: Place) -> str | None:
    """Rules that let everybody in; those of egress are named SecurityGroupEgress."""
    inward = place.type == "AWS::EC2::SecurityGroupIngress" or ".SecurityGroupIngress" in place.path
    if place.name not in ("CidrIp", "CidrIpv6") or not inward:
        return None
    try:
        network = ipaddress.ip_network(str(place.value), strict=False)
    except ValueError:
        return "name a network that is not everybody"
    wide = network.prefixlen <= WIDEST[network.version] and not network.is_private
    return "name a network that is not everybody" if wide else None


def boundary(pattern: str) -> Check:
    wanted = f"PermissionsBoundary has to be {pattern}"

    def look(place: Place) -> str | None:
        if place.type not in ("AWS::IAM::Role", "AWS::IAM::User"):
            return None
        if place.name == "PermissionsBoundary" and place.path.count(".") == 1:
            return None if fnmatch.fnmatchcase(str(place.value), pattern) else wanted
        missing = not place.name and isinstance(place.value, dict) and "PermissionsBoundary" not in place.value
        return wanted if missing else None

    return look


def encryption(place: Place) -> str | None:
    if not place.name:
        wanted = ENCRYPTED.get(place.type)
        return f"{wanted} has to be set" if wanted and _lacks(place.value, wanted) else _lacks_volumes(place)
    if place.name in ("Encrypted", "StorageEncrypted"):
        return None if _word(place.value) == "true" else "it has to be true"
    if place.name == "Ebs" and isinstance(place.value, dict) and "Encrypted" not in place.value:
        return "Encrypted has to be true in it"
    return None


def _lacks(value: t.Any, name: str) -> bool:
    return isinstance(value, dict) and name not in value


def _lacks_volumes(place: Place) -> str | None:
    """Without a word on its volumes a machine gets the image's, encrypted or not."""
    if place.type == TEMPLATE and isinstance(place.value, dict):
        data = place.value.get("LaunchTemplateData", {})
        if _lacks(data, "BlockDeviceMappings"):
            return "LaunchTemplateData has to name its BlockDeviceMappings, encrypted"
    return None


def imdsv2(place: Place) -> str | None:
    wanted = "MetadataOptions.HttpTokens has to be required"
    if place.name == "HttpTokens":
        return None if str(place.value) == "required" else wanted
    if place.name or place.type not in (TEMPLATE, "AWS::AutoScaling::LaunchConfiguration"):
        return None
    data = place.value.get("LaunchTemplateData", place.value) if isinstance(place.value, dict) else {}
    options = data.get("MetadataOptions", {}) if isinstance(data, dict) else {}
    return wanted if _lacks(options, "HttpTokens") else None
