# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How people and AWX say how many hosts may be away at a time."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _batches


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param("", [1, "25%"], id="nothing-said"),
        pytest.param(2, [2], id="count"),
        pytest.param("2", [2], id="count-from-a-survey"),
        pytest.param("25%", ["25%"], id="share"),
        pytest.param([1, "25%"], [1, "25%"], id="list"),
        pytest.param(["1", " 25%"], [1, "25%"], id="list-of-strings"),
        pytest.param("1, 25%", [1, "25%"], id="list-in-a-survey"),
        pytest.param("1\n5\n100%", [1, 5, "100%"], id="list-in-a-text-area"),
        pytest.param("[1, '25%']", [1, "25%"], id="list-on-the-command-line"),
        pytest.param('["1", "25%"]', [1, "25%"], id="list-as-json"),
    ],
)
def test_batches(said: t.Any, expected: list[int | str]) -> None:
    assert _batches.batches(said) == expected


@pytest.mark.parametrize(
    "said",
    [0, "0", "0%", "101%", -1, "-1", 0.25, "0.25", "12.5%", "all", " ", [], [1, 0], None, True, "1,,x", {"a": 1}],
)
def test_what_says_nothing_is_refused(said: t.Any) -> None:
    with pytest.raises(ValueError, match=r"gitlab_runner_serial is .* Nothing was changed\. Give how many"):
        _batches.batches(said)
