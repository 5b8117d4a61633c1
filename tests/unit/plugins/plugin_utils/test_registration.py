# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every step that a registration can decide on, from what is declared, on disk, and in GitLab."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _registration as registration
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import Declared
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._known import Known
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._registration import (
    Choice,
    Do,
    Refused,
    Seen,
    Step,
)

TYPE = {"runner_type": "instance_type", "description": "a"}
DETAILS: dict[str, t.Any] = {
    "id": 8, "description": "a", "runner_type": "instance_type", "tag_list": ["b", "a"], "paused": False,
    "run_untagged": True, "locked": False, "maximum_timeout": None, "access_level": "not_protected",
    "maintenance_note": None,
}  # fmt: skip
NEW = Declared("a", api=TYPE)
GONE = Declared("a", state="absent")
DISK = Known(8, "glrt-onDisk000", on_disk=True)
HAND = Known(0, "glrt-byHand000", on_disk=True)
GOOD = Seen(8, DETAILS, True, True)
DELETED = Seen(8, None, False, False)
DEAD = Seen(8, DETAILS, True, False)
OTHER = Seen(8, {**DETAILS, "description": "somebody else's"}, True, False)
OURS = Seen(8, {**DETAILS, "maintenance_note": "x [fleetwright.gitlab_aws 0123456789abcdef]"}, True, True)
ELSEWHERE = Known(8, "glrt-onDisk000", on_disk=True, same_gitlab=False, url="https://b")
UNDECLARED = Declared("a", state="absent", named=False)
NO_ACCESS = Choice(has_access=False)
RESET, RECREATE = Choice(Refused.RESET), Choice(Refused.RECREATE)
LEGACY = Choice(has_access=False, legacy=True)
UNOWNED = Declared("a", api={"description": "a"})
SHARED = Declared("a", token="glrt-shared00", api=TYPE)


@pytest.mark.parametrize(
    ("declared", "known", "seen", "choice", "do"),
    [
        pytest.param(NEW, Known(), Seen(), Choice(), Do.CREATE, id="new"),
        pytest.param(NEW, Known(), Seen(strays=(5,)), Choice(), Do.ADOPT, id="left-behind-by-a-killed-run"),
        pytest.param(UNOWNED, Known(), Seen(), LEGACY, Do.CREATE, id="new-by-a-registration-token"),
        pytest.param(UNOWNED, DISK, Seen(8, None, None, True), LEGACY, Do.NOTHING, id="registered-the-legacy-way"),
        pytest.param(NEW, DISK, GOOD, Choice(), Do.NOTHING, id="as-declared"),
        pytest.param(NEW, DISK, Seen(8, None, None, True), NO_ACCESS, Do.NOTHING, id="no-access-token-valid"),
        pytest.param(NEW, DISK, DELETED, RECREATE, Do.CREATE, id="deleted-recreate"),
        pytest.param(NEW, HAND, Seen(0, None, None, False), RECREATE, Do.CREATE, id="refused-of-unknown-id-recreate"),
        pytest.param(NEW, ELSEWHERE, DEAD, RECREATE, Do.CREATE, id="of-another-gitlab-recreate"),
        pytest.param(NEW, DISK, DEAD, RESET, Do.RESET, id="refused-reset"),
        pytest.param(NEW, DISK, GOOD, Choice(rotate=True), Do.RESET, id="rotate"),
        pytest.param(SHARED, Known(0, "glrt-shared00"), Seen(8, None, None, True), NO_ACCESS, Do.NOTHING,
                     id="token-from-elsewhere"),
        pytest.param(SHARED, Known(0, "glrt-shared00"), Seen(), Choice(), Do.NOTHING, id="unasked-in-check-mode"),
        pytest.param(GONE, Known(), Seen(), Choice(), Do.NOTHING, id="absent-already"),
        pytest.param(GONE, DISK, GOOD, Choice(), Do.DELETE, id="delete"),
        pytest.param(GONE, HAND, Seen(8, DETAILS, True, True), Choice(), Do.DELETE, id="delete-without-id-on-disk"),
        pytest.param(GONE, DISK, DELETED, Choice(), Do.FORGET, id="deleted-by-hand-already"),
        pytest.param(GONE, HAND, Seen(0, None, None, False), Choice(), Do.FORGET, id="unknown-to-gitlab"),
        pytest.param(GONE, DISK, Seen(8, None, None, True), NO_ACCESS, Do.DELETE_MANAGER, id="no-access"),
        pytest.param(GONE, DISK, Seen(8, None, None, False), NO_ACCESS, Do.FORGET, id="no-access-dead-token"),
        pytest.param(Declared("a", "absent", "glrt-shared00"), DISK, GOOD, Choice(), Do.DELETE_MANAGER, id="shared"),
        pytest.param(GONE, DISK, DEAD, Choice(), Do.DELETE, id="refused-but-of-the-same-description"),
        pytest.param(UNDECLARED, DISK, GOOD, Choice(), Do.DELETE_MANAGER, id="purge-of-what-others-made"),
        pytest.param(UNDECLARED, DISK, OURS, Choice(), Do.DELETE, id="purge-of-what-we-made"),
        pytest.param(UNDECLARED, DISK, DEAD, Choice(), Do.FORGET, id="purge-of-a-dead-token"),
    ],
)  # fmt: skip
def test_steps(declared: Declared, known: Known, seen: Seen, choice: Choice, do: Do) -> None:
    step = registration.step(declared, known, seen, choice)
    assert step.do is do
    assert step.changed is (do is not Do.NOTHING)
    assert "glrt-" not in repr(step)


