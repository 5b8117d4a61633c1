# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-secrets.json: made once, kept, and given what a newer version adds."""

from __future__ import annotations

import json
import secrets
import typing as t

from ..places import Places
from .files import write

Secrets = dict[str, dict[str, t.Any]]

RAILS = ("secret_key_base", "db_key_base", "otp_key_base", "encrypted_settings_key_base")
# Active Record's own encryption came later: an upgrade adds to the file (server facts 1.9).
ADDED = {
    (17, 8): (
        "active_record_encryption_primary_key",
        "active_record_encryption_deterministic_key",
        "active_record_encryption_key_derivation_salt",
    )
}
OTHERS = {
    "gitlab_workhorse": ("secret_token",),
    "gitlab_shell": ("secret_token",),
    "gitlab_kas": ("api_secret_key", "private_api_secret_key"),
    "registry": ("http_secret",),
    "postgresql": ("internal_certificate", "internal_key"),
}


def completed(known: Secrets, version: tuple[int, int, int]) -> Secrets:
    """Return the secrets with those that are missing; what is there stays as it is."""
    wanted = {"gitlab_rails": list(RAILS), **{name: list(keys) for name, keys in OTHERS.items()}}
    for since, names in ADDED.items():
        if since <= version[:2]:
            wanted["gitlab_rails"] += names
    result: Secrets = {name: dict(values) for name, values in known.items()}
    for name, keys in wanted.items():
        room = result.setdefault(name, {})
        for key in keys:
            if key not in room:
                many = key.startswith("active_record") and not key.endswith("salt")
                room[key] = [secrets.token_hex(16)] if many else secrets.token_hex(64)
    return result


def ensure(places: Places, version: tuple[int, int, int]) -> Secrets:
    """Return the secrets on disk, completed; the file is root's and 0600."""
    known: Secrets = {}
    if places.secrets.exists():
        known = json.loads(places.secrets.read_text(encoding="utf-8"))
    result = completed(known, version)
    write(places.secrets, json.dumps(result, indent=2) + "\n", mode=0o600)
    return result
