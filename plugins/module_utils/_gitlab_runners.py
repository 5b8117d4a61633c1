# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab's calls for runners, each with the sentence that an error of it begins with."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import Call, GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError

Runner = dict[str, t.Any]
IDLE_POLL = 2.0
# What GitLab says to a legacy registration (API facts 3.4, server facts 7.5).
LEGACY_REMEDIES = {
    403: "This GitLab has no such registration token, or has it no longer. Leave out registration_token and set "
    "api_token (scope create_runner) and runner_type; or copy the token anew from the instance's, group's or project's "
    "runner page.",
    410: "Registration tokens are switched off there, as they are by default since GitLab 17.0. Leave out "
    "registration_token and set api_token (scope create_runner) and runner_type; or let an administrator allow "
    "registration tokens until then.",
}


class Runners:
    """Runners by id or by token; nothing here lists, so `create_runner` and `manage_runner` are enough."""

    def __init__(self, gitlab: GitLab) -> None:
        self._gitlab = gitlab

    def get(self, runner_id: int) -> Runner | None:
        """The runner's details, or None when GitLab has none of that id."""
        answer = self._gitlab.request(
            Call("GET", f"/runners/{runner_id}", f"read runner {runner_id}", expect=(200, 404))
        )
        return None if answer.status == 404 else t.cast(Runner, answer.data)

    def verify(self, name: str, token: str, system_id: str | None) -> Runner | None:
        """What GitLab knows of a runner's own token (id, token_expires_at), or None when it refuses it."""
        body = {"token": token, **({"system_id": system_id} if system_id else {})}
        answer = self._gitlab.request(
            Call("POST", "/runners/verify", f"verify the token of {name!r}", body, expect=(200, 403), with_token=False)
        )
        return None if answer.status == 403 else t.cast(Runner, answer.data)

    def create(self, name: str, fields: t.Mapping[str, t.Any]) -> Runner:
        """Create a runner; the answer holds its token, which GitLab never shows again."""
        answer = self._gitlab.request(
            Call("POST", "/user/runners", f"create runner {name!r}", dict(fields), expect=(201,), repeatable=False)
        )
        return t.cast(Runner, answer.data)

    def register(self, name: str, registration_token: str, fields: t.Mapping[str, t.Any]) -> Runner:
        """Create a runner the legacy way, by a registration token; the answer is that of a create."""
        attempt = f"register runner {name!r} with registration_token"
        body = {**fields, "token": registration_token}
        try:
            answer = self._gitlab.request(
                Call("POST", "/runners", attempt, body, expect=(201,), repeatable=False, with_token=False)
            )
        except GitLabError as exc:
            if exc.status not in LEGACY_REMEDIES:
                raise
            raise GitLabError(attempt, exc.status, exc.detail, LEGACY_REMEDIES[exc.status]) from exc
        return t.cast(Runner, answer.data)

    def delete_by_token(self, name: str, token: str) -> None:
        """Delete a runner by its own token; a refused one means that it is gone."""
        call = Call("DELETE", "/runners", f"delete runner {name!r}", {"token": token}, (204, 403), with_token=False)
        self._gitlab.request(call)

    def update(self, runner_id: int, name: str, fields: t.Mapping[str, t.Any]) -> None:
        self._gitlab.request(
            Call("PUT", f"/runners/{runner_id}", f"change runner {name!r} ({runner_id})", dict(fields))
        )

    def reset_token(self, runner_id: int, name: str) -> Runner:
        """Give the runner a new token; the old one is dead at once."""
        answer = self._gitlab.request(
            Call(
                "POST", f"/runners/{runner_id}/reset_authentication_token", f"reset the token of {name!r}",
                expect=(201,), repeatable=False,
            )
        )  # fmt: skip
        return t.cast(Runner, answer.data)

    def delete(self, runner_id: int, name: str) -> None:
        self._gitlab.request(
            Call("DELETE", f"/runners/{runner_id}", f"delete runner {name!r} ({runner_id})", expect=(204, 404))
        )

    def listed(self, path: str, name: str) -> list[Runner]:
        """A whole list, page after page; only used to find what an interrupted create left behind."""
        found: list[Runner] = []
        following: str | None = path
        while following:
            answer = self._gitlab.request(Call("GET", following, f"look for runner {name!r}", expect=(200,)))
            found += answer.data
            following = self._gitlab.next_page(answer)
        return found

    def other_managers(self, runner_id: int, system_id: str | None) -> list[str]:
        """The system ids of other machines that use this runner's token."""
        answer = self._gitlab.request(
            Call("GET", f"/runners/{runner_id}/managers", f"read the managers of runner {runner_id}", expect=(200, 404))
        )
        if answer.status == 404:
            return []
        return [manager["system_id"] for manager in answer.data if manager["system_id"] not in (system_id, "<legacy>")]

    def delete_manager(self, name: str, token: str, system_id: str | None) -> None:
        """Remove this machine from a runner that others may use too; a refused token means that it is gone."""
        self._gitlab.request(
            Call(
                "DELETE", "/runners/managers", f"remove this machine from runner {name!r}",
                {"token": token, "system_id": system_id or ""}, expect=(204, 403, 404), with_token=False,
            )
        )  # fmt: skip

    def busy(self, runner_id: int) -> bool:
        """Whether the runner runs a job.

        GitLab before 18 does not say so with the runner (API facts 2); then its running jobs are asked for, which an
        instance runner shows to administrators only: where that is refused too, nobody can tell.
        """
        details = self.get(runner_id) or {}
        if "job_execution_status" in details:
            return bool(details["job_execution_status"] == "active")
        path = f"/runners/{runner_id}/jobs?status=running&per_page=1"
        answer = self._gitlab.request(Call("GET", path, f"read the jobs of runner {runner_id}", expect=(200, 403, 404)))
        return answer.status == 200 and bool(answer.data)

    def wait_idle(self, runner_id: int, name: str, seconds: float) -> None:
        """Wait until a paused runner runs no job.

        Raises GitLabError when the time is up; the runner is left paused.
        """
        until = time.monotonic() + seconds
        while self.busy(runner_id):
            if time.monotonic() > until:
                raise GitLabError(
                    f"delete runner {name!r}", 0, f"it still runs jobs after {seconds:.0f} seconds",
                    "It stays paused in GitLab, so it takes no more. Run this again, or raise job_timeout.",
                )  # fmt: skip
            time.sleep(IDLE_POLL)
