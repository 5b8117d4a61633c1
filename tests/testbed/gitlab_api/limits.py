# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rate limits: the request throttle in plain text and the application limits in JSON (API facts 1.4)."""

from __future__ import annotations

import email.utils
import math
import threading
import time
import typing as t
from dataclasses import dataclass

from .errors import Headers
from .traits import Trait, Traits
from .web import Response, text_response

DEFAULTS = {"jobs_request": 2000, "trace": 200, "job": 200, "project_jobs": 600}
_FROM_18_5 = {"jobs_request", "trace", "job"}
_MINUTE = 60


class Windows:
    """Counts calls in fixed windows of time."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def count(self, kind: str, key: str, period: int) -> int:
        """Add one call and return how many the current window holds."""
        window = int(time.time() // period)
        with self._lock:
            seen, number = self._counts.get((kind, key), (window, 0))
            number = number + 1 if seen == window else 1
            self._counts[kind, key] = (window, number)
        return number

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()


def application_limit(kind: str, traits: Traits, overrides: t.Mapping[str, int]) -> int:
    """Return how many calls a minute are allowed; 0 = any number."""
    default = 0 if kind in _FROM_18_5 and not traits.has(Trait.RUNNER_JOB_LIMITS) else DEFAULTS[kind]
    return int(overrides.get(kind, default))


def over_application_limit(windows: Windows, kind: str, key: str, limit: int) -> bool:
    """Count this call and say whether it is one too many."""
    return limit > 0 and windows.count(kind, key, _MINUTE) > limit


@dataclass(frozen=True)
class Throttled:
    """What the request throttle says about a call."""

    headers: Headers
    refused: Response | None


def throttle(windows: Windows, rule: t.Mapping[str, int], key: str) -> Throttled:
    """Count a request; `rule` has the requests allowed in a period of seconds."""
    period, allowed = int(rule["period"]), int(rule["requests"])
    observed = windows.count("throttle", key, period)
    reset = (int(time.time() // period) + 1) * period
    headers: Headers = (
        ("RateLimit-Name", "throttle_authenticated_api"),
        ("RateLimit-Limit", str(math.ceil(allowed * _MINUTE / period))),
        ("RateLimit-Observed", str(observed)),
        ("RateLimit-Remaining", str(max(allowed - observed, 0))),
        ("RateLimit-Reset", str(reset)),
    )
    if observed <= allowed:
        return Throttled(headers, None)
    more: Headers = (
        ("RateLimit-ResetTime", email.utils.formatdate(reset, usegmt=True)),
        ("Retry-After", str(max(math.ceil(reset - time.time()), 1))),
    )
    return Throttled(headers, text_response(429, "Retry later\n", (*headers, *more)))
