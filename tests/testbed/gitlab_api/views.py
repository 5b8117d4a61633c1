# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What users, groups and projects look like in an answer (API facts 2, 5, 7)."""

from __future__ import annotations

import datetime
import typing as t

from .store import Row, Store

if t.TYPE_CHECKING:
    from .app import Twin

Data = dict[str, t.Any]


def stamp(seconds: float | None) -> str | None:
    """Return a time as GitLab writes it: milliseconds, UTC."""
    if seconds is None:
        return None
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def flag(value: t.Any) -> bool:
    """Return a boolean from SQLite's 0 and 1."""
    return bool(value)


def basic_user(twin: Twin, user: Row) -> Data:
    return {
        "id": user["id"],
        "username": user["username"],
        "public_email": "",
        "name": user["name"],
        "state": user["state"],
        "locked": False,
        "avatar_url": None,
        "web_url": f"{twin.external_url}/{user['username']}",
    }


def full_user(twin: Twin, user: Row) -> Data:
    return {
        **basic_user(twin, user),
        "created_at": stamp(user["created_at"]),
        "bio": "",
        "location": "",
        "linkedin": "",
        "twitter": "",
        "website_url": "",
        "job_title": "",
        "pronouns": None,
        "organization": "",
        "bot": False,
        "work_information": None,
        "followers": 0,
        "following": 0,
        "local_time": None,
    }


def current_user(twin: Twin, user: Row) -> Data:
    """Return the caller himself; `is_admin` is absent for others than administrators (API facts 7)."""
    created = stamp(user["created_at"])
    own: Data = {
        **full_user(twin, user),
        "last_sign_in_at": created,
        "confirmed_at": created,
        "last_activity_on": None,
        "email": f"{user['username']}@example.com",
        "theme_id": 3,
        "color_scheme_id": 1,
        "projects_limit": 100000,
        "current_sign_in_at": created,
        "identities": [],
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": False,
        "external": False,
        "private_profile": False,
        "commit_email": f"{user['username']}@example.com",
    }
    if user["admin"]:
        own.update({"is_admin": True, "note": None, "namespace_id": user["id"], "created_by": None})
    return own


def full_name(store: Store, group_id: int | None) -> str:
    """Return the names from the top group down."""
    parts: list[str] = []
    while group_id is not None:
        group = store.must("groups", group_id)
        parts.insert(0, group["name"])
        group_id = group["parent_id"]
    return " / ".join(parts)


def group(twin: Twin, row: Row) -> Data:
    return {
        "id": row["id"],
        "web_url": f"{twin.external_url}/groups/{row['full_path']}",
        "name": row["name"],
        "path": row["path"],
        "description": "",
        "visibility": "private",
        "full_name": full_name(twin.store, row["id"]),
        "full_path": row["full_path"],
        "created_at": stamp(row["created_at"]),
        "parent_id": row["parent_id"],
        "shared_runners_setting": "enabled",
    }


def project_identity(twin: Twin, row: Row) -> Data:
    """Return the keys that a runner's job shows of its project (API facts 5)."""
    return {
        "id": row["id"],
        "description": None,
        "name": row["name"],
        "name_with_namespace": f"{full_name(twin.store, row['group_id'])} / {row['name']}",
        "path": row["path"],
        "path_with_namespace": row["full_path"],
        "created_at": stamp(row["created_at"]),
    }


def basic_project(twin: Twin, row: Row) -> Data:
    owner = twin.store.must("groups", row["group_id"])
    url = f"{twin.external_url}/{row['full_path']}"
    host = twin.external_url.partition("://")[2].partition(":")[0]
    return {
        **project_identity(twin, row),
        "default_branch": "main",
        "tag_list": [],
        "topics": [],
        "ssh_url_to_repo": f"git@{host}:{row['full_path']}.git",
        "http_url_to_repo": f"{url}.git",
        "web_url": url,
        "readme_url": f"{url}/-/blob/main/README.md",
        "forks_count": 0,
        "avatar_url": None,
        "star_count": 0,
        "last_activity_at": stamp(row["created_at"]),
        "namespace": {
            "id": owner["id"],
            "name": owner["name"],
            "path": owner["path"],
            "kind": "group",
            "full_path": owner["full_path"],
            "parent_id": owner["parent_id"],
            "avatar_url": None,
            "web_url": f"{twin.external_url}/groups/{owner['full_path']}",
        },
    }


def project(twin: Twin, row: Row, access: int) -> Data:
    return {
        **basic_project(twin, row),
        "archived": flag(row["archived"]),
        "visibility": "private",
        "ci_config_path": None,
        "shared_runners_enabled": flag(row["shared_runners_enabled"]),
        "permissions": {
            "project_access": {"access_level": access, "notification_level": 3} if access else None,
            "group_access": None,
        },
    }
