# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people do to config.toml by hand: entries renamed, reordered, doubled; and lists of tables inside an entry."""

from __future__ import annotations

import time
import tomllib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_plan as planning
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_plan import (
    ConfigPlan,
    Doubled,
    Entry,
    PlanError,
    Renamed,
    Wanted,
)

ONE = '[[runners]]\n  name = "{name}"  # {name}, by hand\n  token = "glrt-{token}00000000"\n'
AB = "concurrent = 1\n\n" + ONE.format(name="a", token="A") + "\n# about b\n" + ONE.format(name="b", token="B")


def planned(text: str, *entries: Entry, **wanted: t.Any) -> ConfigPlan:
    return planning.plan(text, Wanted(entries=entries, **wanted), "f")


def left(plan: ConfigPlan) -> list[tuple[str, str]]:
    return [(entry["name"], entry["token"][5]) for entry in tomllib.loads(plan.text)["runners"]]


def test_reordered_entries_stay_in_their_order() -> None:
    plan = planned(AB, Entry("b", {"limit": 2}), Entry("a", {"limit": 1}))
    assert left(plan) == [("a", "A"), ("b", "B")]
    assert [entry["limit"] for entry in tomllib.loads(plan.text)["runners"]] == [1, 2]


def test_renamed_by_hand() -> None:
    entry = Entry("was-a", {}, {"token": "glrt-A00000000"})
    plan = planned(AB, entry)
    assert plan.changes == ("runners[a] renamed to was-a",)
    assert left(plan) == [("was-a", "A"), ("b", "B")]
    with pytest.raises(PlanError, match=r"'was-a' is called 'a' in f: it was renamed by hand\. Nothing was changed\."):
        planned(AB, entry, renamed=Renamed.FAIL)
    assert not planned(AB, Entry("a", {}, {"token": "glrt-A00000000"}), renamed=Renamed.FAIL).changed


@pytest.mark.parametrize(
    ("copy", "words", "entry"),
    [
        pytest.param(("a", "A"), "has 2 entries named 'a'", Entry("a"), id="copied"),
        pytest.param(("a", "C"), "has 2 entries named 'a'", Entry("a"), id="name"),
        pytest.param(("c", "A"), "has 2 entries with one token ('a', 'c')", Entry("a"), id="token"),
        pytest.param(("c", "A"), "with one token", Entry("a", {}, {"token": "glrt-A00000000"}), id="declared-token"),
    ],
)
def test_doubled_by_hand(copy: tuple[str, str], words: str, entry: Entry) -> None:
    text = AB + "\n" + ONE.format(name=copy[0], token=copy[1])
    with pytest.raises(PlanError) as refused:
        planned(text, entry)
    assert words in str(refused.value)
    assert "Nothing was changed" in str(refused.value)
    assert "on_doubled_entry to remove" in str(refused.value)
    plan = planned(text, entry, doubled=Doubled.REMOVE)
    assert plan.changes == (f"runners[{copy[0]}] removed",)
    assert plan.text == AB + "\n" or plan.text == AB
    assert not planned(plan.text, entry, doubled=Doubled.REMOVE).changed
    assert not planned(text, Entry("b")).changed, "a double that nobody declares is not ours"


def test_doubles_that_are_both_declared_are_refused_whatever_was_chosen() -> None:
    text = AB.replace("glrt-B", "glrt-A")
    with pytest.raises(PlanError, match=r"'.' and '.' are the same entry .* Declare it once"):
        planned(text, Entry("a"), Entry("b"), doubled=Doubled.REMOVE)


POLICIES = """\
[[runners]]
  name = "auto"
  [runners.autoscaler]
    plugin = "aws"
    # the rest of the day
    [[runners.autoscaler.policy]]
      periods = ["* * * * *"]
      idle_count = 0  # cheap
      scale_factor = 0.0
    # office hours
    [[runners.autoscaler.policy]]
      periods = ["* 7-18 * * mon-fri"]
      idle_count = 5

# end
"""
DAY, OFFICE, NIGHT = ["* * * * *"], ["* 7-18 * * mon-fri"], ["* 0-6 * * *"]


