# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two changes of one text come together, or nothing does."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._text_merge import MAX_LINES, merged

BASE = "".join(f"line {number}\n" for number in range(10))


def with_lines(text: str, **lines: t.Optional[str]) -> str:
    """The text with some lines replaced (None: removed), by n0, n1 and so on."""
    kept = [lines.get(f"n{number}", line) for number, line in enumerate(text.splitlines())]
    return "".join(f"{line}\n" for line in kept if line is not None)


@pytest.mark.parametrize(
    ("ours", "theirs", "both"),
    [
        pytest.param({"n1": "x"}, {"n8": "y"}, {"n1": "x", "n8": "y"}, id="far-apart"),
        pytest.param({"n1": "x"}, {"n3": "y"}, {"n1": "x", "n3": "y"}, id="one-line-between"),
        pytest.param({"n1": None}, {"n5": None}, {"n1": None, "n5": None}, id="removed"),
        pytest.param({"n1": "a\nb\nc"}, {"n5": "y"}, {"n1": "a\nb\nc", "n5": "y"}, id="grown"),
        pytest.param({}, {"n5": "y"}, {"n5": "y"}, id="nothing-of-ours"),
        pytest.param({"n1": "x"}, {"n1": "y"}, None, id="same-line"),
        pytest.param({"n1": "x"}, {"n2": "y"}, None, id="next-line"),
        pytest.param({"n1": "x"}, {"n1": "x"}, None, id="same-change"),
        pytest.param({"n9": "line 9\nnew"}, {"n9": "line 9\nother"}, None, id="both-at-the-end"),
    ],
)
def test_merged(
    ours: dict[str, t.Optional[str]], theirs: dict[str, t.Optional[str]], both: t.Optional[dict[str, t.Optional[str]]]
) -> None:
    found = merged(BASE, with_lines(BASE, **ours), with_lines(BASE, **theirs))
    assert found == (None if both is None else with_lines(BASE, **both))


def test_a_change_spread_over_a_long_text_is_planned_anew() -> None:
    lines = [f"{number}\n" for number in range(MAX_LINES + 3)]
    spread = ["x\n", *lines[1:-1], "y\n"]
    assert merged("".join(lines), "".join(spread), "".join(lines)) is None
    assert merged("".join(lines), "".join([*lines[:-1], "y\n"]), "".join(["x\n", *lines[1:]])) == "".join(spread)
