# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ruby's tokens, as far as gitlab.rb needs them: strings, heredocs, numbers, words, punctuation."""

from __future__ import annotations

import dataclasses
import re
import typing as t


class RubySyntaxError(Exception):
    """Text that Ruby itself would refuse."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(problem)
        self.line = line


@dataclasses.dataclass(frozen=True)
class Token:
    """kind: word, string, symbol, number, punct, newline, end; a string that has code in it has `code` set."""

    kind: str
    value: t.Any
    line: int
    code: bool = False


_SPACE = re.compile(r"(?:[ \t\r]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_NUMBER = re.compile(r"\d[\d_]*(?:\.\d+)?(?![A-Za-z_])")
_WORD = re.compile(r"[A-Za-z_]\w*[?!]?")
_SYMBOL = re.compile(r":([A-Za-z_]\w*[?!]?)(?!:)")
_HEREDOC = re.compile(r"<<([~-]?)(['\"]?)([A-Z_]\w*)\2")
_PERCENT = re.compile(r"%([wiqQ]?)([\[({<|!/])")
_PUNCT = re.compile(r"\*\*|=>|==|!=|&&|\|\||<<|<=|>=|=~|\+=|::|\.\.|[-+*/%.,=\[\](){}!?:;|<>&~]")
_PAIRS = {"[": "]", "(": ")", "{": "}", "<": ">"}
_ESCAPES = {"n": "\n", "t": "\t", "s": " ", "r": "\r", "0": "\0", "e": "\x1b"}


class Lexer:
    """Cuts a text into tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.found: list[Token] = []
        self.heredocs: list[tuple[int, str, str, str]] = []  # place among the tokens, squiggle, quote, mark

    def tokens(self) -> list[Token]:
        """Return every token, ended by one of the kind end; RubySyntaxError when a string has no end."""
        while self.at < len(self.text):
            self._one()
        if self.heredocs:
            raise RubySyntaxError(self.line, f'can\'t find string "{self.heredocs[0][3]}" anywhere before EOF')
        self.found.append(Token("end", None, self.line))
        return self.found

    def _take(self, pattern: re.Pattern[str]) -> t.Optional[re.Match[str]]:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
            self.line += match[0].count("\n")
        return match

    def _add(self, kind: str, value: t.Any, line: int, *, code: bool = False) -> None:
        self.found.append(Token(kind, value, line, code))

    def _one(self) -> None:
        line = self.line
        if self.text.startswith("=begin", self.at) and self._at_line_start():
            self._block_comment()
        elif self._take(_SPACE) or self._take(_COMMENT):
            pass
        elif self.text[self.at] == "\n":
            self._newline()
        elif self.text[self.at] in "'\"`":
            self.at += 1
            quote = self.text[self.at - 1]
            self._string(quote, quote, line, raw=quote == "'")
        elif match := self._take(_HEREDOC):
            self.heredocs.append((len(self.found), match[1], match[2], match[3]))
            self._add("string", "", line)
        elif self._percent_fits() and (match := self._take(_PERCENT)):
            self._percent(match[1], match[2], line)
        else:
            self._plain(line)

    def _plain(self, line: int) -> None:
        if match := self._take(_NUMBER):
            text = match[0].replace("_", "")
            self._add("number", float(text) if "." in text else int(text), line)
        elif match := self._take(_WORD):
            self._add("word", match[0], line)
        elif match := self._take(_SYMBOL):
            self._add("symbol", match[1], line)
        elif match := self._take(_PUNCT):
            self._add("punct", match[0], line)
        else:
            raise RubySyntaxError(line, f"unexpected character {self.text[self.at]!r}")

    def _at_line_start(self) -> bool:
        return self.at == 0 or self.text[self.at - 1] == "\n"

    def _block_comment(self) -> None:
        end = re.compile(r"^=end\b[^\n]*", re.MULTILINE).search(self.text, self.at)
        if not end:
            raise RubySyntaxError(self.line, "embedded document meets end of file")
        self.line += self.text.count("\n", self.at, end.end())
        self.at = end.end()

    def _newline(self) -> None:
        self._add("newline", "\n", self.line)
        self.at += 1
        self.line += 1
        waiting, self.heredocs = self.heredocs, []
        for heredoc in waiting:
            self._heredoc(*heredoc)

    def _heredoc(self, place: int, squiggle: str, quote: str, mark: str) -> None:
        indent = r"[ \t]*" if squiggle else ""
        end = re.compile(rf"^{indent}{mark}[ \t\r]*$", re.MULTILINE).search(self.text, self.at)
        if not end:
            raise RubySyntaxError(self.line, f'can\'t find string "{mark}" anywhere before EOF')
        body = self.text[self.at : end.start()]
        self.line += self.text.count("\n", self.at, end.end())
        self.at = end.end()
        if squiggle == "~":
            depths = [len(line) - len(line.lstrip()) for line in body.splitlines() if line.strip()]
            body = re.sub(rf"^[ \t]{{0,{min(depths, default=0)}}}", "", body, flags=re.MULTILINE)
        code = quote != "'" and "#{" in body
        self.found[place] = Token("string", body, self.found[place].line, code)

    def _string(self, opening: str, closing: str, line: int, *, raw: bool) -> None:
        parts: list[str] = []
        depth = 1
        while depth:
            if self.at >= len(self.text):
                raise RubySyntaxError(line, "unterminated string meets end of file")
            char = self.text[self.at]
            self.at += 1
            if char == "\\" and self.at < len(self.text):
                parts.append(self._escape(closing, raw=raw))
                continue
            self.line += char == "\n"
            if char == closing:
                depth -= 1
            elif char == opening:
                depth += 1
            if depth:
                parts.append(char)
        value = "".join(parts)
        self._add("string", value, line, code=not raw and "#{" in value)

    def _escape(self, closing: str, *, raw: bool) -> str:
        char = self.text[self.at]
        self.at += 1
        self.line += char == "\n"
        if raw:
            return char if char in (closing, "\\") else f"\\{char}"
        return _ESCAPES.get(char, char)

    def _percent_fits(self) -> bool:
        """Tell a %w[] from a remainder: it stands where a value is expected."""
        last = self.found[-1] if self.found else None
        return last is None or last.kind == "newline" or (last.kind == "punct" and last.value not in ("]", ")", "}"))

    def _percent(self, kind: str, opening: str, line: int) -> None:
        self._string(opening, _PAIRS.get(opening, opening), line, raw=kind in ("w", "i", "q"))
        if kind in ("w", "i"):
            last = self.found.pop()
            self._add("words", last.value.split(), line)
