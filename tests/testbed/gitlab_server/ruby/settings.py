# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates gitlab.rb: assignments of literals, which is what configuration is made of."""

from __future__ import annotations

import os
import typing as t

from .lexer import Lexer, RubySyntaxError, Token

_OPENERS = {"[": "]", "(": ")", "{": "}"}
_BLOCKS = ("if", "unless", "while", "until", "case", "def", "class", "module", "begin", "do", "for")
_MODIFIERS = ("if", "unless", "while", "until", "rescue")
_OPERATORS = (
    "+",
    "-",
    "*",
    "/",
    ".",
    "?",
    "==",
    "!=",
    "&&",
    "||",
    "<",
    ">",
    "<=",
    ">=",
    "=~",
    "::",
    "**",
    "&",
    "|",
    "%",
)
_CONSTANTS = {"true": True, "false": False, "nil": None}

Setting = tuple[str, tuple[t.Any, ...], t.Any, int]  # name, keys, value, line


class Unsupported(Exception):
    """Ruby that is fine and that this stand-in can't evaluate."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"the twin's Ruby can't evaluate {what}")
        self.line = line


def _check_brackets(tokens: t.Sequence[Token]) -> None:
    stack: list[Token] = []
    for token in tokens:
        if token.kind != "punct":
            continue
        if token.value in _OPENERS:
            stack.append(token)
        elif token.value in _OPENERS.values() and (not stack or _OPENERS[stack.pop().value] != token.value):
            raise RubySyntaxError(token.line, f"syntax error, unexpected '{token.value}'")
    if stack:
        closing = _OPENERS[stack[-1].value]
        raise RubySyntaxError(tokens[-1].line, f"syntax error, unexpected end-of-input, expecting '{closing}'")


def _opens_block(tokens: t.Sequence[Token], place: int) -> bool:
    """Tell an `if` that begins a statement from one that follows it."""
    token, before = tokens[place], tokens[place - 1] if place else None
    if token.kind != "word" or token.value not in _BLOCKS:
        return False
    if token.value not in _MODIFIERS or before is None or before.kind == "newline":
        return True
    return before.kind == "punct" and before.value in ("=", ";", "(", ",", "=>", "&&", "||")


def _check_blocks(tokens: t.Sequence[Token]) -> None:
    depth = 0
    for place, token in enumerate(tokens):
        if _opens_block(tokens, place):
            depth += 1
        elif token.kind == "word" and token.value == "end":
            depth -= 1
            if depth < 0:
                raise RubySyntaxError(token.line, "syntax error, unexpected 'end'")
    if depth:
        raise RubySyntaxError(tokens[-1].line, "syntax error, unexpected end-of-input, expecting 'end'")


class Parser:
    """Reads the statements of a text one after the other."""

    def __init__(self, text: str) -> None:
        self.tokens = Lexer(text).tokens()
        _check_brackets(self.tokens)
        _check_blocks(self.tokens)
        self.at = 0
        self.variables: dict[str, t.Any] = {}

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def _is(self, *values: str) -> bool:
        return self.token.kind in ("punct", "newline") and self.token.value in values

    def _next(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def _skip_lines(self) -> None:
        while self.token.kind == "newline":
            self.at += 1

    def _unexpected(self) -> RubySyntaxError:
        what = "end-of-input" if self.token.kind == "end" else repr(self.token.value).replace("'\\n'", "newline")
        return RubySyntaxError(self.token.line, f"syntax error, unexpected {what}")

    def _expect(self, value: str) -> None:
        if not self._is(value):
            raise self._unexpected()
        self.at += 1

    def settings(self) -> t.Iterator[Setting]:
        """Yield every assignment and every call such as `external_url "..."`."""
        while True:
            while self.token.kind == "newline" or self._is(";"):
                self.at += 1
            if self.token.kind == "end":
                return
            setting = self._statement()
            if setting:
                yield setting
            if not (self.token.kind in ("newline", "end") or self._is(";")):
                raise self._unexpected_rest()

    def _unexpected_rest(self) -> Exception:
        if self.token.kind == "word" and self.token.value in (*_MODIFIERS, "do", "and", "or"):
            return Unsupported(self.token.line, f"'{self.token.value}'")
        return self._unexpected()

    def _statement(self) -> t.Optional[Setting]:
        first = self._next()
        if first.kind != "word":
            self.at -= 1
            raise Unsupported(first.line, "such a statement") if first.kind != "punct" else self._unexpected()
        if first.value in _BLOCKS or first.value in ("require", "require_relative", "puts", "raise", "return"):
            raise Unsupported(first.line, f"'{first.value}'")
        keys = () if first.value == "roles" else self._keys()  # `roles ["x"]` is a call
        if self._is("="):
            self.at += 1
            value = self.expression()
            if keys:
                return first.value, keys, value, first.line
            self.variables[first.value] = value
            return None
        if keys or self._is(*_OPERATORS, "<<", "+=", "{", "!"):
            raise Unsupported(first.line, "such a statement")
        return first.value, (), self._argument(), first.line

    def _keys(self) -> tuple[t.Any, ...]:
        keys = []
        while self._is("["):
            self.at += 1
            keys.append(self.expression())
            self._expect("]")
        return tuple(keys)

    def _argument(self) -> t.Any:
        if self._is("("):
            self.at += 1
            value = self.expression()
            self._skip_lines()
            self._expect(")")
            return value
        return self.expression()

    def expression(self) -> t.Any:
        """Return the value of one expression."""
        self._skip_lines()
        value = self._value()
        while self.token.kind == "string" and isinstance(value, str) and self.tokens[self.at - 1].kind == "string":
            value += self._next().value
        if self._is("||"):
            self.at += 1
            other = self.expression()
            return other if value is None or value is False else value
        if self._is(*_OPERATORS):
            line, operator = self.token.line, self._next().value
            self.expression()  # what Ruby refuses is refused here too
            raise Unsupported(line, f"'{operator}'")
        return value

    def _value(self) -> t.Any:
        token = self._next()
        if token.code:
            raise Unsupported(token.line, "a string with code in it")
        if token.kind in ("string", "number", "symbol", "words"):
            return token.value
        if token.kind == "word":
            return self._word(token)
        if token.kind == "punct" and token.value == "[":
            return self._list("]", self.expression)
        if token.kind == "punct" and token.value == "{":
            return dict(self._list("}", self._pair))
        if token.kind == "punct" and token.value == "-" and self.token.kind == "number":
            return -self._next().value
        if token.kind == "punct" and token.value == "(":
            self.at -= 1
            return self._argument()
        self.at -= 1
        raise self._unexpected()

    def _word(self, token: Token) -> t.Any:
        if token.value in _CONSTANTS:
            return _CONSTANTS[token.value]
        if token.value == "ENV" and (keys := self._keys()):
            return os.environ.get(str(keys[0]))
        if token.value in self.variables:
            return self.variables[token.value]
        raise Unsupported(token.line, f"'{token.value}'")

    def _list(self, closing: str, item: t.Callable[[], t.Any]) -> list[t.Any]:
        items = []
        self._skip_lines()
        while not self._is(closing):
            items.append(item())
            self._skip_lines()
            if not self._is(closing):
                self._expect(",")
                self._skip_lines()
        self.at += 1
        return items

    def _pair(self) -> tuple[t.Any, t.Any]:
        token = self.token
        after = self.tokens[self.at + 1]
        if token.kind in ("word", "string") and after.kind == "punct" and after.value == ":":
            self.at += 2
            return token.value, self.expression()
        key = self.expression()
        self._skip_lines()
        self._expect("=>")
        return key, self.expression()


def check(text: str) -> None:
    """Raise RubySyntaxError for what Ruby would refuse; what can't be evaluated here may still be fine Ruby."""
    try:
        for _setting in Parser(text).settings():
            pass
    except Unsupported:
        pass  # brackets, strings and blocks were in order


def evaluate(text: str) -> list[Setting]:
    """Return the settings of a text, in order."""
    return list(Parser(text).settings())
