# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in the place of the package's Ruby refuses broken syntax and evaluates settings."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path

import pytest
from testbed.gitlab_server.ruby import program
from testbed.gitlab_server.ruby.lexer import RubySyntaxError
from testbed.gitlab_server.ruby.settings import Unsupported, check, evaluate


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("x['k'] = 'it\\'s'", "it's", id="single-quotes"),
        pytest.param('x["k"] = "a\\tb"', "a\tb", id="double-quotes"),
        pytest.param("x['k'] = 'a' \\\n 'b'", "ab", id="strings-side-by-side"),
        pytest.param("x['k'] = 'a # b' # comment", "a # b", id="comment"),
        pytest.param("x['k'] = 1_000", 1000, id="number"),
        pytest.param("x['k'] = -1.5", -1.5, id="negative"),
        pytest.param("x['k'] = nil", None, id="nil"),
        pytest.param("x['k'] = :symbol", "symbol", id="symbol"),
        pytest.param("x['k'] = %w[a b]", ["a", "b"], id="words"),
        pytest.param("x['k'] = [\n  'a',\n  'b', # last\n]", ["a", "b"], id="list-over-lines"),
        pytest.param("x['k'] = { 'a' => 1, b: { :c => [true] } }", {"a": 1, "b": {"c": [True]}}, id="hash"),
        pytest.param("x['k'] = <<~EOS\n    a\n      b\n  EOS\n", "a\n  b\n", id="squiggly-heredoc"),
        pytest.param("x['k'] = <<-'EOS'\n  a #{b}\n  EOS\n", "  a #{b}\n", id="raw-heredoc"),
        pytest.param("v = 'a'\nx['k'] = v", "a", id="variable"),
        pytest.param("x['k'] = ENV['TWIN_X'] || 'd'", "from outside", id="environment"),
        pytest.param("x['k'] = ENV['TWIN_Y'] || 'd'", "d", id="environment-default"),
        pytest.param("=begin\nno ' ruby\n=end\nx['k'] = 1", 1, id="block-comment"),
    ],
)
def test_values(monkeypatch: pytest.MonkeyPatch, text: str, value: t.Any) -> None:
    monkeypatch.setenv("TWIN_X", "from outside")
    ((name, keys, found, _line),) = evaluate(text)
    assert (name, keys, found) == ("x", ("k",), value)


def test_calls_and_deep_keys() -> None:
    text = "external_url 'http://a'\nroles ['x']\ngitaly['configuration']['git']['bin_path'] = '/x'\n"
    assert [(name, keys) for name, keys, _value, _line in evaluate(text)] == [
        ("external_url", ()),
        ("roles", ()),
        ("gitaly", ("configuration", "git", "bin_path")),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("x['k'] = 'abc\n", 1, id="string-without-end"),
        pytest.param('x["k"] = "abc\ny["k"] = 1\n', 2, id="string-that-ends-in-the-next-one"),
        pytest.param("x['k' = 1", 1, id="bracket-not-closed"),
        pytest.param("x['k'] = [1, 2\n", 2, id="list-not-closed"),
        pytest.param("x['k'] = 1]\n", 1, id="bracket-too-many"),
        pytest.param("x['k'] = { 'a' => 1\ny['k'] = 2\n", 3, id="hash-not-closed"),
        pytest.param("x['k'] = { 'a' => }", 1, id="hash-without-value"),
        pytest.param("x['k'] = { 'a' 1 }", 1, id="hash-without-arrow"),
        pytest.param("x['k'] = [1 2]", 1, id="list-without-comma"),
        pytest.param("x['k'] =\n", 2, id="no-value"),
        pytest.param("x['k'] = 1 2\n", 1, id="two-values"),
        pytest.param("x['k'] = <<EOS\nabc\n", 2, id="heredoc-without-end"),
        pytest.param("if true\nx['k'] = 1\n", 3, id="if-without-end"),
        pytest.param("x['k'] = 1\nend\n", 2, id="end-without-if"),
        pytest.param("=begin\nabc\n", 1, id="block-comment-without-end"),
        pytest.param("x['k'] = \u00a7\n", 1, id="strange-character"),
        pytest.param("external_url 'http://a\"\n", 1, id="mixed-quotes"),
    ],
)
def test_broken_syntax_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(RubySyntaxError) as caught:
        check(text)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("if ENV['X']\n  x['k'] = 1\nend\n", id="if"),
        pytest.param("x['k'] = 1 if true\n", id="modifier"),
        pytest.param('x["k"] = "a#{1 + 1}"\n', id="interpolation"),
        pytest.param("x['k'] = YAML.load <<-'E'\n  a: 1\n  E\n", id="method"),
        pytest.param("x['k'] = 60 * 60\n", id="arithmetic"),
        pytest.param("%w(a b).each do |n|\n  x[n] = 1\nend\n", id="block"),
    ],
)
def test_ruby_beyond_this_stand_in_passes_the_check_and_is_named_when_evaluated(text: str) -> None:
    check(text)
    with pytest.raises(Unsupported):
        evaluate(text)


@pytest.mark.parametrize(
    ("text", "code", "out", "err"),
    [
        pytest.param("x['k'] = 1\n", 0, "Syntax OK\n", "", id="good"),
        pytest.param("x['k'] =\n", 1, "", "ruby: {}:2: syntax error, unexpected end-of-input (SyntaxError)\n", id="b"),
        pytest.param(None, 1, "", "ruby: No such file or directory -- {} (LoadError)\n", id="no-file"),
    ],
)
def test_program(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    code: int,
    out: str,
    err: str,
) -> None:
    file = tmp_path / "gitlab.rb"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(sys, "argv", ["ruby", "-c", str(file)])
    assert program.main() == code
    said = capsys.readouterr()
    assert (said.out, said.err) == (out, err.format(file))
