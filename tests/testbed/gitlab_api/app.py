# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The twin itself: from a request to an answer, or to a dropped connection."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from . import instance, jobs_history, jobs_runner, runner_lists, runners_admin, runners_token, twin
from .auth import Identity, identify
from .errors import ApiError, Headers, message, no_route, too_many, unauthorized
from .faults import Faults
from .limits import Windows, application_limit, over_application_limit, throttle
from .params import check
from .router import API, Match, Route, Router
from .seed import DEFAULT_ADMIN_TOKEN, ensure_admin_token, seed
from .settings import DEFAULTS
from .store import Store
from .traits import Trait, Traits
from .web import Params, Request, Response, error_response

STEERING = "/-/twin/"


@dataclass(frozen=True)
class Call:
    """What a handler gets: the request, its path and checked parameters, and who calls."""

    twin: Twin
    request: Request
    path: t.Mapping[str, str]
    params: Params
    identity: Identity | None = None

    @property
    def store(self) -> Store:
        return self.twin.store

    @property
    def who(self) -> Identity:
        """Return the caller of a route that needs one."""
        if self.identity is None:
            raise unauthorized()
        return self.identity

    def has(self, trait: Trait) -> bool:
        return self.twin.traits.has(trait)


class Counts:
    """How often each route was called and each status answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        with self._lock:
            self.by_route: Counter[str] = Counter()
            self.by_status: Counter[str] = Counter()

    def add(self, label: str, status: str) -> None:
        with self._lock:
            self.by_route[label] += 1
            self.by_status[status] += 1

    def as_dict(self) -> dict[str, t.Any]:
        with self._lock:
            return {
                "total": sum(self.by_route.values()),
                "by_route": dict(self.by_route),
                "by_status": dict(self.by_status),
            }


class Twin:
    """A GitLab of one version, with its data, its faults and its counters."""

    def __init__(
        self, db: str = ":memory:", version: str = "18.6.2", admin_token: str = "", external_url: str = ""
    ) -> None:
        self.traits = Traits(version)
        self.store = Store(db)
        self.admin_token = admin_token or DEFAULT_ADMIN_TOKEN
        self.external_url = external_url.rstrip("/")
        self.faults = Faults()
        self.counts = Counts()
        self.windows = Windows()
        self.latency = 0.0
        self.stopping = False
        with self.store.transaction():
            if self.store.get("users", 1) is None:
                seed(self.store)
            ensure_admin_token(self.store, self.admin_token)
        self.load_settings()

    def load_settings(self) -> None:
        """Read the settings again, after a change."""
        self.settings = {**DEFAULTS, **self.store.settings()}
        if self.settings["registration_tokens"] is None:
            self.settings["registration_tokens"] = self.traits.has(Trait.REGISTRATION_TOKENS)

    def reset(self) -> None:
        """Go back to the seed, without faults, latency and counts."""
        self.store.empty()
        seed(self.store)
        ensure_admin_token(self.store, self.admin_token)
        self.load_settings()
        self.faults.replace([])
        self.latency = 0.0
        self.counts.clear()
        self.windows.clear()

    @cached_property
    def router(self) -> Router:
        rooms = (instance, runners_token, runner_lists, runners_admin, jobs_runner, jobs_history, twin)
        return Router(route for room in rooms for route in room.ROUTES)

    def answer(self, request: Request) -> Response | None:
        """Return the answer, or None when the connection is to be dropped."""
        match = self.router.match(request.method, request.path)
        if request.path.startswith(STEERING):
            return self._work(match, request)
        status = "500"  # a crash of the twin counts too
        try:
            response = self._with_faults(match, request)
            status = str(response.status) if response else "dropped"
        finally:
            self.counts.add(match.label, status)
        return response

    def _with_faults(self, match: Match, request: Request) -> Response | None:
        if self.latency:
            time.sleep(self.latency)
        rule = self.faults.take(request)
        if rule is None:
            return self._throttled(match, request)
        time.sleep(rule.delay)
        if rule.drops_before:
            return None
        response = rule.response() or self._throttled(match, request)
        return None if rule.drops_after else response

    def _throttled(self, match: Match, request: Request) -> Response:
        rule = self.settings["throttle"]
        if not rule or not request.path.startswith(API):
            return self._work(match, request)
        key = request.header("private-token") or request.header("authorization") or request.peer
        verdict = throttle(self.windows, rule, key)
        response = verdict.refused or self._work(match, request)
        if verdict.refused or not self.traits.has(Trait.THROTTLE_ALWAYS):
            return response
        return Response(response.status, response.body, (*response.headers, *verdict.headers))

    def _work(self, match: Match, request: Request) -> Response:
        with self.store.transaction():
            return self._dispatch(match, request)

    def _dispatch(self, match: Match, request: Request) -> Response:
        """Token and scope, then parameters, then the handler; what it wrote before an error stays written."""
        route = match.route
        try:
            if route is None:
                raise match.error or no_route()
            identity = self._identity(route, request)
            given = {**request.params, **match.path}
            params = check(given, route.params, one_of=route.one_of, exclusive=route.exclusive)
            self._limit(route, request, match.path, identity)
            return route.handler(Call(self, request, match.path, params, identity))
        except ApiError as error:
            return error_response(error)

    def _identity(self, route: Route, request: Request) -> Identity | None:
        if route.access == "user":
            return identify(self.store, request, route.scopes, self.settings["admin_mode"])
        if route.access == "runner" and self.settings["migrating"]:
            retry: Headers = (("Retry-After", "60"),)
            raise message(429, "Executing database migrations. Please retry later.", retry)
        return None

    def _limit(self, route: Route, request: Request, path: t.Mapping[str, str], identity: Identity | None) -> None:
        if not route.limit:
            return
        limit = application_limit(route.limit, self.traits, self.settings["limits"])
        key = str(identity.user_id) if identity else path.get("id") or str(request.params.get("token", ""))
        if over_application_limit(self.windows, route.limit, key, limit):
            raise too_many(self.traits.has(Trait.LIMIT_RETRY_AFTER))
