# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters from files as others write them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._cfn_parameters import ParametersError, parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\n# no\n\n B = two words \nC='x=y'\nSubnetIds=subnet-1,subnet-2\n", {
            "A": "1", "B": "two words", "C": "x=y", "SubnetIds": "subnet-1,subnet-2",
        }),
        ("A: 1\nB: two\n", {"A": 1, "B": "two"}),
        ('{"Parameters": {"A": "1"}, "Tags": {"x": "y"}}', {"A": "1"}),
        ('[{"ParameterKey": "A", "ParameterValue": "1"}]', {"A": "1"}),
        ("", {}),
    ],
)  # fmt: skip
def test_read(text: str, found: dict[str, t.Any]) -> None:
    assert parse(text) == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A=1\nnonsense\n", "line 2 is no KEY=VALUE: nonsense"),
        ("A=1\nA=2\n", "line 2 gives A a second time"),
        ("[1, 2]", "neither KEY=VALUE lines"),
        ('{"A": {"B": 1}}', "neither KEY=VALUE lines"),
    ],
)
def test_refused(text: str, words: str) -> None:
    with pytest.raises(ParametersError, match=words):
        parse(text)
