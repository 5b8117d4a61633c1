# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for config.toml: what the runner saved stays, what is declared comes, and nothing else moves."""

from __future__ import annotations

import datetime
import tomllib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_plan as planning
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_plan import ConfigPlan, Entry, Wanted
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._toml_edit import TomlError
from unit.saved_config import GLOBAL_A, A, B, C

AUTOSCALED = """\
[[runners]]
  name = "auto"
  url = "u"
  token = "glrt-auto00000000"
  executor = "instance"
  [runners.autoscaler]
    capacity_per_instance = 0
    max_use_count = 0
    plugin = "aws"
    update_interval = "0s"
    update_interval_when_expecting = "0s"
    [runners.autoscaler.plugin_config]
      name = "asg"
    [runners.autoscaler.connector_config]
      protocol_port = 0
      keepalive = "0s"
      timeout = "0s"
    [[runners.autoscaler.policy]]
      idle_count = 2
      idle_time = "20m0s"
      scale_factor = 0.0
      scale_factor_limit = 0
"""


def planned(text: str | None, *entries: Entry, **wanted: t.Any) -> ConfigPlan:
    return planning.plan(text, Wanted(entries=entries, **wanted), "/etc/gitlab-runner/config.toml")


def two(**fields: t.Any) -> Entry:
    return Entry("two", fields)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param(A, Wanted(), id="nothing-declared"),
        pytest.param(A, Wanted({"concurrent": 1, "check_interval": 0}), id="settings-as-they-are"),
        pytest.param(A, Wanted({"session_server": {"session_timeout": 1800}}), id="table-as-it-is"),
        pytest.param(B, Wanted({"connection_max_age": "15m"}), id="duration-rendered-otherwise"),
        pytest.param(B, Wanted({"connection_max_age": "900s"}), id="duration-in-seconds"),
        pytest.param(A, Wanted({"listen_address": None, "log_level": ""}), id="absent-and-empty-stay-away"),
        pytest.param(A, Wanted(entries=(Entry("one", {"executor": "shell", "limit": 0}),)), id="dropped-0"),
        pytest.param(A, Wanted(entries=(Entry("one", {"strict_check_interval": False}),)), id="dropped-false"),
        pytest.param(A, Wanted(entries=(Entry("one", {"environment": [], "labels": {}}),)), id="dropped-empty"),
        pytest.param(A, Wanted(entries=(Entry("one", {"docker": {"privileged": False}}),)), id="dropped-table"),
        pytest.param(A, Wanted(entries=(Entry("one", {"unhealthy_interval": "0s"}),)), id="dropped-duration"),
        pytest.param(
            B.replace("    volumes", '    pull_policy = ["always"]\n    volumes'),
            Wanted(entries=(two(docker={"pull_policy": "always", "image": "alpine:3"}),)),
            id="pull-policy-saved-as-a-list",
        ),
        pytest.param(A, Wanted(entries=(Entry("one", {}, {"token": "glrt-old", "id": 7}),)), id="disk-wins"),
        pytest.param(A, Wanted(absent=frozenset({"other"})), id="absent-already"),
        pytest.param(
            AUTOSCALED,
            Wanted(
                entries=(
                    Entry(
                        "auto",
                        {"autoscaler": {"policy": [{"idle_count": 2, "idle_time": "20m"}], "update_interval": "0s"}},
                    ),
                )
            ),
            id="autoscaler-zeroes",
        ),
        pytest.param(
            "Concurrent = 2\n[[RUNNERS]]\nNAME = 'a'\nUrl = 'u'\n",
            Wanted({"concurrent": 2}, (Entry("a", {"url": "u"}),)),
            id="other-case",
        ),
        pytest.param(None, Wanted(), id="no-file"),
    ],
)
def test_no_change(text: str | None, wanted: Wanted) -> None:
    plan = planning.plan(text, wanted, "f")
    assert (plan.changed, plan.changes, plan.text) == (False, (), text or "")


