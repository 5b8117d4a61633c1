# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps secrets of gitlab.rb out of diffs and messages, whoever wrote the file: pure functions.

Ruby is not parsed here. What follows a name that sounds like a secret is one, in every form in which people write
settings; so is a password in a URL, and a private key. Rather too much is masked than too little.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._masking import CHANGED_MASK, MASK

_WORDS = (
    *("passw(?:or)?d", "passphrase", "secret", "token", "api_?key", "access_?key(?!_id)", "private_?key"),
    *("encryption_?key", "key_base", "salt", "credentials?", "license_?key"),
)
_SOUNDS = f"(?:{'|'.join(_WORDS)})"
# name['smtp_password'] = VALUE, 'password' => VALUE, password: VALUE (a hash, or YAML in a heredoc)
_SETTING = re.compile(
    rf"(?P<name>[\w.-]*{_SOUNDS}\w*)(?P<join>['\"]?\s*\]?\s*(?:=>|=|:)\s*)"
    r"(?P<value>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,}\]'\"][^,}\n]*)",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"(?P<before>[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:)(?P<value>[^\s/@'\"]+)(?=@)", re.IGNORECASE)
_PRIVATE = re.compile(r"(?P<value>-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----)", re.DOTALL)
_PATTERNS = (_PRIVATE, _SETTING, _IN_URL)
_PLAIN = ("true", "false", "nil", "null", "~")
# Shorter ones are masked where they stand, but not wherever the same letters are.
_EVERYWHERE = 6


def secrets(text: str) -> set[str]:
    """The values in a text that are masked, as they are written there, without their quotes."""
    found = (_bare(match["value"]) for pattern in _PATTERNS for match in pattern.finditer(text))
    return {value for value in found if _hides(value)}


def _bare(value: str) -> str:
    return value.strip().strip("'\"")


def _hides(value: str) -> bool:
    return bool(value) and value not in _PLAIN and not value.startswith(("{", "["))


def masked(text: str, new: t.Collection[str] = (), more: t.Collection[str] = ()) -> str:
    """The text without its secrets; those in new are shown as changed. more are secrets known from elsewhere."""

    def mask(value: str) -> str:
        return CHANGED_MASK if value in new else MASK

    def replaced(match: re.Match[str]) -> str:
        value = _bare(match["value"])
        if not _hides(value):
            return match[0]
        start = match.start("value") - match.start()
        return match[0][:start] + match[0][start:].replace(value, mask(value), 1)

    hidden = {value for value in {*secrets(text), *more} if len(value) >= _EVERYWHERE}
    for pattern in _PATTERNS:
        text = pattern.sub(replaced, text)
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, mask(secret))
    return text


def masked_diff(before: str, after: str, path: str) -> dict[str, str]:
    """A diff without secrets in which a changed secret can still be seen to change."""
    known, wanted = secrets(before), secrets(after)
    return {
        "before": masked(before, more=wanted),
        "after": masked(after, new=wanted - known, more=known),
        "before_header": path,
        "after_header": path,
    }
