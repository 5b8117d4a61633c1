# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule with what keeps it, what breaks it and what can't be known."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _guardrails
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._guardrails import Rules, Subject

Json = dict[str, t.Any]
HEAD = """
Parameters:
  Type: {Type: String, Default: m7i.large}
  Public: {Type: String, Default: "false"}
  Later: {Type: "AWS::SSM::Parameter::Value<String>", Default: /x}
Conditions:
  Known: !Equals [!Ref Public, "true"]
  Unknown: !Equals [!Ref Later, "x"]
Resources:
"""
GROUP = "G: {Type: 'AWS::AutoScaling::AutoScalingGroup', Properties: {%s}}"
LAUNCH = "L: {Type: 'AWS::EC2::LaunchTemplate', Properties: {LaunchTemplateData: {%s}}}"
ROLE = "R: {Type: 'AWS::IAM::Role', Properties: {%s}}"
SECURITY = "S: {Type: 'AWS::EC2::SecurityGroup', Properties: {SecurityGroupIngress: [{%s}]}}"
EBS = "BlockDeviceMappings: [{DeviceName: /dev/xvda, Ebs: {%s}}]"
TYPES = {"instance_types": ["m7i.*"]}
NO_PUBLIC, NO_INGRESS = {"public_addresses": False}, {"open_ingress": False}
BOUNDARY = {"permissions_boundary": "arn:*:policy/builders"}
OPEN = "name a network"


def check(resource: str, rules: Json, **more: t.Any) -> _guardrails.Findings:
    return _guardrails.check(Subject(f"{HEAD}  {resource}\n", **more), Rules.from_mapping(rules))


KEPT = [
    pytest.param(LAUNCH % "InstanceType: !Ref Type", TYPES, id="type-by-parameter"),
    pytest.param(LAUNCH % "InstanceType: !If [Known, t3.micro, m7i.large]", TYPES, id="type-by-condition"),
    pytest.param(LAUNCH % "InstanceRequirements: {AllowedInstanceTypes: [m7i.*]}", TYPES, id="types-by-attributes"),
    pytest.param(GROUP % "MaxSize: '10'", {"max_instances": 10}, id="size"),
    pytest.param(GROUP % "MinSize: 99", {"max_instances": 10}, id="only-what-grows"),
    pytest.param(LAUNCH % (EBS % "VolumeSize: 50"), {"max_volume_gib": 50}, id="volume"),
    pytest.param(LAUNCH % "NetworkInterfaces: [{AssociatePublicIpAddress: !Ref Public}]", NO_PUBLIC, id="address"),
    pytest.param(SECURITY % "CidrIp: 10.0.0.0/8", NO_INGRESS, id="private-network"),
    pytest.param(SECURITY % "CidrIp: 198.51.100.0/24", NO_INGRESS, id="a-public-network"),
    pytest.param(
        "S: {Type: 'AWS::EC2::SecurityGroup', Properties: {SecurityGroupEgress: [{CidrIp: 0.0.0.0/0}]}}",
        NO_INGRESS,
        id="egress",
    ),
    pytest.param(
        ROLE % "PermissionsBoundary: !Sub 'arn:${AWS::Partition}:iam::1:policy/builders'", BOUNDARY, id="boundary"
    ),
    pytest.param(LAUNCH % (EBS % "Encrypted: true"), {"encryption": True}, id="encrypted"),
    pytest.param(LAUNCH % "MetadataOptions: {HttpTokens: required}", {"imdsv2": True}, id="tokens"),
    pytest.param(f"{(LAUNCH % 'InstanceType: t3.nano')[:-1]}, Condition: Known}}", TYPES, id="does-not-come"),
    pytest.param(LAUNCH % "InstanceType: z9.huge", {}, id="no-rules"),
    pytest.param(LAUNCH % "InstanceType: !If [Unknown, m7i.large, m7i.xlarge]", TYPES, id="good-either-way"),
]
BROKEN = [
    pytest.param(LAUNCH % "InstanceType: m5.large", TYPES, "L.LaunchTemplateData.InstanceType is m5.large", id="type"),
    pytest.param(
        GROUP
        % "MixedInstancesPolicy: {LaunchTemplate: {Overrides: [{InstanceType: m7i.large}, {InstanceType: c5.large}]}}",
        TYPES,
        "Overrides[1].InstanceType is c5.large",
        id="one-of-many",
    ),
    pytest.param(
        LAUNCH % "InstanceRequirements: {VCpuCount: {Min: 2}}", TYPES, "name AllowedInstanceTypes", id="attributes"
    ),
    pytest.param(
        LAUNCH % "InstanceRequirements: {AllowedInstanceTypes: [m7i.*, '*']}",
        TYPES,
        "[1] is *",
        id="attributes-too-wide",
    ),
    pytest.param(GROUP % "MaxSize: '11'", {"max_instances": 10}, "at most 10", id="size"),
    pytest.param(LAUNCH % (EBS % "VolumeSize: 51"), {"max_volume_gib": 50}, "at most 50", id="volume"),
    pytest.param(
        LAUNCH % "NetworkInterfaces: [{AssociatePublicIpAddress: true}]", NO_PUBLIC, "may not be true", id="address"
    ),
    pytest.param("E: {Type: 'AWS::EC2::EIP'}", NO_PUBLIC, "no resource may have a public address", id="elastic-ip"),
    pytest.param(
        "T: {Type: 'AWS::ECS::Service', Properties: {N: {AwsvpcConfiguration: {AssignPublicIp: ENABLED}}}}",
        NO_PUBLIC,
        "may not be ENABLED",
        id="task",
    ),
    pytest.param(SECURITY % "CidrIp: 0.0.0.0/0", NO_INGRESS, OPEN, id="everybody"),
    pytest.param(SECURITY % "CidrIpv6: '::/0'", NO_INGRESS, OPEN, id="everybody-v6"),
    pytest.param(SECURITY % "CidrIp: 128.0.0.0/1", NO_INGRESS, OPEN, id="half-of-everybody"),
    pytest.param(
        "I: {Type: 'AWS::EC2::SecurityGroupIngress', Properties: {CidrIp: 0.0.0.0/0}}",
        NO_INGRESS,
        OPEN,
        id="own-resource",
    ),
    pytest.param(ROLE % "RoleName: x", BOUNDARY, "PermissionsBoundary has to be", id="no-boundary"),
    pytest.param(
        ROLE % "PermissionsBoundary: 'arn:aws:iam::1:policy/other'", BOUNDARY, "policy/other", id="other-boundary"
    ),
    pytest.param(
        LAUNCH % (EBS % "VolumeSize: 8"), {"encryption": True}, "Encrypted has to be true", id="encryption-unsaid"
    ),
    pytest.param(LAUNCH % (EBS % "Encrypted: false"), {"encryption": True}, "it has to be true", id="not-encrypted"),
    pytest.param(LAUNCH % "InstanceType: x", {"encryption": True}, "name its BlockDeviceMappings", id="no-volumes"),
    pytest.param(
        "V: {Type: 'AWS::EC2::Volume', Properties: {Size: 8}}", {"encryption": True}, "Encrypted", id="a-volume"
    ),
    pytest.param(LAUNCH % "InstanceType: x", {"imdsv2": True}, "HttpTokens has to be required", id="tokens-unsaid"),
    pytest.param(LAUNCH % "MetadataOptions: {HttpTokens: optional}", {"imdsv2": True}, "is optional", id="tokens"),
    pytest.param(LAUNCH % "InstanceType: !If [Unknown, t3.a, t3.b]", TYPES, "allowed are m7i.*", id="bad-either-way"),
]
UNDECIDED = [
    pytest.param(LAUNCH % "InstanceType: !Ref Later", TYPES, "read from SSM", id="type-from-ssm"),
    pytest.param(LAUNCH % "InstanceType: !If [Unknown, m7i.large, t3.micro]", TYPES, "allowed are", id="bad-one-way"),
    pytest.param(SECURITY % "CidrIp: !GetAtt Vpc.CidrBlock", NO_INGRESS, "known only when", id="network"),
    pytest.param(GROUP % "MaxSize: !Ref Later", {"max_instances": 1}, "at most 1", id="size"),
    pytest.param(
        f"{(LAUNCH % 'InstanceType: t3.nano')[:-1]}, Condition: Unknown}}", TYPES, "allowed", id="may-not-come"
    ),
    pytest.param("N: {Type: 'AWS::CloudFormation::Stack', Properties: {}}", TYPES, "not looked into", id="nested"),
]


