# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits change the lines that were asked for, and no others."""

from __future__ import annotations

import tomllib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._toml_edit import REMOVE, Edit, TomlError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._toml_write import edited
from hypothesis import given
from hypothesis import strategies as st

TWO = """\
# head
concurrent = 4  # jobs

# about a
[[runners]]
  name = "a"
  # limit = 9

# about b
[[runners]]
  name = "b"
  [runners.docker]
    image = "x"

# end
"""


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came, each in its order."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("text", "edit", "after"),
    [
        pytest.param("a = 1  # c\nb = 2\n", Edit(("a",), 3), "a = 3  # c\nb = 2\n", id="comment-behind-stays"),
        pytest.param("a=1\n", Edit(("a",), 3), "a=3\n", id="spacing-stays"),
        pytest.param('"a" = 1\n', Edit(("a",), 3), '"a" = 3\n', id="quoted-key"),
        pytest.param("'a b' = 1\n", Edit(("a b",), 3), "'a b' = 3\n", id="literal-quoted-key"),
        pytest.param("a = 1", Edit(("b",), "x"), 'a = 1\nb = "x"\n', id="no-final-newline"),
        pytest.param("a = 1 # c", Edit(("a",), 2), "a = 2 # c", id="no-final-newline-kept"),
        pytest.param("a = 1\r\nb = 2\r\n", Edit(("a",), 3), "a = 3\r\nb = 2\r\n", id="crlf"),
        pytest.param("\ufeffa = 1\n", Edit(("a",), 3), "\ufeffa = 3\n", id="bom"),
        pytest.param("", Edit(("a",), 1), "a = 1\n", id="empty-file"),
        pytest.param("t = {a = 1} # c\n", Edit(("t", "a"), [1]), "t = {a = [1]} # c\n", id="inline-table"),
        pytest.param("t = {}\n", Edit(("t", "b"), {"c": 1}), "t = {b = {c = 1}}\n", id="table-in-inline-table"),
        pytest.param("t.a = 1 # c\n", Edit(("t", "a"), 2), "t.a = 2 # c\n", id="dotted-key"),
        pytest.param("a = 1\nb = 2\nc = 3\n", Edit(("b",), REMOVE), "a = 1\nc = 3\n", id="remove"),
        pytest.param(
            "a = 1\n\n# about t\n[t]\n  x = 1\n", Edit(("b",), 2), "a = 1\nb = 2\n\n# about t\n[t]\n  x = 1\n",
            id="new-key-leaves-the-next-table-its-comment",
        ),
        pytest.param(
            "[t]\n  x = 1\n\n# about u\n[u]\n", Edit(("t", "y"), 2), "[t]\n  x = 1\n  y = 2\n\n# about u\n[u]\n",
            id="new-key-in-a-table-likewise",
        ),
        pytest.param(
            "[[runners]]\n  name = 'a'\n  [runners.x]\n    y = 1\n", Edit(("runners", 0, "limit"), 2),
            "[[runners]]\n  name = 'a'\n  limit = 2\n  [runners.x]\n    y = 1\n", id="new-key-before-sub-tables",
        ),
        pytest.param(
            "[[RUNNERS]]\nname = 'a'\n", Edit(("RUNNERS", 1), {"name": "b"}),
            "[[RUNNERS]]\nname = 'a'\n\n[[RUNNERS]]\n  name = \"b\"\n", id="entry-in-the-file's-own-spelling",
        ),
        pytest.param(
            "concurrent = 1",
            Edit(("runners", 0), {"executor": "shell", "docker": {"image": "x"}, "url": "u", "a b": 1}),
            'concurrent = 1\n\n[[runners]]\n  url = "u"\n  executor = "shell"\n  "a b" = 1\n  [runners.docker]\n'
            '    image = "x"\n', id="entry-in-the-runner's-order",
        ),
    ],
)  # fmt: skip
def test_edits(text: str, edit: Edit, after: str) -> None:
    assert edited(text, [edit], "f") == after


@pytest.mark.parametrize(
    ("edit", "gone", "come"),
    [
        pytest.param(Edit(("concurrent",), 5), ["concurrent = 4  # jobs"], ["concurrent = 5  # jobs"], id="set"),
        pytest.param(Edit(("log_level",), "info"), [], ['log_level = "info"'], id="global-key"),
        pytest.param(Edit(("runners", 0, "limit"), 2), [], ["  limit = 2"], id="entry-key"),
        pytest.param(
            Edit(("runners", 0, "docker", "image"), "y"), [], ["    image = \"y\""], id="new-sub-table",
        ),
        pytest.param(Edit(("runners", 0), REMOVE), ['  name = "a"'], [], id="first-entry-removed"),
        pytest.param(
            Edit(("runners", 1), REMOVE), ['  name = "b"', "  [runners.docker]", '    image = "x"'], [],
            id="last-entry-removed",
        ),
        pytest.param(
            Edit(("runners", 1, "docker"), REMOVE), ["  [runners.docker]", '    image = "x"'], [], id="table-removed"
        ),
    ],
)  # fmt: skip
def test_only_the_asked_lines_change(edit: Edit, gone: list[str], come: list[str]) -> None:
    after = edited(TWO, [edit], "f")
    assert changed(TWO, after) == (gone, come)
    assert [line for line in after.splitlines() if "#" in line and "jobs" not in line] == [
        line for line in TWO.splitlines() if "#" in line and "jobs" not in line
    ]


