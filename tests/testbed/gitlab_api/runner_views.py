# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runners look like in an answer (API facts 2)."""

from __future__ import annotations

import json
import time
import typing as t

from .store import Row, Store
from .traits import Trait
from .views import Data, basic_project, basic_user, flag, stamp

if t.TYPE_CHECKING:
    from .app import Twin

ONLINE_SECONDS = 2 * 3600
STALE_SECONDS = 7 * 86400


def contact_status(row: Row) -> str:
    """Return the status by contact alone, for a runner or one of its managers."""
    now = time.time()
    if now - max(row["created_at"], row["contacted_at"] or 0) >= STALE_SECONDS:
        return "stale"
    if row["contacted_at"] is None:
        return "never_contacted"
    return "online" if now - row["contacted_at"] < ONLINE_SECONDS else "offline"


def status(row: Row) -> str:
    """Return the first that fits; a paused runner is `paused` even while it is online."""
    by_contact = contact_status(row)
    return "paused" if by_contact in ("online", "offline") and not row["active"] else by_contact


def busy_runners(store: Store) -> set[int]:
    """Return the ids of runners with a job in their hands."""
    sql = "SELECT DISTINCT runner_id FROM jobs WHERE status IN ('running', 'canceling')"
    return {row["runner_id"] for row in store.all(sql)}


def runner(twin: Twin, row: Row, busy: t.Container[int] | None = None) -> Data:
    contacted = row["contacted_at"]
    data: Data = {
        "id": row["id"],
        "description": row["description"],
        "ip_address": row["ip_address"] if twin.traits.has(Trait.IP_ADDRESS) else None,
        "active": flag(row["active"]),
        "paused": not row["active"],
        "is_shared": row["runner_type"] == "instance_type",
        "runner_type": row["runner_type"],
        "name": None,
        "online": None if contacted is None else time.time() - contacted < ONLINE_SECONDS,
    }
    modern = twin.traits.has(Trait.RUNNER_CREATOR)
    if modern and row["creator_id"]:
        data["created_by"] = basic_user(twin, twin.store.must("users", row["creator_id"]))
    if modern:
        data["created_at"] = stamp(row["created_at"])
    data["status"] = status(row)
    if modern:
        working = row["id"] in (busy_runners(twin.store) if busy is None else busy)
        data["job_execution_status"] = "active" if working else "idle"
    return data


def runner_details(twin: Twin, row: Row, *, projects: bool = True, may_update: bool = True) -> Data:
    store = twin.store
    last = store.one("SELECT * FROM managers WHERE runner_id = ? ORDER BY contacted_at DESC LIMIT 1", row["id"]) or {}
    hidden = twin.traits.has(Trait.NOTE_HIDDEN) and not may_update
    data: Data = {
        **runner(twin, row),
        "tag_list": json.loads(row["tag_list"]),
        "run_untagged": flag(row["run_untagged"]),
        "locked": flag(row["locked"]),
        "maximum_timeout": row["maximum_timeout"],
        "access_level": row["access_level"],
        **{key: last.get(key) for key in ("version", "revision", "platform", "architecture")},
        "contacted_at": stamp(row["contacted_at"]),
        "maintenance_note": None if hidden else row["maintenance_note"],
    }
    if projects:
        data["projects"] = [basic_project(twin, project) for project in assigned_projects(store, row["id"])]
    data["groups"] = []
    if row["group_id"]:
        group = store.must("groups", row["group_id"])
        url = f"{twin.external_url}/groups/{group['full_path']}"
        data["groups"] = [{"id": group["id"], "web_url": url, "name": group["name"]}]
    return data


def assigned_projects(store: Store, runner_id: int) -> list[Row]:
    """Return a runner's projects, its owner first."""
    sql = (
        "SELECT projects.* FROM projects JOIN runner_projects ON projects.id = project_id "
        "WHERE runner_id = ? ORDER BY runner_projects.id"
    )
    return store.all(sql, runner_id)


def manager(twin: Twin, row: Row) -> Data:
    data: Data = {
        "id": row["id"],
        "system_id": row["system_id"],
        **{key: row[key] for key in ("version", "revision", "platform", "architecture")},
        "created_at": stamp(row["created_at"]),
        "contacted_at": stamp(row["contacted_at"]),
        "ip_address": row["ip_address"],
        "status": contact_status(row),
    }
    if twin.traits.has(Trait.RUNNER_CREATOR):
        sql = "SELECT id FROM jobs WHERE manager_id = ? AND status IN ('running', 'canceling') LIMIT 1"
        data["job_execution_status"] = "active" if twin.store.one(sql, row["id"]) else "idle"
    return data


def registration(row: Row) -> Data:
    return {"id": row["id"], **reset(row)}


def reset(row: Row) -> Data:
    return {"token": row["token"], "token_expires_at": stamp(row["token_expires_at"])}
