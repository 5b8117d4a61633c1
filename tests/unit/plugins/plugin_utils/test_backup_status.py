# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's row in the table of backups."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.filter.gitlab_backup import gitlab_backup_status_table
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _backup_status

GOOD = {"id": "1", "condition": "good", "copies": {}}
LAST = {"state": "succeeded", "origin": "timer", "ended": "2026-11-24T07:31:40Z"}


def info(*sets: dict[str, t.Any], **last: t.Any) -> dict[str, t.Any]:
    return {"sets": list(sets), "latest": "1", "last": {**LAST, **last}}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param(
            info(GOOD), {"GOOD": "1", "LAST RUN": "succeeded", "BY": "timer", "COPY": "-", "NOTE": ""}, id="good"
        ),
        pytest.param(info({**GOOD, "copies": {"s3://a": "complete"}}), {"COPY": "complete"}, id="copied"),
        pytest.param(
            info({**GOOD, "copies": {"s3://a": "complete", "s3://b": "unfinished"}}), {"COPY": "unfinished"}, id="half"
        ),
        pytest.param(info(GOOD, state="failed", error="Why\n it failed"), {"NOTE": "Why it failed"}, id="failed"),
        pytest.param(info(GOOD, state="running", stage="Dumping db"), {"NOTE": "Dumping db"}, id="running"),
        pytest.param(
            info({"id": "2", "condition": "damaged", "copies": {}}), {"GOOD": "0", "NOTE": "2 is damaged"}, id="damaged"
        ),
        pytest.param({"sets": [], "latest": None, "last": None}, {"LATEST": "-", "LAST RUN": "-"}, id="none"),
        pytest.param({"unreachable": True, "msg": "no route"}, {"GOOD": "?", "NOTE": "no route"}, id="unreachable"),
        pytest.param({"failed": True, "msg": "no root"}, {"GOOD": "?", "NOTE": "no root"}, id="not-asked"),
        pytest.param({}, {"NOTE": "no answer"}, id="nothing"),
    ],
)
def test_rows(result: dict[str, t.Any], expected: dict[str, str]) -> None:
    row = _backup_status.summary("gitlab1", result)
    assert {name: row[name] for name in expected} == expected


def test_the_table_has_a_header() -> None:
    assert gitlab_backup_status_table({"gitlab1": info(GOOD)})[0].startswith("HOST     GOOD  LATEST  LAST RUN")
