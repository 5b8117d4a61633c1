# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of entries come to the plugins as Ansible itself would hand them over."""

from __future__ import annotations

import datetime
import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._task_arguments import entries, plain

OTHER_MARKS = "#jinja2: variable_start_string: '<<', variable_end_string: '>>'\n<<bucket>>"
VARIABLES = {
    "plain": [{"name": "a", "tag_list": ["x"], "limit": 4, "locked": False, "note": None, "docker": {"image": "i{1}"}}],
    "bucket": "cache-1",
    "mixed": [
        {"name": "a", "since": datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)},
        {"name": trust_as_template("b-{{ bucket }}"), "cache": {"Path": trust_as_template("{{ bucket }}")}},
        {"name": "c", "limit": trust_as_template("{{ omit }}")},
        {"name": "d", "post_build_script": "printf '{{ literal }}'"},
        {"name": "e", "environment": [trust_as_template("{# gone #}A=b")]},
        {"name": "f", "url": trust_as_template(OTHER_MARKS)},
    ],
    "words": "none",
}


def _templar() -> t.Any:
    return Templar(loader=DataLoader(), variables=VARIABLES)._engine


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(trust_as_template("{{ plain }}"), id="no-template-inside"),
        pytest.param(trust_as_template("{{ mixed }}"), id="templates-inside"),
        pytest.param(trust_as_template("{{ plain + mixed }}"), id="an-expression"),
        pytest.param(trust_as_template("{{ mixed | reverse | list }}"), id="a-filter"),
        pytest.param(VARIABLES["mixed"], id="written-in-the-task"),
        pytest.param(trust_as_template("{{ words }}"), id="no-list"),
        pytest.param([], id="empty"),
        pytest.param(None, id="nothing"),
    ],
)
def test_entries_are_what_ansible_makes_of_them(value: t.Any) -> None:
    assert plain(entries(value, _templar())) == plain(_templar().template(value))


def test_an_entry_without_templates_is_never_templated() -> None:
    class Counting:
        templated = 0

        def resolve_to_container(self, value: t.Any) -> t.Any:
            return value

        def template(self, value: t.Any) -> t.Any:
            self.templated += 1
            return value

    templar = Counting()
    entries(VARIABLES["plain"] * 3 + VARIABLES["mixed"], templar)  # type: ignore[operator]
    assert templar.templated == 5


def test_a_variable_that_is_not_there_is_an_error_as_ever() -> None:
    for value in ("{{ nowhere }}", [{"name": trust_as_template("{{ nowhere }}")}]):
        with pytest.raises(AnsibleError, match="nowhere"):
            entries(trust_as_template(value) if isinstance(value, str) else value, _templar())


def test_plain_values_keep_their_kinds() -> None:
    class Word(str):
        pass

    found = plain({Word("a"): [Word("b"), True, 1, 1.5, None]})
    assert found == {"a": ["b", True, 1, 1.5, None]}
    assert [type(one) for one in (*found, *found["a"])] == [str, str, bool, int, float, type(None)]
