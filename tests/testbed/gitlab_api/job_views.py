# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What jobs and pipelines look like in an answer to a user (API facts 5)."""

from __future__ import annotations

import json
import time
import typing as t

from .runner_views import manager, runner
from .store import Row
from .traits import Trait
from .views import Data, basic_user, full_user, project_identity, stamp

if t.TYPE_CHECKING:
    from .app import Twin

_ORDER = ("running", "canceling", "pending", "failed", "canceled")


def _duration(row: Row) -> float | None:
    """Return the seconds of work, which grow while the job runs."""
    if row["started_at"] is None:
        return None
    return round(float(row["finished_at"] or time.time()) - float(row["started_at"]), 6)


def _web_url(twin: Twin, project: Row, kind: str, number: int) -> str:
    return f"{twin.external_url}/{project['full_path']}/-/{kind}/{number}"


def _common(twin: Twin, row: Row) -> Data:
    store = twin.store
    project, run = store.must("projects", row["project_id"]), store.must("pipelines", row["pipeline_id"])
    data: Data = {
        "id": row["id"],
        "status": row["status"],
        "stage": row["stage"],
        "name": row["name"],
        "ref": row["ref"],
        "tag": False,
        "coverage": None,
        "allow_failure": False,
        "created_at": stamp(row["created_at"]),
        "started_at": stamp(row["started_at"]),
        "finished_at": stamp(row["finished_at"]),
        "erased_at": stamp(row["erased_at"]),
        "duration": _duration(row),
        "queued_duration": round((row["started_at"] or time.time()) - row["queued_at"], 6),
        "user": full_user(twin, store.must("users", run["user_id"])),
        "commit": _commit(twin, project, run),
        "pipeline": basic_pipeline(twin, run),
    }
    if row["status"] == "failed":
        data["failure_reason"] = row["failure_reason"]
    data["web_url"] = _web_url(twin, project, "jobs", row["id"])
    return data


def job(twin: Twin, row: Row) -> Data:
    store = twin.store
    data = {**_common(twin, row), "project": {"ci_job_token_scope_enabled": False}}
    files = store.all(
        "SELECT file_type, file_format, filename, length(data) AS size FROM artifacts WHERE job_id = ?", row["id"]
    )
    archive = next((found for found in files if found["file_type"] == "archive"), None)
    if archive:
        data["artifacts_file"] = {"filename": archive["filename"], "size": archive["size"]}
    listed = [{key: found[key] for key in ("file_type", "size", "filename", "file_format")} for found in files]
    if row["trace_size"]:
        listed.append({"file_type": "trace", "size": row["trace_size"], "filename": "job.log", "file_format": None})
    by = store.get("runners", row["runner_id"]) if row["runner_id"] else None
    where = store.get("managers", row["manager_id"]) if row["manager_id"] else None
    data.update(
        {
            "artifacts": listed,
            "runner": runner(twin, by) if by else None,
            "runner_manager": manager(twin, where) if where else None,
            "artifacts_expire_at": None,
            "archived": False,
            "tag_list": json.loads(row["tag_list"]),
        }
    )
    return data


def runner_job(twin: Twin, row: Row) -> Data:
    project = twin.store.must("projects", row["project_id"])
    return {**_common(twin, row), "project": project_identity(twin, project)}


def _commit(twin: Twin, project: Row, run: Row) -> Data:
    when = (stamp(run["created_at"]) or "").replace("Z", "+00:00")
    return {
        "id": run["sha"],
        "short_id": run["sha"][:8],
        "created_at": when,
        "parent_ids": [],
        "title": "Change",
        "message": "Change\n",
        "author_name": "Administrator",
        "author_email": "root@example.com",
        "authored_date": when,
        "committer_name": "Administrator",
        "committer_email": "root@example.com",
        "committed_date": when,
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{twin.external_url}/{project['full_path']}/-/commit/{run['sha']}",
    }


def pipeline_status(twin: Twin, run: Row) -> str:
    """Return a pipeline's status from its jobs'."""
    rows = twin.store.all("SELECT DISTINCT status FROM jobs WHERE pipeline_id = ?", run["id"])
    found = {row["status"] for row in rows}
    return next((status for status in _ORDER if status in found), "success")


def basic_pipeline(twin: Twin, run: Row) -> Data:
    project = twin.store.must("projects", run["project_id"])
    return {
        "id": run["id"],
        "iid": run["iid"],
        "project_id": run["project_id"],
        "sha": run["sha"],
        "ref": run["ref"],
        "status": pipeline_status(twin, run),
        "source": run["source"],
        "created_at": stamp(run["created_at"]),
        "updated_at": stamp(run["updated_at"]),
        "web_url": _web_url(twin, project, "pipelines", run["id"]),
    }


def listed_pipeline(twin: Twin, run: Row) -> Data:
    return {**basic_pipeline(twin, run), "name": None}


def pipeline(twin: Twin, run: Row) -> Data:
    data = listed_pipeline(twin, run)
    jobs = twin.store.all("SELECT * FROM jobs WHERE pipeline_id = ?", run["id"])
    started = min((row["started_at"] for row in jobs if row["started_at"]), default=None)
    ended = data["status"] in ("success", "failed", "canceled")
    finished = max((row["finished_at"] for row in jobs if row["finished_at"]), default=None) if ended else None
    data.update(
        {
            "before_sha": "0" * 40,
            "tag": False,
            "yaml_errors": None,
            "user": basic_user(twin, twin.store.must("users", run["user_id"])),
            "started_at": stamp(started),
            "finished_at": stamp(finished),
            "committed_at": None,
            "duration": int(finished - started) if finished and started else None,
            "queued_duration": int(started - run["created_at"]) if started else None,
            "coverage": None,
            "detailed_status": {
                "icon": f"status_{data['status']}",
                "text": data["status"].capitalize(),
                "label": data["status"],
                "group": data["status"],
                "has_details": True,
                "details_path": data["web_url"],
            },
        }
    )
    if twin.traits.has(Trait.PIPELINE_ARCHIVED):
        data["archived"] = False
    return data
