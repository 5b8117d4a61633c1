# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of releases says what the facts say (server facts 4.5)."""

from __future__ import annotations

import pytest
from testbed.gitlab_server import releases
from testbed.gitlab_server.releases import MINORS, RELEASES, release


def test_every_minor_that_scenarios_step_through_has_several_patches() -> None:
    wanted = [(16, 11), (17, 1), (17, 3), (17, 5), (17, 8), (17, 11)]
    wanted += [(18, minor) for minor in range(12)] + [(19, minor) for minor in range(4)]
    assert [minor.number for minor in MINORS] == wanted
    assert all(len(minor.patches) > 1 and list(minor.patches) == sorted(minor.patches) for minor in MINORS)


@pytest.mark.parametrize("minor", MINORS, ids=lambda minor: minor.name)
def test_a_minor_can_be_reached_from_the_stop_before_it(minor: releases.Minor) -> None:
    """Whoever comes from its minimum has a PostgreSQL that it accepts, and it ships one that the minimum had."""
    known = {other.number: other for other in MINORS}
    if minor.minimum in known:
        before = known[minor.minimum]
        assert before.pg_default >= minor.pg_minimum
        assert set(before.pg_shipped) & set(minor.pg_shipped)
    assert minor.minimum < minor.number


@pytest.mark.parametrize(
    ("version", "default"),
    [
        pytest.param("16.11.10", 14, id="upgrades-13-by-itself"),
        pytest.param("17.5.5", 14, id="16-only-by-name"),
        pytest.param("17.11.7", 16, id="upgrades-14-by-itself"),
        pytest.param("18.10.8", 16, id="17-only-by-name"),
        pytest.param("18.11.9", 17, id="upgrades-16-by-itself"),
        pytest.param("19.3.0", 17, id="18-only-by-name"),
    ],
)
def test_default_postgresql(version: str, default: int) -> None:
    assert release(version).minor.pg_default == default


@pytest.mark.parametrize("spelling", ["18.8.11", "18.8.11-ee", "18.8.11-ce.0.el9", "18.8.11-ce.0"])
def test_a_release_is_found_by_any_spelling(spelling: str) -> None:
    assert release(spelling).version == "18.8.11"


def test_what_there_is_no_package_of_is_not_found() -> None:
    for version in ("18.11.10", "19.1.5", "19.2.3", "18.8"):
        with pytest.raises(KeyError):
            release(version)


def test_the_former_key_ends_in_february_2025() -> None:
    assert [found.version for found in RELEASES if found.former_key][-1] == "17.8.1"
    assert not release("17.8.2").former_key


def test_only_the_enterprise_edition_has_a_suffix() -> None:
    assert releases.rails_version("18.6.2") == "18.6.2"
    assert releases.rails_version("18.6.2", releases.EE) == "18.6.2-ee"
