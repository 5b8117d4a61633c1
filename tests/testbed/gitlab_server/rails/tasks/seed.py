# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first rows of an empty database."""

from __future__ import annotations

import hashlib
import secrets

from .. import database, encryption
from ..context import Context


def sow(db: database.Database, ctx: Context) -> None:
    """Add the settings, the storage, and the user root."""
    now, key = database.stamp(), ctx.config.db_key_base
    times = {"created_at": now, "updated_at": now}
    db.insert(
        "application_settings",
        uuid=secrets.token_hex(16),
        runners_registration_token_encrypted=encryption.encrypt(key, f"GR1348941{secrets.token_urlsafe(15)}"),
        ci_jwt_signing_key_encrypted=encryption.encrypt(key, secrets.token_hex(32)),
        **times,
    )
    db.insert("shards", name="default")
    password = ctx.env.get("GITLAB_ROOT_PASSWORD") or secrets.token_urlsafe(24)
    user = db.insert(
        "users",
        username="root",
        name="Administrator",
        email=ctx.env.get("GITLAB_ROOT_EMAIL") or "admin@example.com",
        encrypted_password=hashlib.sha256(f"{key}{password}".encode()).hexdigest(),
        admin=1,
        **times,
    )
    namespace = db.insert("namespaces", name="Administrator", path="root", type="User", owner_id=user, **times)
    db.insert("routes", source_id=namespace, source_type="Namespace", path="root", name="Administrator", **times)
