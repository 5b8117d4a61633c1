# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that contradict or need each other are named, with both keys and the way out; sound entries are not."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_check import entry_problems
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_conflicts import RULES, Rule

Table = dict[str, t.Any]


def at_path(path: str, value: t.Any) -> Table:
    *tables, last = path.split()
    found: Table = {last: value}
    for name in reversed(tables):
        found = {name: found}
    return found


def merged(one: Table, other: Table) -> Table:
    both = dict(one)
    for name, value in other.items():
        both[name] = merged(both[name], value) if name in both else value
    return both


def named(rule: Rule) -> str:
    words = ["excludes", rule.excludes] if rule.excludes else ["needs", rule.needs]
    return "-".join([rule.key, rule.when, *words]).replace(" ", ".")


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_every_rule(rule: Rule) -> None:
    key, other = at_path(rule.key, rule.when or "x"), at_path(rule.excludes or rule.needs, "y")
    alone, both = rule.fault(key, "e"), rule.fault(merged(key, other), "e")
    fault, none = (both, alone) if rule.excludes else (alone, both)
    assert none is None
    assert fault is not None
    assert fault.startswith(f"e.{rule.key.replace(' ', '.')}")
    assert (rule.excludes or rule.needs).replace(" ", ".") in fault
    assert fault.endswith(("Leave one of them out.", "Set it too."))
    assert rule.fault(other, "e") is None


CASES: list[tuple[str, Table, str]] = [
    ("caps", {"docker": {"cap_add": ["NET_ADMIN", "A"], "cap_drop": ["net_admin"]}}, "both name NET_ADMIN"),
    ("pull", {"kubernetes": {"pull_policy": "always", "allowed_pull_policies": ["never"]}}, "every job would fail"),
    ("name", {"machine": {"MachineName": "auto"}}, "machine.MachineName is 'auto'; it must hold %s"),
    ("with-name", {"machine": {"MachineOptionsWithName": ["a-%s", "b"]}}, "MachineOptionsWithName[1] must hold %s"),
    ("slot", {"slot_cgroup_template": "a/b"}, "must hold ${slot}"),
    ("period", {"autoscaler": {"policy": [{"periods": ["* * * *"]}]}}, "policy[0].periods holds '* * * *'"),
    ("build-dir", {"autoscaler": {}, "instance": {"use_common_build_dir": True}}, "autoscaler.max_use_count 1"),
    ("labels", {"labels": {str(number): "x" for number in range(33)}}, "has 33 labels"),
    ("url", {"url": "gitlab.example.com"}, "http:// or https://"),
    ("negative", {"limit": -1}, "limit is -1; use 0 or more"),
    ("below-least", {"docker": {"services_limit": -2}}, "services_limit is -2; use -1 or more"),
    ("negative-duration", {"prepare_timeout": "-5s"}, "not negative"),
    ("choice", {"shell": "zsh"}, "use one of bash, sh, pwsh"),
    ("choice-in-list", {"docker": {"pull_policy": ["always", "often"]}}, "pull_policy is 'often'"),
    ("deep-type", {"kubernetes": {"volumes": {"csi": [{"name": 1}]}}}, "volumes.csi[0].name must be a string"),
    ("deep-name", {"kubernetes": {"volumes": {"cis": []}}}, "did you mean csi?"),
    (
        "very-deep",
        {"kubernetes": {"affinity": {"pod_affinity": {"required_during_scheduling_ignored_during_execution": [
            {"label_selector": {"match_labels": {"a": 1}}}]}}}},
        "execution[0].label_selector.match_labels must be a table of strings",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "words"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_one_fault(entry: Table, words: str) -> None:
    (fault,) = entry_problems(entry, "runners[a]")
    assert words in fault
    assert fault.startswith("runners[a].")


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"docker": {"pull_policy": "always", "allowed_pull_policies": ["always", "never"]}}, id="allowed"),
        pytest.param({"docker": {"services_limit": -1, "wait_for_services_timeout": -1}}, id="minus-1"),
        pytest.param({"cache": {"Type": "S3", "s3": {"BucketName": "b", "AuthenticationType": "iam"}}}, id="any-case"),
        pytest.param({"autoscaler": {"max_use_count": 1}, "instance": {"use_common_build_dir": True}}, id="build-dir"),
        pytest.param({"autoscaler": {"policy": [{"periods": ["* * * * *"], "idle_count": 0}]}}, id="periods"),
        pytest.param({"shell": "", "docker": {"pull_policy": ""}}, id="empty-is-unset"),
        pytest.param(
            {"kubernetes": {"container_lifecycle": {"pre_stop": {"exec": {"command": ["sleep", "1"]}}}}}, id="hook"
        ),
    ],
)
def test_sound_entries(entry: Table) -> None:
    assert list(entry_problems(entry, "e")) == []
