# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job as a runner gets it, key for key (API facts 4.1)."""

from __future__ import annotations

import json
import time
import typing as t
import uuid

from .job_queue import FAILURE_REASONS
from .store import Row
from .traits import Trait
from .views import Data

if t.TYPE_CHECKING:
    from .app import Twin


def job_payload(twin: Twin, job: Row, runner: Row) -> Data:
    project = twin.store.must("projects", job["project_id"])
    pipeline = twin.store.must("pipelines", job["pipeline_id"])
    timeout = min(job["timeout"], runner["maximum_timeout"] or job["timeout"])
    runner_info: Data = {"timeout": timeout, "runner_session_url": None}
    if twin.traits.has(Trait.RUNNER_INFO_UUID):
        runner_info = {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, job["token"])), **runner_info}
    return {
        "id": job["id"],
        "token": job["token"],
        "allow_git_fetch": True,
        "job_info": _job_info(twin, job, project),
        "git_info": _git_info(twin, job, project, pipeline),
        "runner_info": runner_info,
        "variables": _variables(twin, job, project, pipeline),
        "steps": _steps(job, timeout),
        "hooks": [],
        "image": None,
        "services": [],
        "artifacts": None,
        "cache": [],
        "credentials": [],
        "features": {"trace_sections": True, "failure_reasons": list(FAILURE_REASONS)},
        "dependencies": [],
    }


def _job_info(twin: Twin, job: Row, project: Row) -> Data:
    sql = (
        "SELECT count(*) AS number FROM jobs JOIN runners ON runners.id = runner_id "
        "WHERE project_id = ? AND status = 'running' AND runner_type = 'instance_type' AND jobs.id != ?"
    )
    others = twin.store.one(sql, project["id"], job["id"]) or {"number": 0}
    return {
        "id": job["id"],
        "name": job["name"],
        "stage": job["stage"],
        "project_id": project["id"],
        "project_name": project["name"],
        "time_in_queue_seconds": int(time.time() - job["queued_at"]),
        "project_jobs_running_on_instance_runners_count": str(others["number"]),
    }


def _git_info(twin: Twin, job: Row, project: Row, pipeline: Row) -> Data:
    scheme, _unused, host = twin.external_url.partition("://")
    return {
        "repo_url": f"{scheme}://gitlab-ci-token:{job['token']}@{host}/{project['full_path']}.git",
        "ref": job["ref"],
        "sha": pipeline["sha"],
        "before_sha": "0" * 40,
        "ref_type": "branch",
        "refspecs": [
            f"+refs/pipelines/{pipeline['id']}:refs/pipelines/{pipeline['id']}",
            f"+refs/heads/{job['ref']}:refs/remotes/origin/{job['ref']}",
        ],
        "depth": 20,
        "repo_object_format": "sha1",
        "protected": bool(job["protected"]),
    }


def _variables(twin: Twin, job: Row, project: Row, pipeline: Row) -> list[Data]:
    """Return the variables; there is no repository behind a twin, so by default nothing is cloned."""
    url = f"{twin.external_url}/{project['full_path']}"
    known = {
        "CI_PIPELINE_ID": pipeline["id"],
        "CI_PIPELINE_URL": f"{url}/-/pipelines/{pipeline['id']}",
        "CI_JOB_ID": job["id"],
        "CI_JOB_URL": f"{url}/-/jobs/{job['id']}",
        "CI_JOB_NAME": job["name"],
        "CI_JOB_STAGE": job["stage"],
        "CI_COMMIT_SHA": pipeline["sha"],
        "CI_COMMIT_REF_NAME": job["ref"],
        "CI_PROJECT_ID": project["id"],
        "CI_PROJECT_NAME": project["name"],
        "CI_PROJECT_PATH": project["full_path"],
        "CI_PROJECT_URL": url,
        "CI_SERVER_URL": twin.external_url,
        "CI_SERVER_VERSION": twin.traits.version,
        "CI": "true",
        "GITLAB_CI": "true",
        "GIT_STRATEGY": "none",
    }
    listed: list[Data] = [
        {"key": key, "value": str(value), "public": True, "masked": False} for key, value in known.items()
    ]
    listed.append({"key": "CI_JOB_TOKEN", "value": job["token"], "public": False, "masked": True})
    return listed + list(json.loads(job["variables"]))


def _steps(job: Row, timeout: int) -> list[Data]:
    steps: list[Data] = [
        {
            "name": "script",
            "script": json.loads(job["script"]),
            "timeout": timeout,
            "when": "on_success",
            "allow_failure": False,
        }
    ]
    after = json.loads(job["after_script"])
    if after:
        steps.append(
            {"name": "after_script", "script": after, "timeout": timeout, "when": "always", "allow_failure": True}
        )
    return steps
