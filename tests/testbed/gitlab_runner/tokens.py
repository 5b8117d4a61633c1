# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runner authentication tokens: their kinds and their short form in logs (runner facts 1.1, 4.1)."""

from __future__ import annotations

import re

from .golang import GoPanic
from .traits import Trait, Traits

CREATED = ("glrt-", "glrtr-")  # made by GitLab's user interface or API; glrtr- by a registration token
KNOWN_PREFIX = re.compile(r"glrt-t[123]_|glrtr-t[123]_|glrtr-|glrt-")
LEGACY_PREFIX = "GR1348941"


def is_created(token: str) -> bool:
    """Tell whether GitLab made the token when the runner was created there."""
    return token.startswith("glrt-")


def short(token: str, traits: Traits) -> str:
    """Return the part of a token that logs and metrics show."""
    if not traits.has(Trait.SHORT_TOKEN_PANICS):
        return KNOWN_PREFIX.sub("", token, count=1)[:9] if KNOWN_PREFIX.match(token) else _other(token)
    if len(token) < 8:
        return token
    for prefix in CREATED:
        if token.startswith(prefix):
            end = len(prefix) + 9
            if len(token) < end:
                raise GoPanic(f"runtime error: slice bounds out of range [:{end}] with length {len(token)}")
            return token[len(prefix) : end]
    return _other(token)


def _other(token: str) -> str:
    return token[:17] if token.startswith(LEGACY_PREFIX) else token[:8]
