# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GitLab's version changes in its API: one table (API facts 9)."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

Number = tuple[int, int]
NEWEST: Number = (19, 0)


class Trait(enum.Enum):
    """Each trait: since which version, up to (not including) which version, what it does."""

    REGISTRATION_TOKENS = ((0, 0), (17, 0), "registration tokens work without being switched on")
    IP_ADDRESS = ((0, 0), (17, 0), "runner objects show the address of the last contact")
    CANCELING = ((17, 0), None, "a running job passes through canceling")
    NOT_PROCESSING_TEXT = ((17, 0), None, "finished job: 'Job is not processing on runner'")
    PAT_DESCRIPTION = ((17, 0), None, "access tokens have a description")
    TOKEN_TYPE_PART = ((17, 5), None, "runner tokens name the runner's type: t1_, t2_, t3_")
    EXTERNAL_K8S_URL = ((17, 6), None, "metadata shows externalK8sProxyUrl")
    ORPHANED_FORBIDDEN = ((17, 10), (18, 0), "an orphaned runner gets 403")
    GLRTR_PREFIX = ((17, 11), None, "registered runners' tokens begin with glrtr-")
    ORPHANED_UNPROCESSABLE = ((18, 0), (18, 3), "an orphaned runner gets 422")
    RUNNER_CREATOR = ((18, 0), None, "runners have created_by, created_at, job_execution_status")
    ROUTABLE_TOKENS = ((18, 1), None, "longer runner tokens with dots")
    RUNNER_PROJECTS = ((18, 2), None, "GET /runners/:id/projects")
    INCLUDE_PROJECTS = ((18, 3), None, "GET /runners/:id?include_projects=false")
    RUNNER_JOB_LIMITS = ((18, 5), None, "limits for jobs/request, trace and other job calls")
    INSTANCE_PREFIX = ((18, 6), None, "the instance's own prefix stands before glrt-")
    TWO_PHASE = ((18, 8), None, "a job stays pending until the runner says running")
    RUNNER_NOT_FOUND = (NEWEST, None, "404 Runner Not Found instead of 404 Not found")
    PUT_WITHOUT_PROJECTS = (NEWEST, None, "the answer to PUT /runners/:id lacks projects")
    NOTE_HIDDEN = (NEWEST, None, "maintenance_note is null without the right to update")
    UNASSIGN_TEXT = (NEWEST, None, "other text when the owner project is unassigned")
    PAT_NEWEST = (NEWEST, None, "access tokens in another order, with more keys")
    JOB_ROUTER = (NEWEST, None, "GET /runners/router/discovery")
    LIMIT_RETRY_AFTER = (NEWEST, None, "Retry-After with an application limit")
    THROTTLE_ALWAYS = (NEWEST, None, "RateLimit headers on every counted answer")
    VERIFY_CONTACTS = (NEWEST, None, "verify counts as a contact")
    RUNNER_INFO_UUID = (NEWEST, None, "a job's runner_info begins with uuid")
    PIPELINE_ARCHIVED = (NEWEST, None, "one pipeline shows archived")


@dataclass(frozen=True)
class Traits:
    """A version and what it brings."""

    version: str

    @property
    def number(self) -> Number:
        """Return major and minor; a version that is not one is refused."""
        found = re.match(r"(\d+)\.(\d+)", self.version)
        if not found:
            raise ValueError(f"Not a GitLab version: {self.version!r}; expected for example 18.6.2")
        return int(found[1]), int(found[2])

    def has(self, trait: Trait) -> bool:
        """Say whether this version has the trait."""
        since, until, _meaning = trait.value
        return bool(since <= self.number and (until is None or self.number < until))