@pytest.mark.parametrize(
    ("text", "wanted", "changes", "gone", "come"),
    [
        pytest.param(A, Wanted({"concurrent": 4}), ["concurrent"], ["concurrent = 1"], ["concurrent = 4"], id="set"),
        pytest.param(
            A, Wanted({"log_level": "debug"}), ["log_level"], [], ['log_level = "debug"'], id="new-global-key"
        ),
        pytest.param(
            A, Wanted({"connection_max_age": "0s"}), ["connection_max_age"], [], ['connection_max_age = "0s"'],
            id="0-is-no-absence",
        ),
        pytest.param(
            B, Wanted({"connection_max_age": None}), ["connection_max_age"], ['connection_max_age = "15m0s"'], [],
            id="null-removes",
        ),
        pytest.param(
            B, Wanted(entries=(two(limit=3),)), ["runners[two].limit"], [], ["  limit = 3"], id="entry-key"
        ),
        pytest.param(
            B, Wanted(entries=(two(docker={"privileged": True, "image": "alpine:3"}),)),
            ["runners[two].docker.privileged"], ["    privileged = false"], ["    privileged = true"], id="sub-table",
        ),
        pytest.param(
            A, Wanted(entries=(Entry("one", {"feature_flags": {"FF_USE_FASTZIP": False}}),)),
            ["runners[one].feature_flags.FF_USE_FASTZIP"], [],
            ["  [runners.feature_flags]", "    FF_USE_FASTZIP = false"], id="flag-off-is-no-absence",
        ),
        pytest.param(
            A, Wanted(entries=(Entry("one", {"clean_git_config": False}),)), ["runners[one].clean_git_config"], [],
            ["  clean_git_config = false"], id="kept-false",
        ),
        pytest.param(
            A, Wanted(entries=(Entry("renamed", {}, {"id": 42}),)), ["runners[one] renamed to renamed"],
            ['  name = "one"'], ['  name = "renamed"'], id="found-by-id",
        ),
        pytest.param(
            A, Wanted(entries=(Entry("renamed", {}, {"token": "glrt-ok00000000000000AA"}),)),
            ["runners[one] renamed to renamed"],
            ['  name = "one"'], ['  name = "renamed"'], id="found-by-token",
        ),
        pytest.param(
            A, Wanted(entries=(Entry("one", {}, {"token": "glrt-new000000000000AA"}, rotate=True),)),
            ["runners[one].token"], ['  token = "glrt-ok00000000000000AA"'], ['  token = "glrt-new000000000000AA"'],
            id="rotate-replaces-the-token",
        ),
        pytest.param(
            C, Wanted(absent=frozenset({"exp"})), ["runners[exp] removed"],
            ['  name = "exp"', '  url = "http://127.0.0.1:8370"', "  id = 42", '  token = "glrt-expNEW1795504158"',
             "  token_obtained_at = 2026-11-24T07:09:18.005202446Z", "  token_expires_at = 2026-11-24T07:09:38.004Z"],
            [], id="removed",
        ),
        pytest.param(
            B, Wanted(entries=(two(docker={"cpuset_cpus": "0"}),)), ["runners[two].docker.cpuset_cpus"], [],
            ['    cpuset_cpus = "0"'], id="the-text-0-is-no-absence",
        ),
        pytest.param(
            A, Wanted(entries=(Entry("one", {"executor": "custom", "x": 1}),)),
            ["runners[one].executor", "runners[one].x"],
            ['  executor = "shell"'], ['  executor = "custom"', "  x = 1"], id="unknown-key",
        ),
    ],
)  # fmt: skip
def test_only_the_declared_lines_change(
    text: str, wanted: Wanted, changes: list[str], gone: list[str], come: list[str]
) -> None:
    plan = planning.plan(text, wanted, "f")
    old, new = text.splitlines(), plan.text.splitlines()
    assert list(plan.changes) == changes
    assert [line for line in old if line not in new] == gone
    assert [line for line in new if line not in old] == come
    again = planning.plan(plan.text, wanted, "f")
    assert (again.changed, again.text) == (False, plan.text)