def test_new_lines_stand_with_their_own_table() -> None:
    edits = [Edit(("runners", 0, "limit"), 2), Edit(("runners", 0, "cache", "Path"), "p")]
    lines = edited(TWO, edits, "f").splitlines()
    assert lines[4:9] == ["[[runners]]", '  name = "a"', "  limit = 2", "  [runners.cache]", '    Path = "p"']
    assert lines[lines.index("# about b") + 1] == "[[runners]]"


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        pytest.param("runners = [{name = 'a'}]\n", Edit(("runners", 1), {"name": "b"}), id="runners-as-inline-array"),
        pytest.param("runners = []\n", Edit(("runners", 0), {"name": "b"}), id="empty-inline-array"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, edit: Edit) -> None:
    with pytest.raises(TomlError, match=r"nothing was written.*\[\[runners\]\].*run this again"):
        edited(text, [edit], "f")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a = 1\na = 2\n", id="double-key"),
        pytest.param("[[runners]\n", id="broken-header"),
        pytest.param("a = \n", id="no-value"),
    ],
)
def test_broken_files_are_named(text: str) -> None:
    with pytest.raises(TomlError, match=r"^/p/c\.toml is no valid TOML: .*line \d.* Nothing was changed"):
        edited(text, [Edit(("x",), 1)], "/p/c.toml")


NAMES = st.sampled_from(["alpha", "beta-x", "gamma", "a b", 'q"x', "é"])
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
SCALARS = st.one_of(st.integers(-(2**31), 2**31), st.booleans(), WORDS, st.lists(WORDS, max_size=2))
TABLES_OF = st.dictionaries(NAMES, SCALARS, max_size=3)
ENTRIES = st.lists(st.tuples(TABLES_OF, st.one_of(st.none(), TABLES_OF)), max_size=3)


def _quoted(value: t.Any) -> str:
    """A value as somebody else's program may write it: every odd character escaped."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_quoted, value)) + "]"
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in value) + '"'


def _text(top: dict[str, t.Any], entries: list[tuple[dict[str, t.Any], dict[str, t.Any] | None]]) -> str:
    lines = ["# head"]
    lines += [f"{_quoted(name)} = {_quoted(value)} # top {number}" for number, (name, value) in enumerate(top.items())]
    for number, (fields, table) in enumerate(entries):
        lines += ["", f"# about {number}", "[[runners]]"]
        lines += [f"  {_quoted(name)} = {_quoted(value)} # {number}.{name!a}" for name, value in fields.items()]
        if table is not None:
            lines += ["  [runners.sub]", *(f"    {_quoted(name)} = {_quoted(value)}" for name, value in table.items())]
    return "\n".join(lines) + "\n"


@st.composite
def _files_and_edits(draw: st.DrawFn) -> tuple[str, list[Edit], dict[str, t.Any]]:
    text = _text(draw(TABLES_OF), draw(ENTRIES))
    config = tomllib.loads(text)
    wanted = tomllib.loads(text)
    edits = []
    for name, value in draw(TABLES_OF).items():
        edits.append(Edit((name,), value))
        wanted[name] = value
    for number, entry in enumerate(config.get("runners", [])):
        for name, value in draw(TABLES_OF).items():
            where = draw(st.sampled_from(["", "sub"]))
            target = wanted["runners"][number]
            target = target.setdefault("sub", {}) if where else target
            path = ("runners", number, "sub", name) if where else ("runners", number, name)
            if name in target and draw(st.booleans()):
                edits.append(Edit(path, REMOVE))
                del target[name]
            else:
                edits.append(Edit(path, value))
                target[name] = value
        assert entry is not wanted["runners"][number]
    return text, edits, wanted


@given(_files_and_edits())
def test_any_edit_means_what_was_asked_and_leaves_the_rest(case: tuple[str, list[Edit], dict[str, t.Any]]) -> None:
    text, edits, wanted = case
    after = edited(text, edits, "f")
    assert tomllib.loads(after) == wanted
    before_lines, lines = text.split("\n"), after.split("\n")
    marks = [line for line in before_lines if line.startswith("#") or line == "[[runners]]"]
    assert [line for line in lines if line.startswith("#") or line == "[[runners]]"] == marks
    assert len([line for line in before_lines if line not in lines]) <= len(edits)
