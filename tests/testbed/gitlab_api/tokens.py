# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New tokens in the shapes that GitLab's versions give them (API facts 9)."""

from __future__ import annotations

import secrets
import string

from .traits import Trait, Traits

_LETTERS = string.ascii_letters + string.digits
_BASE36 = string.ascii_lowercase + string.digits
_TYPE_PART = {"instance_type": "t1_", "group_type": "t2_", "project_type": "t3_"}


def letters(count: int, alphabet: str = _LETTERS) -> str:
    """Return so many random letters and digits."""
    return "".join(secrets.choice(alphabet) for _unused in range(count))


def access_token() -> str:
    return f"glpat-{letters(20)}"


def registration_token() -> str:
    return f"GR1348941{letters(20)}"


def job_token() -> str:
    return f"glcbt-64_{letters(20)}"


def queue_value() -> str:
    """Return a value for X-GitLab-Last-Update: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def runner_token(traits: Traits, runner_type: str, *, registered: bool = False, instance_prefix: str = "") -> str:
    """Return a runner authentication token; `registered` by a registration token, else created by a user."""
    kind = _TYPE_PART[runner_type] if traits.has(Trait.TOKEN_TYPE_PART) else ""
    prefix = "glrt-"
    if registered:
        prefix = "glrtr-" if traits.has(Trait.GLRTR_PREFIX) else ""
    if prefix and instance_prefix and traits.has(Trait.INSTANCE_PREFIX):
        prefix = f"{instance_prefix}-{prefix}"
    if traits.has(Trait.ROUTABLE_TOKENS):
        return f"{prefix}{kind}{letters(32)}.01.{letters(9, _BASE36)}"
    return f"{prefix}{kind}{letters(20)}"
