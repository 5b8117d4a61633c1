# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab.rb: what is written is what Ruby reads; what can't work is refused; what GitLab dropped is known."""

from __future__ import annotations

import datetime
import json
import math
import re
import shutil
import subprocess
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _gitlab_rb, _gitlab_rb_removed
from hypothesis import given, settings
from hypothesis import strategies as st

URL = "https://gitlab.corp.test"
RUBY = shutil.which("ruby")
# GitLab's own reader, in short: `name['key'] = value` stores, `name value` is a method with one argument.
READER = """
require 'json'
FOUND = {}
%w[gitlab_rails nginx].each { |name| define_method(name) { FOUND[name] ||= {} } }
%w[external_url roles git_data_dirs].each { |name| define_method(name) { |value| FOUND[name] = value } }
eval(STDIN.read.force_encoding('UTF-8'))
puts JSON.generate(FOUND)
"""
NASTY = (
    *("#{raise 'run'}", "#$0", "#@x", "it's", 'say "x"', "back\\slash", "\\'", "end\\", "two\nlines", "tab\there"),
    *("\r\n", "\x7f\x01", "日本 ü", "%{x}", "a#b", "", " ", "=end", "__END__", "\\#{x}\n", "\u2028"),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")) | st.sampled_from(NASTY),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_'\"\\#{", max_size=5), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def read_by_ruby(text: str) -> dict[str, t.Any]:
    if RUBY is None:
        pytest.skip("Ruby is not installed here (Debian's package ruby)")
    done = subprocess.run([RUBY, "-e", READER], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, t.Any] = json.loads(done.stdout)
    return found


@settings(max_examples=25)
@given(st.lists(values, max_size=60))
def test_ruby_reads_what_was_declared(declared: list[t.Any]) -> None:
    keys = {f"key_{number}": value for number, value in enumerate(declared)} or {"a": 1}
    text = _gitlab_rb.render(URL, {"gitlab_rails": keys, "nginx": {"listen_port": 80}})
    assert read_by_ruby(text) == {"external_url": URL, "gitlab_rails": keys, "nginx": {"listen_port": 80}}


def test_every_nasty_string_is_text() -> None:
    declared = {f"key {string}": string for string in NASTY}
    assert read_by_ruby(_gitlab_rb.render(URL, {"gitlab_rails": declared}))["gitlab_rails"] == declared


def test_the_file_is_short_sorted_and_in_gitlabs_own_style() -> None:
    config = {
        "roles": ["a", "b"],
        "gitlab_rails": {"smtp_port": 587, "env": {"b": None, "a": "x"}, "smtp_enable": True},
        "git_data_dirs": {"default": {"path": "/mnt/git"}},
    }
    assert _gitlab_rb.render(URL, config, "\n# mine\nnginx['x'] = ENV['X']\n\n").splitlines()[1:] == [
        "external_url 'https://gitlab.corp.test'",
        "",
        "git_data_dirs({ 'default' => { 'path' => '/mnt/git' } })",
        "gitlab_rails['env'] = { 'a' => 'x', 'b' => nil }",
        "gitlab_rails['smtp_enable'] = true",
        "gitlab_rails['smtp_port'] = 587",
        "roles ['a', 'b']",
        "",
        "# gitlab_server_config_extra",
        "# mine",
        "nginx['x'] = ENV['X']",
    ]