def test_a_new_entry_is_written_whole_at_the_end() -> None:
    obtained = datetime.datetime(2026, 11, 24, tzinfo=datetime.timezone.utc)
    written = {"id": 9, "token": "glrt-new0000000000", "token_obtained_at": obtained}
    plan = planned(A, Entry("new", {"url": "u", "executor": "shell", "limit": None}, written))
    assert plan.changes == ("runners[new] added",)
    assert plan.text == A + (
        '\n[[runners]]\n  name = "new"\n  url = "u"\n  id = 9\n  token = "glrt-new0000000000"\n'
        '  token_obtained_at = 2026-11-24T00:00:00Z\n  executor = "shell"\n'
    )


def test_purge_and_replace_at_once() -> None:
    entries = Entry("two", {"limit": 1}), Entry("new", {"url": "u"}, {"token": "glrt-new0000000000"})
    plan = planned(C + B.partition("1800\n")[2], *entries, purge=True)
    assert plan.changes == (
        "runners[two].limit", "runners[one] removed", "runners[$WHO ${WHO}] removed", "runners[exp] removed",
        "runners[new] added",
    )  # fmt: skip
    assert [entry["name"] for entry in tomllib.loads(plan.text)["runners"]] == ["two", "new"]


def test_removing_the_last_entry_leaves_a_file_that_loads() -> None:
    plan = planned(A, absent=frozenset({"one"}))
    assert plan.text == GLOBAL_A + "\n"


@pytest.mark.parametrize(
    ("text", "entries", "message"),
    [
        pytest.param(A + A[A.index("\n[[") :], (Entry("one"),), "has 2 entries named 'one'.*by hand", id="double"),
        pytest.param(A, (Entry("new", {"url": "u"}),), "'new' is not in .* has no token. .*Register it", id="token"),
        pytest.param(
            A, (Entry("one"), Entry("x", {}, {"id": 42})), "'x' and 'one' are the same entry.*Declare", id="same"
        ),
    ],
)  # fmt: skip
def test_refused(text: str, entries: tuple[Entry, ...], message: str) -> None:
    with pytest.raises(planning.PlanError, match=message):
        planned(text, *entries)


def test_doubled_names_are_told_apart_by_their_token() -> None:
    text = B.replace('"two"', '"one"')
    plan = planned(text, Entry("one", {"limit": 5}, {"token": "glrt-ok00000000000000BB"}))
    assert [entry.get("limit") for entry in tomllib.loads(plan.text)["runners"]] == [None, 5]


def test_a_broken_file_is_refused() -> None:
    with pytest.raises(TomlError, match=r"config\.toml is no valid TOML"):
        planned("concurrent = 'x")


@pytest.mark.parametrize(
    ("text", "wanted", "restart"),
    [
        pytest.param(A, Wanted({"concurrent": 2, "log_level": "warn"}), [], id="reloaded"),
        pytest.param(A, Wanted({"listen_address": ":9252"}), ["listen_address"], id="listen_address"),
        pytest.param(
            A, Wanted({"session_server": {"session_timeout": 5}}), ["session_server.session_timeout"], id="session"
        ),
        pytest.param(
            AUTOSCALED, Wanted(entries=(Entry("auto", {"autoscaler": {"plugin": "aws:1"}}),)),
            ["runners[auto].autoscaler.plugin"], id="autoscaler",
        ),
        pytest.param(
            AUTOSCALED, Wanted(entries=(Entry("auto", {"autoscaler": {"policy": [{"idle_count": 3}]}}),)), [],
            id="policy",
        ),
        pytest.param(A, Wanted(absent=frozenset({"one"})), [], id="entry-removed"),
        pytest.param("Listen_Address = 'x'\n", Wanted({"listen_address": "y"}), ["Listen_Address"], id="other-case"),
    ],
)  # fmt: skip
def test_restart_keys(text: str, wanted: Wanted, restart: list[str]) -> None:
    assert list(planning.plan(text, wanted, "f").restart) == restart