@pytest.mark.parametrize(("resource", "rules"), KEPT)
def test_kept(resource: str, rules: Json) -> None:
    assert check(resource, rules) == _guardrails.Findings((), ())


@pytest.mark.parametrize(("resource", "rules", "words"), BROKEN)
def test_broken(resource: str, rules: Json, words: str) -> None:
    found = check(resource, rules)
    assert len(found.violations) == 1
    assert words in _guardrails.message(found.violations)
    assert found.undecided == ()


@pytest.mark.parametrize(("resource", "rules", "words"), UNDECIDED)
def test_undecided(resource: str, rules: Json, words: str) -> None:
    found = check(resource, rules)
    assert found.violations == ()
    assert len(found.undecided) == 1
    assert words in found.undecided[0].line()


@pytest.mark.parametrize(
    ("rules", "more", "broken"),
    [
        pytest.param({"regions": ["eu-*"]}, {"region": "eu-west-1"}, [], id="region"),
        pytest.param({"regions": ["eu-*"]}, {"region": "us-east-1"}, ["regions"], id="other-region"),
        pytest.param({"accounts": ["1*"]}, {"account": "123"}, [], id="account"),
        pytest.param({"accounts": ["1*"]}, {}, ["accounts"], id="account-unknown"),
        pytest.param({"required_tags": {"cost": "4*"}}, {"tags": {"cost": "4711"}}, [], id="tag"),
        pytest.param({"required_tags": {"cost": "4*"}}, {"tags": {"cost": "x"}}, ["required_tags"], id="other-tag"),
        pytest.param({"required_tags": {"cost": "", "team": "*"}}, {}, ["required_tags"] * 2, id="no-tags"),
    ],
)
def test_of_the_stack(rules: Json, more: Json, broken: list[str]) -> None:
    found = check("B: {Type: 'AWS::S3::Bucket'}", rules, **more)
    assert [one.rule for one in found.violations] == broken
