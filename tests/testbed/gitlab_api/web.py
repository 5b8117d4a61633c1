# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and answers, free of sockets."""

from __future__ import annotations

import json
import re
import typing as t
import urllib.parse
from dataclasses import dataclass, field
from functools import cached_property

from .errors import ApiError, Headers, bad_parameters

Params = dict[str, t.Any]


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are lower case, the path is as it came (still quoted)."""

    method: str
    path: str
    query: str = ""
    headers: t.Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = "127.0.0.1"

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    @cached_property
    def query_params(self) -> Params:
        return _pairs(self.query)

    @cached_property
    def params(self) -> Params:
        """Return query and body together; the body wins."""
        return {**self.query_params, **self._body_params()}

    def _body_params(self) -> Params:
        kind = self.header("content-type").partition(";")[0].strip().lower()
        if not self.body or kind not in ("application/json", "application/x-www-form-urlencoded"):
            return {}
        if kind == "application/x-www-form-urlencoded":
            return _pairs(self.body.decode("utf-8", "replace"))
        try:
            data = json.loads(self.body)
        except ValueError as exc:
            raise bad_parameters("message body does not match declared format") from exc
        return data if isinstance(data, dict) else {}  # the runner sends a literal null (runner facts 5)


@dataclass(frozen=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Headers = ()


def json_response(status: int, data: t.Any, headers: Headers = ()) -> Response:
    body = json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(status, body, (("Content-Type", "application/json"), *headers))


def text_response(status: int, text: str, headers: Headers = (), kind: str = "text/plain") -> Response:
    return Response(status, text.encode(), (("Content-Type", kind), *headers))


def error_response(error: ApiError) -> Response:
    return json_response(error.status, error.body, error.headers)


def no_content(headers: Headers = ()) -> Response:
    return Response(204, b"", headers)


def _pairs(text: str) -> Params:
    """Read name=value pairs; `name[]` collects a list, `name[key]` a mapping."""
    found: Params = {}
    for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
        nested = re.fullmatch(r"(\w+)\[(\w*)\]", name)
        if nested is None:
            found[name] = value
        elif nested[2]:
            found.setdefault(nested[1], {})[nested[2]] = value
        else:
            found.setdefault(nested[1], []).append(value)
    return found