@pytest.mark.parametrize(
    ("declared", "known", "seen", "choice", "words"),
    [
        pytest.param(NEW, Known(), Seen(), NO_ACCESS, "needs an access token. Set api_token", id="create-no-access"),
        pytest.param(NEW, Known(), Seen(), LEGACY, "says itself whose runner it becomes: leave out runner_type",
                     id="legacy-and-type"),
        pytest.param(Declared("a"), Known(), Seen(), Choice(), "its runner_type is missing; use one of", id="no-type"),
        pytest.param(NEW, DISK, DELETED, Choice(), r"\(id 8\) no longer exists in GitLab. Set on_refused", id="gone"),
        pytest.param(NEW, DISK, DEAD, Choice(), "token on this host is refused.* Set on_refused_token", id="refused"),
        pytest.param(NEW, DISK, DELETED, RESET, "no longer exists in GitLab", id="nothing-left-to-reset"),
        pytest.param(NEW, DISK, DEAD, Choice(Refused.RESET, has_access=False), "token on this host is refused",
                     id="reset-no-access"),
        pytest.param(SHARED, HAND, Seen(0, None, None, False), RECREATE, "token on this host is refused",
                     id="foreign-token-is-not-recreated"),
        pytest.param(NEW, DISK, Seen(8, {**DETAILS, "runner_type": "group_type"}, True, True), Choice(),
                     "has runner_type group_type in GitLab and is declared with instance_type", id="type"),
        pytest.param(Declared("a", api={"group_id": 42}), DISK, Seen(8, {**DETAILS, "groups": [{"id": 7}]}, True, True),
                     Choice(), r"has group_id \[7\] in GitLab and is declared with 42", id="group"),
        pytest.param(Declared("a", api={"project_id": 5}), DISK,
                     Seen(8, {**DETAILS, "projects": [{"id": 7}, {"id": 9}]}, True, True),
                     Choice(), r"has project_id \[7, 9\] in GitLab and is declared with 5", id="project"),
        pytest.param(NEW, DISK, DEAD, RECREATE, "delete it in GitLab and set", id="recreate-leaves-no-second-one"),
        pytest.param(NEW, DISK, OTHER, RESET, "its description there must be", id="reset-of-somebody-else's"),
        pytest.param(NEW, ELSEWHERE, DEAD, RESET, "was registered with https://b", id="reset-in-another-gitlab"),
        pytest.param(GONE, ELSEWHERE, DEAD, Choice(), "belongs to https://b, not to this", id="delete-elsewhere"),
        pytest.param(GONE, DISK, OTHER, Choice(), "may be somebody else's", id="delete-somebody-else's"),
    ],
)  # fmt: skip
def test_a_human_must_choose(declared: Declared, known: Known, seen: Seen, choice: Choice, words: str) -> None:
    with pytest.raises(registration.RegistrationError, match=words):
        registration.step(declared, known, seen, choice)


@pytest.mark.parametrize(
    ("declared", "send"),
    [
        pytest.param({}, {}, id="nothing-declared"),
        pytest.param({"tag_list": ["a", "b", "a"]}, {}, id="tags-in-any-order"),
        pytest.param({"tag_list": []}, {"tag_list": []}, id="empty-list-clears"),
        pytest.param({"tag_list": ["c", "a"]}, {"tag_list": ["a", "c"]}, id="tags-sorted"),
        pytest.param({"paused": False, "run_untagged": True}, {}, id="booleans-as-they-are"),
        pytest.param({"paused": True, "run_untagged": False}, {"paused": True, "run_untagged": False}, id="booleans"),
        pytest.param({"maintenance_note": ""}, {}, id="null-and-empty-are-one"),
        pytest.param({"maximum_timeout": 600}, {"maximum_timeout": 600}, id="timeout"),
        pytest.param({"runner_type": "x", "group_id": 4, "project_id": 5}, {}, id="fixed-fields-are-not-sent"),
    ],
)
def test_changes(declared: dict[str, t.Any], send: dict[str, t.Any]) -> None:
    found, before = registration.changes(DETAILS, declared)
    assert (found, set(before)) == (send, set(send))


@pytest.mark.parametrize(
    ("todo", "turns"),
    [
        pytest.param([], [[]], id="nothing"),
        pytest.param([Do.NOTHING, Do.UPDATE, Do.DELETE], [[0, 1, 2]], id="no-token"),
        pytest.param([Do.DELETE, Do.CREATE, Do.FORGET, Do.UPDATE], [[1, 3], [0, 2]], id="tokens-before-removals"),
        pytest.param([Do.RESET, Do.ADOPT], [[0, 1]], id="no-removal"),
    ],
)
def test_what_hands_out_a_token_is_kept_before_a_removal_waits(todo: list[Do], turns: list[list[int]]) -> None:
    steps = [Step(Declared(str(number)), do) for number, do in enumerate(todo)]
    assert [[int(step.runner.name) for step in turn] for turn in registration.turns(steps)] == turns
