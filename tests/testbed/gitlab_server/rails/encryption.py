# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted values, tied to db_key_base of gitlab-secrets.json: with another key they can't be read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import typing as t

# Model of doctor:secrets: (table, encrypted columns)
MODELS: t.Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ApplicationSetting": (
        "application_settings",
        ("runners_registration_token_encrypted", "ci_jwt_signing_key_encrypted"),
    ),
    "Ci::Build": ("p_ci_builds", ("token_encrypted",)),
    "Ci::InstanceVariable": ("ci_instance_variables", ("encrypted_value",)),
    "Ci::Runner": ("ci_runners", ("token_encrypted",)),
    "Ci::Variable": ("ci_variables", ("encrypted_value",)),
    "Integration": ("integrations", ("encrypted_properties",)),
    "Project": ("projects", ("runners_token_encrypted",)),
    "User": ("users", ("encrypted_otp_secret",)),
    "WebHook": ("web_hooks", ("encrypted_url", "encrypted_token")),
}
_MARK = 10  # bytes of the checksum before the text


def _stream(key: str, salt: bytes, length: int) -> bytes:
    return hashlib.shake_256(key.encode() + salt).digest(length)


def encrypt(key: str, text: str) -> str:
    """Return the stored form. The same text gives the same form: some columns are searched by it."""
    data = text.encode()
    mark = hmac.new(key.encode(), data, hashlib.sha256).digest()[:_MARK]
    hidden = bytes(a ^ b for a, b in zip(data, _stream(key, mark, len(data))))
    return base64.b64encode(mark + hidden).decode()


def decrypt(key: str, stored: str) -> t.Optional[str]:
    """Return the text, or None when this key did not write it."""
    try:
        raw = base64.b64decode(stored, validate=True)
    except ValueError:
        return None
    mark, hidden = raw[:_MARK], raw[_MARK:]
    data = bytes(a ^ b for a, b in zip(hidden, _stream(key, mark, len(hidden))))
    if not hmac.compare_digest(hmac.new(key.encode(), data, hashlib.sha256).digest()[:_MARK], mark):
        return None
    return data.decode()
