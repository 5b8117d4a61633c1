# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner: examples, refusals, and what must hold for every pair of versions from 14.0 to 19.3."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import (
    _server_offers,
    _server_releases,
    _server_upgrade_plan,
    _server_upgrade_table,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_plan import (
    Here,
    Plan,
    Wanted,
    Why,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._server_upgrade_postgresql import Moved, PlanError

Minor = tuple[int, int]

# The newest patch of each minor (server facts 4.5); minors that are not named there have one made for this test.
NEWEST = {
    (14, 0): 12, (14, 3): 6, (14, 9): 5, (14, 10): 5, (15, 0): 5, (15, 1): 6, (15, 4): 6, (15, 11): 13,
    (16, 0): 10, (16, 1): 8, (16, 2): 11, (16, 3): 9, (16, 7): 10, (16, 11): 10, (17, 1): 8, (17, 3): 7, (17, 5): 5,
    (17, 8): 7, (17, 11): 7, (18, 0): 6, (18, 1): 6, (18, 2): 8, (18, 3): 6, (18, 4): 6, (18, 5): 7, (18, 6): 8,
    (18, 7): 7, (18, 8): 11, (18, 9): 8, (18, 10): 8, (18, 11): 11, (19, 0): 8, (19, 1): 6, (19, 2): 4, (19, 3): 2,
}  # fmt: skip
GAPS = {(18, 11, 10), (19, 1, 5), (19, 2, 3)}
# The oldest minor that a package accepts to come from, since which minor (server facts 4.5).
MINIMUM: tuple[tuple[Minor, Minor], ...] = (
    ((15, 0), (14, 10)), ((15, 4), (15, 0)), ((16, 0), (15, 11)), ((16, 7), (16, 3)), ((16, 11), (16, 7)),
    ((17, 0), (16, 11)), ((17, 5), (17, 3)), ((17, 8), (17, 5)), ((17, 11), (17, 8)), ((18, 0), (17, 11)),
    ((18, 3), (18, 2)), ((18, 6), (18, 5)), ((18, 9), (18, 8)), ((19, 0), (18, 11)), ((19, 3), (19, 2)),
)  # fmt: skip
REQUIRED = {
    *((14, 0), (14, 3), (14, 9), (14, 10), (15, 0), (15, 4), (15, 11), (16, 3), (16, 7), (16, 11)),
    *((17, 3), (17, 5), (17, 8), (17, 11), (18, 2), (18, 5), (18, 8), (18, 11), (19, 2)),
}
LAST = {14: 10, 15: 11, 16: 11, 17: 11, 18: 11, 19: 3}
MINORS = [(major, minor) for major, last in LAST.items() for minor in range(last + 1)]


def name(minor: Minor, patch: int) -> str:
    return f"{minor[0]}.{minor[1]}.{patch}-ce.0.el9"


def everything() -> list[str]:
    """Every patch of every minor, in the order in which dnf lists them."""
    patches = ((minor, patch) for minor in MINORS for patch in range(NEWEST.get(minor, 2) + 1))
    return sorted(name(minor, patch) for minor, patch in patches if (*minor, patch) not in GAPS)


OFFERS = everything()
FIRST_AND_NEWEST = [name(minor, patch) for minor in MINORS for patch in (0, NEWEST.get(minor, 2))]


def plan(package: str, target: str = "newest", offers: t.Sequence[str] = OFFERS, **more: t.Any) -> Plan:
    here = {key: more.pop(key) for key in ("postgresql", "data_bytes", "held", "system") if key in more}
    return _server_upgrade_plan.plan(Here(package, **here), Wanted(target, **more), offers)


def versions(found: Plan) -> list[str]:
    return [one.package.name for one in found.stops]


WHOLE = (
    "14.3.6 14.9.5 14.10.5 15.0.5 15.4.6 15.11.13 16.3.9 16.7.10 16.11.10 17.3.7 17.5.5 17.8.7 17.11.7 18.2.8 18.5.7"
)
EXAMPLES = [
    pytest.param("14.0.12", "newest", f"{WHOLE} 18.8.11 18.11.11 19.2.4 19.3.2", id="the-whole-way"),
    pytest.param(
        "16.11.10", "19.3", "17.3.7 17.5.5 17.8.7 17.11.7 18.2.8 18.5.7 18.8.11 18.11.11 19.2.4 19.3.2", id="scenario"
    ),
    pytest.param("18.8.11", "18.11", "18.11.11", id="one-stop"),
    pytest.param("18.8.2", "18.11", "18.8.11 18.11.11", id="the-newest-patch-of-a-stop-first"),
    pytest.param("18.9.1", "18.11", "18.11.11", id="no-patch-first-where-it-is-no-stop"),
    pytest.param("18.8.2", "18.8", "18.8.11", id="a-patch"),
    pytest.param("18.8.2", "18.8.7", "18.8.7", id="an-exact-patch"),
    pytest.param("18.8.2", "18.8.7-ce.0.el9", "18.8.7", id="a-full-package"),
    pytest.param("18.8.11", "18.9.3", "18.9.3", id="an-exact-target-that-is-no-stop"),
    pytest.param("18.9.8", "18.10", "18.10.8", id="between-two-stops"),
    pytest.param("18.11.11", "19.0", "19.0.8", id="over-a-major"),
    pytest.param("18.8.11", "18", "18.11.11", id="a-major"),
    pytest.param("19.3.2", "newest", "", id="there-already"),
    pytest.param("18.8.11", "18.8.11", "", id="exactly-there"),
    pytest.param("18.11.5", "19.0", "18.11.11 19.0.8", id="a-bad-patch-is-left-first"),
    pytest.param("17.10.2", "18.0", "17.11.7 18.0.6", id="a-stop-on-the-way-to-a-major"),
]


@pytest.mark.parametrize(("installed", "target", "expected"), EXAMPLES)
def test_the_way(installed: str, target: str, expected: str) -> None:
    assert versions(plan(f"{installed}-ce.0.el9", target)) == expected.split()


def steps(installed: Minor, found: Plan) -> list[Minor]:
    return [installed, *(one.package.minor for one in found.stops)]


def accepted_from(minor: Minor) -> Minor:
    return next((least for since, least in reversed(MINIMUM) if since <= minor), (0, 0))


@pytest.mark.parametrize("installed", MINORS, ids=lambda minor: f"{minor[0]}.{minor[1]}")
@pytest.mark.parametrize("old", [pytest.param(True, id="first-patch"), pytest.param(False, id="newest-patch")])
def test_every_pair(installed: Minor, old: bool) -> None:
    """Every required stop between is there, newest patch and in order; one extra at most; every package accepts it."""
    patch = 0 if old else NEWEST.get(installed, 2)
    for target in MINORS[MINORS.index(installed) :]:
        found = plan(name(installed, patch), f"{target[0]}.{target[1]}", FIRST_AND_NEWEST)
        numbers = [(*installed, patch), *(one.package.version for one in found.stops)]
        assert all(one < other for one, other in itertools.pairwise(numbers)), found
        minors = [number[:2] for number in numbers]
        assert minors[-1] == target
        between = {minor for minor in REQUIRED if installed < minor < target}
        extra = [minor for minor in minors[1:-1] if minor not in between]
        assert between <= set(minors)
        assert extra in ([], [installed])
        assert not extra or installed in REQUIRED
        assert len(found.stops) <= len(between) + 2
        for one in found.stops:
            assert one.package.version[2] == NEWEST.get(one.package.minor, 2)
        for one_minor, other in itertools.pairwise(minors):
            assert accepted_from(other) <= one_minor, (one_minor, other)


@pytest.mark.parametrize("installed", MINORS, ids=lambda minor: f"{minor[0]}.{minor[1]}")
@pytest.mark.parametrize("held", [None, "disable-postgresql-upgrade is there"], ids=["moved", "held"])
def test_postgresql_is_never_too_old_for_a_package(installed: Minor, held: str | None) -> None:
    """From every PostgreSQL that the installed package may run: what runs is shipped, and accepted by the next one."""
    for major in _server_releases.postgresql_shipped(installed):
        if major < _server_releases.PG_MINIMUM[installed[0]]:
            continue
        found = plan(name(installed, NEWEST.get(installed, 2)), postgresql=major, held=held, data_bytes=10)
        before = installed
        for one in found.stops:
            at_package = one.postgresql_to if one.moved_by == Moved.BEFORE else one.postgresql_from
            assert t.cast(int, at_package) >= _server_releases.PG_MINIMUM[one.package.version[0]]
            assert at_package in _server_releases.postgresql_shipped(before)
            assert at_package in _server_releases.postgresql_shipped(one.package.minor)
            assert one.postgresql_to in _server_releases.postgresql_shipped(one.package.minor)
            assert one.space == (20 if one.moved_by else 0)
            before = one.package.minor
        if installed < (18, 11):
            assert found.stops[-1].postgresql_to == max(17, major)


MOVES = [
    pytest.param(
        "16.7.10",
        13,
        None,
        {"16.11": (14, Moved.PACKAGE), "17.11": (16, Moved.PACKAGE), "18.11": (17, Moved.PACKAGE)},
        id="by-the-packages",
    ),
    pytest.param(
        "16.7.10", 14, None, {"17.11": (16, Moved.PACKAGE), "18.11": (17, Moved.PACKAGE)}, id="one-was-done-by-hand"
    ),
    pytest.param("17.8.7", 14, "held", {"17.11": (16, Moved.AFTER), "18.11": (17, Moved.AFTER)}, id="held"),
    pytest.param(
        "17.11.7", 14, None, {"18.2": (16, Moved.BEFORE), "18.11": (17, Moved.PACKAGE)}, id="the-automatic-one-failed"
    ),
    pytest.param("18.11.11", 16, None, {"19.2": (17, Moved.BEFORE)}, id="before-19"),
    pytest.param(
        "17.11.6",
        14,
        None,
        {"17.11": (16, Moved.PACKAGE), "18.11": (17, Moved.PACKAGE)},
        id="the-newest-patch-moves-it",
    ),
    pytest.param("16.7.10", None, None, {}, id="external"),
]


@pytest.mark.parametrize(("installed", "major", "held", "expected"), MOVES)
def test_who_moves_postgresql(
    installed: str, major: int | None, held: str | None, expected: dict[str, tuple[int, str]]
) -> None:
    found = plan(f"{installed}-ce.0.el9", postgresql=major, held=held)
    moves = {
        _server_offers.dotted(one.package.minor): (one.postgresql_to, one.moved_by)
        for one in found.stops
        if one.moved_by
    }
    assert moves == expected
    kept = [one.stop for one in found.stops]
    assert [one.postgresql for one in kept if one.postgresql] == [to for to, _by in expected.values()]
    assert [one.postgresql_before for one in kept if one.postgresql_before] == [
        to for to, by in expected.values() if by == Moved.BEFORE
    ]


def without(*minors: Minor) -> list[str]:
    gone = tuple(f"{minor[0]}.{minor[1]}." for minor in minors)
    return [one for one in OFFERS if not one.startswith(gone)]


EE = [one.replace("-ce.", "-ee.") for one in OFFERS]
REFUSED = [
    pytest.param("18.8.11", "18.5.7", {}, ["18.5.7 is older", "gitlab_rollback"], id="older"),
    pytest.param("18.8.11", "18.5", {}, ["18.5.7 is older", "gitlab_rollback"], id="an-older-line"),
    pytest.param("18.8.11", "18.11.10", {}, ["no gitlab-ce 18.11.10", "18.11.11"], id="a-patch-that-never-was"),
    pytest.param("18.8.11", "19.4", {}, ["no gitlab-ce 19.4", "19.3.2"], id="a-line-to-come"),
    pytest.param("18.8.11", "latest", {}, ["'latest' is no version", "newest"], id="no-version"),
    pytest.param("18.8.11", "18.x", {}, ["'18.x' is no version"], id="a-pattern"),
    pytest.param("18.8.11", "v18.11.9", {}, ["'v18.11.9' is no version"], id="a-tag"),
    pytest.param("18.8.11", "18.11.9 ", {}, ["is no version"], id="a-space"),
    pytest.param(
        "18.8.11", "newest", {"offers": []}, ["no gitlab-ce at all", "none of it", "repo_baseurl"], id="empty"
    ),
    pytest.param("18.8.11", "newest", {"offers": ["18.11.11-ce.0.amazon2023"]}, ["at all"], id="another-system"),
    pytest.param(
        "16.11.10",
        "19.3",
        {"offers": without((18, 2), (17, 8))},
        ["17.8 (required stop), 18.2 (required", "No stop may be left out"],
        id="stops-missing",
    ),
    pytest.param(
        "15.4.6",
        "16.7",
        {"offers": without((16, 1)), "conditional_stops": ("16.1",)},
        ["16.1 (conditional stop, chosen)"],
        id="a-chosen-one-is-missing",
    ),
    pytest.param(
        "15.4.6",
        "16.11",
        {"offers": without((15, 11), (16, 3)), "system": ("amzn", "2023")},
        ["15.11 (required", "16.3 and later only for this operating system"],
        id="no-packages-for-the-system",
    ),
    pytest.param("13.12.15", "newest", {}, ["planned from 14.0 on"], id="too-old"),
    pytest.param("18.8.0-rc42", "newest", {}, ["no release of GitLab"], id="a-candidate"),
    pytest.param(
        "18.8.11",
        "newest",
        {"conditional_stops": ("17.2",)},
        ["17.2: no conditional stop", "17.1"],
        id="no-conditional",
    ),
    pytest.param(
        "18.8.11", "newest", {"conditional_stops": ("18.11",)}, ["18.11: no conditional stop"], id="a-required-one"
    ),
    pytest.param(
        "18.8.11", "18.11.11-ee.0.el9", {"offers": [*OFFERS, *EE]}, ["edition: ee"], id="other-edition-by-the-way"
    ),
    pytest.param("18.8.11", "newest", {"edition": "ee"}, ["no gitlab-ee at all"], id="no-ee-offered"),
    pytest.param("18.8.11-ee.0.el9", "newest", {"edition": "ce"}, ["no upgrade to gitlab-ce"], id="ee-to-ce"),
    pytest.param(
        "18.8.11",
        "18.11.11",
        {"edition": "ee", "offers": [*EE, *without((18, 11))]},
        ["no gitlab-ce 18.11.11"],
        id="no-ce-of-the-same-version",
    ),
    pytest.param(
        "18.0.6",
        "newest",
        {"postgresql": 14},
        ["PostgreSQL 14 runs", "refuses less than 16"],
        id="postgresql-without-a-way",
    ),
]


@pytest.mark.parametrize(("installed", "target", "more", "words"), REFUSED)
def test_refused(installed: str, target: str, more: dict[str, t.Any], words: t.Sequence[str]) -> None:
    package = installed if "-" in installed else f"{installed}-ce.0.el9"
    with pytest.raises(PlanError) as refused:
        plan(package, target, **more)
    for word in words:
        assert word in str(refused.value)


def test_the_edition_changes_last_and_at_the_same_version() -> None:
    found = plan("18.8.11-ce.0.el9", "18.11", [*OFFERS, *EE], edition="ee")
    assert [one.stop.spec for one in found.stops] == ["gitlab-ce-18.11.11-ce.0.el9", "gitlab-ee-18.11.11-ee.0.el9"]
    assert found.stops[-1].why == Why.EDITION
    alone = plan("18.11.11-ce.0.el9", "18.11", [*OFFERS, *EE], edition="ee")
    assert [one.stop.spec for one in alone.stops] == ["gitlab-ee-18.11.11-ee.0.el9"]


def test_ee_stays_ee() -> None:
    found = plan("18.8.11-ee.0.el9", "18.11", [*OFFERS, *EE])
    assert [one.stop.spec for one in found.stops] == ["gitlab-ee-18.11.11-ee.0.el9"]


@pytest.mark.parametrize("target", ["newest", "18.8", "18"])
def test_a_line_of_which_nothing_newer_is_offered_is_no_way_back(target: str) -> None:
    found = plan("18.8.11-ce.0.el9", target, ["18.8.7-ce.0.el9", "18.5.7-ce.0.el9"])
    assert found.stops == ()
    assert found.target.name == "18.8.11"


def test_conditional_stops_are_taken_by_choice_and_told_of_otherwise() -> None:
    chosen = plan("15.11.13-ce.0.el9", "16.3", conditional_stops=("16.0", "16.2", "15.1"))
    assert versions(chosen) == ["16.0.10", "16.2.11", "16.3.9"]
    assert [one.why for one in chosen.stops] == [Why.CHOSEN, Why.CHOSEN, Why.TARGET]
    assert [one.at for one in chosen.warnings] == ["16.1"]
    assert "NPM packages" in chosen.warnings[0].what
    assert "add 16.1 to conditional_stops" in chosen.warnings[0].remedy


BAD = [
    pytest.param((18, 5), [0, 1], "18.5.1", True, id="18.5-only-bad"),
    pytest.param((18, 5), [0, 1, 2], "18.5.2", False, id="18.5"),
    pytest.param((18, 11), [5, 6, 7], "18.11.7", True, id="18.11-only-bad"),
    pytest.param((18, 11), [7, 9], "18.11.9", False, id="18.11"),
    pytest.param((19, 0), [1, 2, 3], "19.0.3", False, id="19.0"),
    pytest.param((19, 1), [0], "19.1.0", True, id="19.1-only-bad"),
]


@pytest.mark.parametrize(("minor", "patches", "expected", "warned"), BAD)
def test_bad_patches_are_passed_over_where_a_better_one_is_offered(
    minor: Minor, patches: t.Sequence[int], expected: str, warned: bool
) -> None:
    before = {(18, 5): "18.2.8", (18, 11): "18.8.11"}.get(minor, "18.11.11")
    offers = [*without(minor), *(name(minor, patch) for patch in patches)]
    found = plan(f"{before}-ce.0.el9", _server_offers.dotted(minor), offers)
    assert versions(found)[-1] == expected
    assert any(one.at == expected for one in found.warnings) == warned


def test_a_better_patch_below_a_bad_one_is_taken() -> None:
    """A patch without a known fault comes before a newer one with one."""
    offers = ["18.11.7-ce.0.el9", "18.11.8-ce.0.el9", "18.11.6-ce.0.el9"]
    assert versions(plan("18.8.11-ce.0.el9", "18.11", offers)) == ["18.11.8"]


def test_an_exact_bad_patch_is_taken_and_told_of() -> None:
    found = plan("18.8.11-ce.0.el9", "18.11.7")
    assert versions(found) == ["18.11.7"]
    assert "check-config blocks" in found.warnings[0].what


def test_the_rule_beyond_the_list() -> None:
    minors = [(19, minor) for minor in (2, 4, 5, 8, 11)] + [(20, minor) for minor in (0, 1, 2, 3, 5, 8, 11)] + [(21, 0)]
    offers = [name(minor, 1) for minor in minors]
    found = plan("19.2.1-ce.0.el9", "newest", offers, postgresql=17)
    assert versions(found) == ["19.5.1", "19.8.1", "19.11.1", "20.2.1", "20.5.1", "20.8.1", "20.11.1", "21.0.1"]
    assert any("newer than what this collection knows (19.3)" in one.what for one in found.warnings)
    assert any(one.at == "20.0" for one in found.warnings)


def test_traps_come_with_their_remedy_where_they_are_passed() -> None:
    assert [one.at for one in plan("17.11.7-ce.0.el9", "18.2").warnings] == ["18.0", "18.2"]
    assert [one.at for one in plan("18.8.11-ce.0.el9", "18.11").warnings] == []
    assert [one.at for one in plan("18.8.11-ce.0.el9", "19.2").warnings] == ["19.0", "19.0", "19.0"]
    assert all(one.remedy for one in plan("14.0.12-ce.0.el9").warnings)


def test_release_candidates_other_packages_and_doubles_are_no_offers() -> None:
    offers = [
        *OFFERS,
        *OFFERS,
        "20.0.0-rc42.ce.0.el9",
        "19.3.9-ce.0.amazon2023",
        "gitlab-ce",
        "",
        "19.4.0~pre-ce.0.el9",
    ]
    assert versions(plan("19.2.4-ce.0.el9", "newest", offers)) == ["19.3.2"]


def test_as_a_table_and_as_data() -> None:
    found = plan("18.8.11-ce.0.el9", "19.0", postgresql=16, data_bytes=3 << 30)
    assert _server_upgrade_table.table(found).splitlines() == [
        "GitLab 18.8.11 -> 19.0.8, 2 stops",
        "   package                      why            PostgreSQL",
        "1  gitlab-ce-18.11.11-ce.0.el9  required stop  16 -> 17 by package, needs 6.0 GiB",
        "2  gitlab-ce-19.0.8-ce.0.el9    target         17",
        "Before you begin:",
        *(f"- {one}" for one in found.warnings),
    ]
    data = found.as_json()
    assert (data["from"], data["to"]) == ("18.8.11", "19.0.8")
    assert data["stops"][0] == {
        "version": "18.11.11",
        "package": "gitlab-ce-18.11.11-ce.0.el9",
        "why": "required stop",
        "postgresql_from": 16,
        "postgresql_to": 17,
        "postgresql_moved_by": "package",
        "postgresql_space": 6 << 30,
    }
    assert _server_upgrade_table.table(plan("19.3.2-ce.0.el9")) == "GitLab 19.3.2 is installed: nothing to do."
