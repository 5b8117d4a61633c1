# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a template comes to before anything is made."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._cfn_evaluate import Evaluator, Unknown
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._cfn_template import TemplateError, load

TEMPLATE = """
Parameters:
  Size: {Type: Number, Default: 3}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
  Image: {Type: "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", Default: /ami}
  Stage: {Type: String, Default: test}
  Flag: {Type: String, Default: "true"}
  Secret: {Type: String}
Mappings:
  ByStage: {test: {Type: t3.micro}, prod: {Type: m7i.large}}
Conditions:
  Prod: !Equals [!Ref Stage, prod]
  Test: !Not [!Condition Prod]
  Flagged: !Equals [!Ref Flag, true]
  Either: !Or [!Condition Prod, !Condition Flagged]
  Both: !And [!Condition Prod, !Condition Later]
  Later: !Equals [!Ref Secret, x]
  Loop: !Not [!Condition Loop]
Resources:
  Thing: {Type: "AWS::S3::Bucket"}
"""
PSEUDO = {"AWS::Region": "eu-central-1", "AWS::Partition": "aws"}


def evaluated(piece: str, **parameters: t.Any) -> t.Any:
    template = load(f"{TEMPLATE}  Probe: {{Type: X, Properties: {{value: {piece}}}}}\n")
    return {
        name: properties for name, _kind, properties, _comes in Evaluator(template, parameters, PSEUDO).resources()
    }["Probe"].get("value", "(not there)")


@pytest.mark.parametrize(
    ("piece", "value"),
    [
        ("!Ref Size", 3),
        ("!Ref Zones", ["a", "b"]),
        ("!Ref 'AWS::Region'", "eu-central-1"),
        ("!Ref 'AWS::NoValue'", "(not there)"),
        ("!Sub 'arn:${AWS::Partition}:x/${Stage}/${!literal}'", "arn:aws:x/test/${literal}"),
        ("!Sub ['${a}-${Stage}', {a: !Ref Size}]", "3-test"),
        ("!Join ['-', [a, !Ref Stage]]", "a-test"),
        ("!Select [1, !Ref Zones]", "b"),
        ("!Split [',', 'x,y']", ["x", "y"]),
        ("!FindInMap [ByStage, !Ref Stage, Type]", "t3.micro"),
        ("!If [Prod, big, small]", "small"),
        ("!If [Test, yes, no]", True),
        ("!If [Flagged, a, b]", "a"),
        ("!If [Either, a, b]", "a"),
        ("!If [Both, a, b]", "b"),
        ("!Base64 x", "eA=="),
        ("{'Fn::Length': !Ref Zones}", 2),
        ("[a, !Ref 'AWS::NoValue', b]", ["a", "b"]),
        ("2026-11-24", "2026-11-24"),
    ],
)
def test_known(piece: str, value: t.Any) -> None:
    assert evaluated(piece) == value


@pytest.mark.parametrize(
    ("piece", "reason"),
    [
        ("!Ref Thing", "what Thing refers to"),
        ("!GetAtt Thing.Arn", "Fn::GetAtt is known only"),
        ("!Sub '${Thing.Arn}'", "what Thing.Arn refers to"),
        ("!Ref Image", "read from SSM"),
        ("!Ref Secret", "keeps the value"),
        ("!ImportValue x", "Fn::ImportValue"),
        ("'{{resolve:ssm:/x}}'", "dynamic reference"),
        ("!If [Later, a, b]", "keeps the value"),
        ("!If [Loop, a, b]", "refers to itself"),
        ("!If [Nobody, a, b]", "no condition Nobody"),
        ("!FindInMap [ByStage, nobody, Type]", "no entry ByStage.nobody.Type"),
        ("!Join ['-', [a, !Ref Thing]]", "what Thing refers to"),
        ("!Select [7, !Ref Zones]", "finds no item 7"),
    ],
)
def test_unknown(piece: str, reason: str) -> None:
    value = evaluated(piece)
    assert isinstance(value, Unknown)
    assert reason in value.reason


def test_parameters_win_over_defaults() -> None:
    assert evaluated("!If [Prod, big, small]", Stage="prod") == "big"
    assert evaluated("!Ref Size", Size="7") == 7


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a", "neither YAML nor JSON"),
        ("just words", "no Resources"),
        ("Resources: {}", "no Resources"),
        ("Resources: {A: {Properties: {}}}", "resource A has no Type"),
    ],
)
def test_no_template(text: str, words: str) -> None:
    with pytest.raises(TemplateError, match=words):
        load(text)


def test_json_is_read_too() -> None:
    assert (
        load('{"Resources": {"A": {"Type": "X", "Properties": {"v": {"Ref": "B"}}}}}')["Resources"]["A"]["Type"] == "X"
    )
