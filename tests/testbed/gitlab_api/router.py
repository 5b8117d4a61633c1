# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One table of routes, and what stands before each handler: token and scope, then parameters (API facts 1.1)."""

from __future__ import annotations

import re
import typing as t
import urllib.parse
from dataclasses import dataclass, field

from .errors import ApiError, no_route
from .params import Param
from .web import Response

if t.TYPE_CHECKING:
    from .app import Call

API = "/api/v4"
Access = t.Literal["user", "open", "runner"]


@dataclass(frozen=True)
class Route:
    """A call: `access` user (token needed), open (none), runner (none, but closed during migrations)."""

    method: str
    pattern: str
    handler: t.Callable[[Call], Response]
    access: Access = "user"
    scopes: tuple[str, ...] | None = ()
    params: tuple[Param, ...] = ()
    one_of: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()
    limit: str = ""

    @property
    def label(self) -> str:
        return f"{self.method} {self.pattern}"


@dataclass(frozen=True)
class Match:
    """What a path led to: a route and its path parameters, or an error; `label` is for counting."""

    label: str
    route: Route | None = None
    path: t.Mapping[str, str] = field(default_factory=dict)
    error: ApiError | None = None


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", pattern))


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: t.Iterable[Route]) -> None:
        self._patterns: dict[str, tuple[re.Pattern[str], dict[str, Route]]] = {}
        for route in routes:
            _unused, by_method = self._patterns.setdefault(route.pattern, (_compiled(route.pattern), {}))
            by_method[route.method] = route

    def match(self, method: str, path: str) -> Match:
        """Return the first route in the table's order, so a literal segment stands before a named one."""
        verb = "GET" if method == "HEAD" else method
        wrong_verb = ""
        for pattern, (regex, by_method) in self._patterns.items():
            found = regex.fullmatch(path)
            if found is None:
                continue
            if verb in by_method:
                names = {name: urllib.parse.unquote(value) for name, value in found.groupdict().items()}
                return Match(by_method[verb].label, by_method[verb], names)
            wrong_verb = wrong_verb or pattern
        if wrong_verb:
            return Match(f"{method} {wrong_verb}", error=ApiError(405, {"error": "405 Not Allowed"}))
        return Match(f"{method} (unknown)", error=no_route())
