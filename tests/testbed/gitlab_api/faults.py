# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on a switch: rules that answer, delay or drop a request in place of the twin."""

from __future__ import annotations

import json
import re
import threading
import typing as t
from dataclasses import dataclass, field

from .errors import Headers, bad_parameters
from .web import Request, Response, json_response, text_response

_KEYS = {"method", "path", "status", "body", "headers", "times", "delay", "skip", "reset", "after"}


@dataclass
class Rule:
    """One fault: which requests it meets, and what happens to them; `seen` and `hits` count."""

    spec: dict[str, t.Any]
    seen: int = 0
    hits: int = 0

    def takes(self, request: Request) -> bool:
        """Say whether this request is the rule's; counts."""
        method = self.spec.get("method")
        if method not in (None, request.method) or not re.search(self.spec.get("path", ""), request.path):
            return False
        self.seen += 1
        if self.seen <= self.spec.get("skip", 0) or self.hits >= self.spec.get("times", float("inf")):
            return False
        self.hits += 1
        return True

    @property
    def delay(self) -> float:
        return float(self.spec.get("delay", 0))

    @property
    def drops_before(self) -> bool:
        return bool(self.spec.get("reset"))

    @property
    def drops_after(self) -> bool:
        return bool(self.spec.get("after"))

    def response(self) -> Response | None:
        """Return the answer that the rule gives itself, or None to let the twin answer."""
        if "status" not in self.spec:
            return None
        headers: Headers = tuple((name, str(value)) for name, value in self.spec.get("headers", {}).items())
        body = self.spec.get("body", "")
        if not isinstance(body, str):
            return json_response(self.spec["status"], body, headers)
        kind = next((value for name, value in headers if name.lower() == "content-type"), "")
        rest = tuple((name, value) for name, value in headers if name.lower() != "content-type")
        return text_response(self.spec["status"], body, rest, kind or _kind_of(body))


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise bad_parameters(f"path {pattern!r} is not a regular expression: {exc}") from exc


def _kind_of(body: str) -> str:
    try:
        json.loads(body)
    except ValueError:
        return "text/html" if body.lstrip().startswith("<") else "text/plain"
    return "application/json"


@dataclass
class Faults:
    """The rules in force; the first that takes a request wins."""

    rules: list[Rule] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, request: Request) -> Rule | None:
        with self.lock:
            return next((rule for rule in self.rules if rule.takes(request)), None)

    def replace(self, specs: t.Any) -> None:
        """Put these rules in force, with fresh counters."""
        if not isinstance(specs, list) or not all(isinstance(spec, dict) for spec in specs):
            raise bad_parameters("faults must be a list of rules")
        unknown = sorted({key for spec in specs for key in spec} - _KEYS)
        if unknown:
            raise bad_parameters(f"unknown keys: {', '.join(unknown)}")
        for spec in specs:
            _check_pattern(spec.get("path", ""))
        with self.lock:
            self.rules = [Rule(dict(spec)) for spec in specs]

    def listed(self) -> list[dict[str, t.Any]]:
        with self.lock:
            return [{**rule.spec, "hits": rule.hits} for rule in self.rules]
