# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new twin knows. The ids are part of its interface.

=======  ==  ==========================  ===================================================================
user      1  root                        administrator, Owner of group 10
user      2  user                        Owner of group 11, Developer of project 20, sees nothing of group 12
user      3  blocked                     as user 2, but blocked
group    10  fleet
group    11  fleet/tools                 subgroup of 10
group    12  vault                       no members: only administrators see it
project  20  fleet/app                   jobs go here by default
project  21  fleet/tools/builder         once was fleet/tools/maker
project  22  vault/secrets
=======  ==  ==========================  ===================================================================
"""

from __future__ import annotations

import json
import time

from .store import Store
from .tokens import access_token, registration_token

OWNER, MAINTAINER, DEVELOPER = 50, 40, 30
ROOT, USER, BLOCKED = 1, 2, 3
GROUP, SUBGROUP, HIDDEN_GROUP = 10, 11, 12
PROJECT, SUBGROUP_PROJECT, HIDDEN_PROJECT = 20, 21, 22
DEFAULT_ADMIN_TOKEN = "glpat-TwinRoot7Qw4Zk9XvB2n"

_USERS = (
    (ROOT, "root", "Administrator", 1, "active"),
    (USER, "user", "Ordinary User", 0, "active"),
    (BLOCKED, "blocked", "Blocked User", 0, "blocked"),
)
_GROUPS = (
    (GROUP, None, "fleet", "fleet"),
    (SUBGROUP, GROUP, "tools", "fleet/tools"),
    (HIDDEN_GROUP, None, "vault", "vault"),
)
_PROJECTS = (
    (PROJECT, GROUP, "app", "fleet/app", None),
    (SUBGROUP_PROJECT, SUBGROUP, "builder", "fleet/tools/builder", "fleet/tools/maker"),
    (HIDDEN_PROJECT, HIDDEN_GROUP, "secrets", "vault/secrets", None),
)
_MEMBERS = (
    (ROOT, "group", GROUP, OWNER),
    (USER, "group", SUBGROUP, OWNER),
    (USER, "project", PROJECT, DEVELOPER),
    (BLOCKED, "group", SUBGROUP, OWNER),
)


def seed(store: Store) -> None:
    """Fill an empty store."""
    now = time.time()
    for user_id, username, name, admin, state in _USERS:
        store.insert("users", id=user_id, username=username, name=name, admin=admin, state=state, created_at=now)
    for group_id, parent_id, name, full_path in _GROUPS:
        store.insert(
            "groups",
            id=group_id,
            parent_id=parent_id,
            name=name,
            path=name,
            full_path=full_path,
            runners_token=registration_token(),
            created_at=now,
        )
    for project_id, group, name, full_path, old_path in _PROJECTS:
        store.insert(
            "projects",
            id=project_id,
            group_id=group,
            name=name,
            path=name,
            full_path=full_path,
            old_path=old_path,
            runners_token=registration_token(),
            shared_runners_enabled=1,
            archived=0,
            created_at=now,
        )
    for user_id, kind, object_id, access in _MEMBERS:
        store.insert("members", user_id=user_id, kind=kind, object_id=object_id, access=access)
    store.set("registration_token", registration_token())


def add_token(
    store: Store,
    user_id: int,
    scopes: list[str],
    *,
    token: str = "",
    expires_at: str | None = None,
    revoked: bool = False,
    name: str = "twin",
) -> tuple[int, str]:
    """Add an access token and return its id and text."""
    text = token or access_token()
    token_id = store.insert(
        "tokens",
        token=text,
        user_id=user_id,
        name=name,
        scopes=json.dumps(scopes),
        expires_at=expires_at,
        revoked=int(revoked),
        created_at=time.time(),
    )
    return token_id, text


def ensure_admin_token(store: Store, token: str) -> None:
    """Let this token work with every right, whatever the file already holds."""
    if not store.one("SELECT id FROM tokens WHERE token = ?", token):
        add_token(store, ROOT, ["api", "admin_mode"], token=token, name="administrator")
