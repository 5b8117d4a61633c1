# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which runner may take which job, and what happens to a job on its way."""

from __future__ import annotations

import json
import secrets
import time
import typing as t

from .auth import ancestors
from .runner_records import tick
from .seed import PROJECT, ROOT
from .store import Row, Store
from .tokens import job_token
from .traits import Trait

if t.TYPE_CHECKING:
    from .app import Twin

STATUSES = (
    "created",
    "waiting_for_resource",
    "preparing",
    "waiting_for_callback",
    "pending",
    "running",
    "success",
    "failed",
    "canceling",
    "canceled",
    "skipped",
    "manual",
    "scheduled",
)
ENDED = ("success", "failed", "canceled", "skipped")
FAILURE_REASONS = (
    "unknown_failure",
    "script_failure",
    "api_failure",
    "stuck_or_timeout_failure",
    "runner_system_failure",
    "missing_dependency_failure",
    "runner_unsupported",
    "stale_schedule",
    "job_execution_timeout",
    "archived_failure",
    "unmet_prerequisites",
    "scheduler_failure",
    "data_integrity_failure",
    "trace_size_exceeded",
    "image_pull_failure",
    "runner_configuration_error",
    "runner_interrupted",
)


def add(twin: Twin, fields: t.Mapping[str, t.Any]) -> list[int]:
    """Queue `count` jobs in one new pipeline and tell the runners that may take them."""
    store, now = twin.store, time.time()
    project_id, ref = int(fields.get("project_id") or PROJECT), str(fields.get("ref", "main"))
    iid = len(store.all("SELECT id FROM pipelines WHERE project_id = ?", project_id)) + 1
    pipeline_id = store.insert(
        "pipelines",
        iid=iid,
        project_id=project_id,
        ref=ref,
        sha=secrets.token_hex(20),
        source="push",
        user_id=ROOT,
        created_at=now,
        updated_at=now,
    )
    common: dict[str, t.Any] = {
        "pipeline_id": pipeline_id,
        "project_id": project_id,
        "stage": fields.get("stage", "test"),
        "ref": ref,
        "protected": int(fields.get("protected", ref == "main")),
        "status": "pending",
        "created_at": now,
        "queued_at": now,
        "timeout": int(fields.get("timeout") or 3600),
        "tag_list": json.dumps(sorted(set(fields.get("tag_list") or []))),
        "script": json.dumps(_lines(fields.get("script") or "echo done")),
        "after_script": json.dumps(_lines(fields.get("after_script") or [])),
        "variables": json.dumps(_variables(fields.get("variables"))),
    }
    name, count = str(fields.get("name", "job")), int(fields.get("count") or 1)
    ids = [
        store.insert("jobs", **common, token=job_token(), name=f"{name} {number}/{count}" if count > 1 else name)
        for number in range(1, count + 1)
    ]
    announce(store, store.must("jobs", ids[0]))
    return ids


def _lines(script: t.Any) -> list[str]:
    return [script] if isinstance(script, str) else list(script)


def _variables(given: t.Any) -> list[dict[str, t.Any]]:
    """Return variables as the job carries them; a mapping or a list is understood."""
    if isinstance(given, dict):
        given = [{"key": key, "value": str(value)} for key, value in given.items()]
    return [{"public": True, "masked": False, **variable} for variable in given or []]


def announce(store: Store, job: Row) -> None:
    """Change the queue value of every runner that could take this job."""
    for runner in store.all("SELECT * FROM runners WHERE active = 1"):
        if serves_project(store, runner, store.must("projects", job["project_id"])) and fits(runner, job):
            tick(store, runner["id"])
    store.changed.notify_all()


def fits(runner: Row, job: Row) -> bool:
    """Say whether tags and protection match."""
    tags = json.loads(job["tag_list"])
    if not tags and not runner["run_untagged"]:
        return False
    if runner["access_level"] == "ref_protected" and not job["protected"]:
        return False
    return set(tags) <= set(json.loads(runner["tag_list"]))


def serves_project(store: Store, runner: Row, project: Row) -> bool:
    """Say whether the runner's type lets it work for this project."""
    if runner["runner_type"] == "instance_type":
        return bool(project["shared_runners_enabled"])
    if runner["runner_type"] == "group_type":
        return runner["group_id"] in ancestors(store, project["group_id"])
    sql = "SELECT id FROM runner_projects WHERE runner_id = ? AND project_id = ?"
    return store.one(sql, runner["id"], project["id"]) is not None


def next_job(store: Store, runner: Row) -> Row | None:
    """Return the oldest job that this runner may take."""
    projects = [row["id"] for row in store.all("SELECT * FROM projects") if serves_project(store, runner, row)]
    marks = ",".join("?" * len(projects))
    sql = (
        f"SELECT * FROM jobs WHERE status = 'pending' AND runner_id IS NULL AND project_id IN ({marks}) "
        "ORDER BY id LIMIT 200 OFFSET ?"
    )
    offset = 0
    while True:
        page = store.all(sql, *projects, offset)
        for job in page:
            if fits(runner, job):
                return job
        if len(page) < 200:
            return None
        offset += len(page)


def hand_out(twin: Twin, job: Row, runner: Row, manager: Row, features: t.Mapping[str, t.Any]) -> Row:
    """Give the job to a runner; with two phases it stays pending until the runner says running (API facts 4.2)."""
    now = time.time()
    two_phase = bool(features.get("two_phase_job_commit")) and twin.traits.has(Trait.TWO_PHASE)
    twin.store.update(
        "jobs",
        job["id"],
        status="pending" if two_phase else "running",
        runner_id=runner["id"],
        manager_id=manager["id"],
        system_id=manager["system_id"],
        handed_out=job["handed_out"] + 1,
        handed_out_at=now,
        started_at=None if two_phase else now,
        cancel_gracefully=int(bool(features.get("cancel_gracefully"))),
    )
    return twin.store.must("jobs", job["id"])


def finish(
    store: Store, job: Row, status: str, failure_reason: str | None = None, exit_code: int | None = None
) -> None:
    """End a job; one that is being canceled ends canceled, whatever the runner says."""
    if job["status"] == "canceling":
        status, failure_reason = "canceled", None
    now = time.time()
    store.update("jobs", job["id"], status=status, failure_reason=failure_reason, exit_code=exit_code, finished_at=now)
    store.update("pipelines", job["pipeline_id"], updated_at=now)


def cancel(twin: Twin, job: Row) -> None:
    """Cancel a job; a runner that can do so gracefully gets the time for it."""
    if job["status"] in ENDED:
        return
    if job["status"] == "running" and job["cancel_gracefully"] and twin.traits.has(Trait.CANCELING):
        twin.store.update("jobs", job["id"], status="canceling")
        return
    finish(twin.store, job, "canceled")


def append_trace(store: Store, job: Row, data: bytes) -> int:
    """Add to a job's log and return its new size."""
    if not data:
        return int(job["trace_size"])
    size = int(job["trace_size"]) + len(data)
    store.run("INSERT INTO trace_chunks VALUES (?, ?, ?)", job["id"], job["trace_size"], data)
    store.update("jobs", job["id"], trace_size=size)
    return size


def trace(store: Store, job_id: int) -> bytes:
    chunks = store.all("SELECT data FROM trace_chunks WHERE job_id = ? ORDER BY start", job_id)
    return b"".join(chunk["data"] for chunk in chunks)