@pytest.mark.parametrize(
    ("policies", "changes", "gone", "come"),
    [
        pytest.param(
            [{"periods": DAY, "idle_count": 0}, {"periods": OFFICE, "idle_count": 5}], [], [], [], id="nothing"
        ),
        pytest.param(
            [{"periods": DAY, "idle_count": 1}, {"periods": OFFICE}], ["policy[0].idle_count"],
            ["      idle_count = 0  # cheap"], ["      idle_count = 1  # cheap"], id="one-value",
        ),
        pytest.param(
            [{"periods": DAY}, {"periods": OFFICE}, {"periods": NIGHT}], ["policy[2]"], [],
            ['      periods = ["* 0-6 * * *"]'], id="one-more",
        ),
        pytest.param(
            [{"periods": OFFICE}], ["policy[0]"],
            ['      periods = ["* * * * *"]', "      idle_count = 0  # cheap", "      scale_factor = 0.0"], [],
            id="the-first-goes",
        ),
        pytest.param(
            [{"periods": DAY}], ["policy[1]"], ['      periods = ["* 7-18 * * mon-fri"]', "      idle_count = 5"], [],
            id="the-last-goes",
        ),
        pytest.param(
            [{"periods": DAY, "idle_count": None}, {"periods": OFFICE}], ["policy[0].idle_count"],
            ["      idle_count = 0  # cheap"], [], id="null-removes",
        ),
    ],
)  # fmt: skip
def test_lists_of_tables_are_edited_inside(
    policies: list[dict[str, t.Any]], changes: list[str], gone: list[str], come: list[str]
) -> None:
    plan = planned(POLICIES, Entry("auto", {"autoscaler": {"policy": policies}}))
    old, new = POLICIES.splitlines(), plan.text.splitlines()
    assert [change.removeprefix("runners[auto].autoscaler.") for change in plan.changes] == changes
    assert [line for line in old if line not in new] == gone
    assert [line for line in new if line not in old] == come
    assert new[-1] == "# end"
    assert not planned(plan.text, Entry("auto", {"autoscaler": {"policy": policies}})).changed


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param([{"periods": OFFICE}, {"periods": DAY}], id="reordered"),
        pytest.param([{"periods": NIGHT}, {"periods": OFFICE}], id="another-in-front"),
        pytest.param([{"periods": NIGHT}, {"periods": DAY}, {"periods": OFFICE}], id="one-more-in-front"),
        pytest.param([{"periods": NIGHT}], id="another-one-alone"),
        pytest.param([{"idle_count": 7}], id="without-what-tells-apart"),
        pytest.param([], id="none"),
    ],
)
def test_the_order_of_policies_is_the_declared_one(policies: list[dict[str, t.Any]]) -> None:
    plan = planned(POLICIES, Entry("auto", {"autoscaler": {"policy": policies}}))
    found = tomllib.loads(plan.text)["runners"][0]["autoscaler"].get("policy", [])
    assert [one.get("periods") for one in found] == [
        one.get("periods", DAY if number == 0 else None) for number, one in enumerate(policies)
    ]
    assert not planned(plan.text, Entry("auto", {"autoscaler": {"policy": policies}})).changed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('services = [{ name = "db", alias = "x" }, { name = "web" }]  # inline', id="inline"),
        pytest.param(
            '[[runners.docker.services]]\nname = "db"\nalias = "x"\n[[runners.docker.services]]\nname = "web"',
            id="tables",
        ),
    ],
)
def test_services_in_either_form(text: str) -> None:
    before = f'[[runners]]\nname = "a"\n[runners.docker]\nimage = "i"\n{text}\n'
    services = [{"name": "db", "alias": "y"}, {"name": "web", "command": ["run"]}, {"name": "new"}]
    plan = planned(before, Entry("a", {"docker": {"services": services}}))
    assert tomllib.loads(plan.text)["runners"][0]["docker"]["services"] == services
    assert plan.changes == (
        "runners[a].docker.services[0].alias", "runners[a].docker.services[1].command", "runners[a].docker.services[2]",
    )  # fmt: skip


def _many(count: int) -> str:
    docker = '  executor = "docker"\n  [runners.docker]\n    image = "i"\n    volumes = ["/cache"]\n'
    return "\n".join(ONE.format(name=f"r{number}", token=f"{number:06}") + docker for number in range(count))


def test_a_thousand_entries_take_a_fraction_of_a_second() -> None:
    """Measured at 0.1 s without and 0.2 s with a change; the limits leave room for a busy machine."""
    text, entries = _many(1000), [Entry(f"r{number}", {"docker": {"image": "i"}}) for number in range(1000)]
    started = time.process_time()
    assert not planned(text, *entries).changed
    unchanged = time.process_time() - started
    entries[500] = Entry("r500", {"docker": {"image": "j"}})
    started = time.process_time()
    plan = planned(text, *entries)
    assert plan.changes == ("runners[r500].docker.image",)
    assert (unchanged < 0.5, time.process_time() - started < 1.0) == (True, True)


def test_null_is_nothing_in_a_new_entry_however_deep() -> None:
    fields = {"limit": None, "docker": {"image": "i", "host": None, "services": [{"name": "x", "alias": None}]}}
    plan = planned(AB, Entry("new", fields, {"token": "glrt-N00000000"}))
    entry = tomllib.loads(plan.text)["runners"][2]
    assert entry == {"name": "new", "token": "glrt-N00000000", "docker": {"image": "i", "services": [{"name": "x"}]}}


def test_a_header_inside_a_string_is_no_entry() -> None:
    text = AB + "  pre_build_script = '''\n[[runners]]\n'''\n"
    plan = planned(text, Entry("b", {"limit": 2}), Entry("a", {"limit": 1}))
    assert [entry["limit"] for entry in tomllib.loads(plan.text)["runners"]] == [1, 2]
    assert plan.changes == ("runners[b].limit", "runners[a].limit")


def test_global_tables_between_and_behind_entries_are_found() -> None:
    text = AB + "\n[session_server]\n  session_timeout = 5\n"
    plan = planned(text, Entry("a", {"limit": 1}), settings={"session_server": {"session_timeout": 6}})
    assert plan.text == text.replace("= 5", "= 6").replace('A00000000"\n', 'A00000000"\n  limit = 1\n')