@pytest.mark.parametrize(
    ("url", "config", "extra", "words"),
    [
        pytest.param("", {}, "", "gitlab_server_external_url is missing; give", id="no-url"),
        pytest.param("gitlab.corp.test", {}, "", "is no http or https URL", id="no-scheme"),
        pytest.param("ftp://a", {}, "", "is no http or https URL", id="ftp"),
        pytest.param("https://a:port", {}, "", "is no http or https URL", id="port"),
        pytest.param("https://a b", {}, "", "is no http or https URL", id="blank"),
        pytest.param("https://", {}, "", "is no http or https URL", id="no-host"),
        pytest.param("https://u:p@a", {}, "", "must have no user, query or fragment", id="user"),
        pytest.param("https://a/?x=1", {}, "", "must have no user, query or fragment", id="query"),
        pytest.param("https://gitlab.example.com", {}, "", "takes for no address at all", id="placeholder"),
        pytest.param(URL, {"a b": 1}, "", "'a b' is no name of a setting", id="name"),
        pytest.param(URL, {"gitlab_rails['x']": 1}, "", "is no name of a setting", id="ruby-as-name"),
        pytest.param(URL, {"external_url": "x"}, "", "set gitlab_server_external_url instead", id="url-twice"),
        pytest.param(URL, {}, "  external_url 'x'", "gitlab_server_config_extra sets external_url", id="url-in-extra"),
        pytest.param(URL, {"nginx": {}}, "", "config.nginx is empty; give it keys", id="empty"),
        pytest.param(URL, {"nginx": {True: 1}}, "", "config.nginx: the key True must be text", id="boolean-key"),
        pytest.param(URL, {"a": {"b": [{"c": math.inf}]}}, "", "config.a.b[0].c is inf", id="infinite"),
        pytest.param(URL, {"a": {"b": datetime.date(2026, 1, 1)}}, "", "config.a.b is a date", id="date"),
        pytest.param(URL, {"a": {"b": "x\x00"}}, "", "config.a.b holds a zero byte", id="zero"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused(url: str, config: dict[str, t.Any], extra: str, words: str) -> None:
    with pytest.raises(_gitlab_rb.ConfigError, match=re.escape(words)):
        _gitlab_rb.render(url, config, extra)


def test_everything_wrong_is_said_at_once() -> None:
    with pytest.raises(_gitlab_rb.ConfigError, match=r"external_url is missing.*a b.*config_extra sets"):
        _gitlab_rb.render("", {"a b": 1}, "external_url 'x'")


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        pytest.param(None, False, id="no-file"),
        pytest.param(
            "# x\n## y\n\nexternal_url 'http://a'\n# gitlab_rails['x'] = 1\n", False, id="the-packages-template"
        ),
        pytest.param("external_url 'http://a'\ngitlab_rails['x'] = 1\n", True, id="by-hand"),
        pytest.param(_gitlab_rb.render(URL, {"nginx": {"a": 1}}), False, id="ours"),
        pytest.param(_gitlab_rb.render(URL, {}) + "nginx['b'] = 2\n", False, id="ours-with-an-edit"),
    ],
)
def test_whose_file_it_is(text: str | None, foreign: bool) -> None:
    assert _gitlab_rb.foreign(text) == foreign


@pytest.mark.parametrize(
    ("text", "version", "names"),
    [
        ("git_data_dirs({ 'default' => {} })", (17, 11, 7), []),
        ("git_data_dirs({ 'default' => {} })", (18, 0), ["git_data_dirs"]),
        ("  git_data_dirs 'default' => {}", (18, 2), ["git_data_dirs"]),
        ("# git_data_dirs({})", (18, 2), []),
        ("mattermost['enable'] = false", (18, 11, 9), []),
        ("mattermost['enable'] = false", (19, 0), ["mattermost"]),
        ("mattermost_external_url 'https://m'", (19, 0), []),
        ("mattermost_external_url 'https://m'", (20, 0), ["mattermost_external_url"]),
        ("spamcheck['enable'] = true", (19, 3), ["spamcheck"]),
        ("sidekiq['max_concurrency'] = 5", (16, 11), []),
        ("sidekiq['max_concurrency'] = 5", (17, 0), ["sidekiq['max_concurrency']"]),
        ("sidekiq['concurrency'] = 5", (19, 0), []),
        ('gitlab_shell["migration"] = 1', (18, 0), ["gitlab_shell['migration']"]),
        ("gitaly['configuration'] = { storage: [] }", (19, 3), []),
        ("my_git_data_dirs = 1", (19, 3), []),
    ],
)
def test_removed_settings(text: str, version: tuple[int, ...], names: list[str]) -> None:
    assert [entry.name for entry in _gitlab_rb_removed.found(text, version)] == names


def test_a_removed_setting_is_named_with_its_version_and_what_takes_its_place() -> None:
    found = _gitlab_rb_removed.found("git_data_dirs({})", (18, 2))
    words = "git_data_dirs was removed in GitLab 18.0, and a reconfigure would stop at it: use gitaly['configuration']"
    assert _gitlab_rb_removed.message(found).startswith(words)
