# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the file and the declaration: it comes, the rest stays byte for byte, a second run changes nothing."""

from __future__ import annotations

import tomllib
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_plan as planning
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_plan import Entry, Wanted
from hypothesis import given
from hypothesis import strategies as st

Table = dict[str, t.Any]

NAMES = ("alpha", "beta", "gamma", "delta")
WORDS = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=6)
POLICY = st.fixed_dictionaries(
    {},
    optional={
        "periods": st.sampled_from([["* * * * *"], ["1 * * * *"], ["2 * * * *"]]),
        "idle_count": st.integers(0, 3),
        "idle_time": st.sampled_from(["20m0s", "20m", "0s"]),
    },
)
SERVICE = st.fixed_dictionaries(
    {"name": st.sampled_from(["db", "web", "x"])}, optional={"alias": WORDS, "command": st.lists(WORDS, max_size=2)}
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "limit": st.integers(0, 3),
        "environment": st.lists(WORDS, max_size=2),
        "docker": st.fixed_dictionaries(
            {}, optional={"image": WORDS, "services": st.lists(SERVICE, max_size=3), "privileged": st.booleans()}
        ),
        "autoscaler": st.fixed_dictionaries({}, optional={"plugin": WORDS, "policy": st.lists(POLICY, max_size=3)}),
    },
)
INLINE = st.booleans()


def _value(value: t.Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_value(inner)}" for name, inner in value.items()) + "}"
    return str(value) if isinstance(value, int) else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _lines(table: Table, header: str, mark: str, inline: bool) -> t.Iterator[str]:
    nested = {
        name: value
        for name, value in table.items()
        if isinstance(value, dict) or (not inline and value and isinstance(value, list) and isinstance(value[0], dict))
    }
    yield from (f"{name} = {_value(value)}  # {mark}" for name, value in table.items() if name not in nested)
    for name, value in nested.items():
        for number, part in enumerate(value if isinstance(value, list) else [value]):
            yield f"# {mark} {header}.{name} {number}"
            yield f"[[{header}.{name}]]" if isinstance(value, list) else f"[{header}.{name}]"
            yield from _lines(part, f"{header}.{name}", mark, inline)


def _blocks(entries: t.Sequence[Table], inline: bool) -> list[str]:
    return [
        "\n".join(["[[runners]]", *_lines(one, "runners", f"of {one['name']}", inline)]) + "\n\n" for one in entries
    ]


@st.composite
def _cases(draw: st.DrawFn) -> tuple[list[str], list[Table], Wanted]:
    names = draw(st.permutations(NAMES))[: draw(st.integers(0, 4))]
    disk = [{"name": name, "token": f"glrt-{name}0000", **draw(FIELDS)} for name in names]
    declared = [
        Entry(name, draw(FIELDS), {"token": f"glrt-{name}0000"})
        for name in draw(st.permutations(NAMES))[: draw(st.integers(0, 3))]
    ]
    known = {entry.name for entry in declared}
    absent = frozenset(name for name in draw(st.permutations(NAMES))[: draw(st.integers(0, 1))] if name not in known)
    head = "# head\nconcurrent = 1  # of the head\n\n"
    wanted = Wanted(draw(st.sampled_from([{}, {"concurrent": 2}, {"check_interval": 5}])), tuple(declared), absent)
    return [head, *_blocks(disk, draw(INLINE))], disk, wanted


def _holds(found: t.Any, declared: t.Any) -> bool:
    """Whether what is declared is there; what is empty may be absent, and durations have more than one spelling."""
    if isinstance(declared, dict):
        return all(_holds((found or {}).get(name), value) for name, value in declared.items())
    if isinstance(declared, list) and declared and isinstance(declared[0], dict):
        return len(found or []) == len(declared) and all(map(_holds, found, declared))
    return found == declared or (not found and not declared) or {found, declared} <= {"20m", "20m0s", "0s", None}


@given(_cases())
def test_what_is_declared_comes_and_the_rest_stays(case: tuple[list[str], list[Table], Wanted]) -> None:
    (head, *blocks), disk, wanted = case
    text = head + "".join(blocks)
    plan = planning.plan(text, wanted, "f")
    config = tomllib.loads(plan.text)
    entries = {entry["name"]: entry for entry in config.get("runners", [])}

    for entry in wanted.entries:
        assert _holds(entries[entry.name], dict(entry.fields))
    declared = {entry.name for entry in wanted.entries}
    for known, block in zip(disk, blocks):
        if known["name"] not in declared | wanted.absent:
            assert block.rstrip("\n") in plan.text
        assert (known["name"] in entries) == (known["name"] not in wanted.absent)
    assert plan.text.startswith("# head\n")

    again = planning.plan(plan.text, wanted, "f")
    assert (again.changed, again.changes) == (False, ())
