# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab's part of a drain: whose runners a host's entries are, and pausing them."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_api import Call, GitLab
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_errors import GitLabError
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_runners import Runners
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._drain import Standing
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._status import Entry


@dataclasses.dataclass(frozen=True)
class Control:
    """Pauses runners with an access token; system_id is the host's own, by which GitLab tells machines apart."""

    gitlab: GitLab
    connections: int
    system_id: str | None

    @property
    def runners(self) -> Runners:
        return Runners(self.gitlab)

    def standings(self, entries: t.Sequence[Entry], *, check_mode: bool) -> list[Standing]:
        """Ask about every entry, in parallel.

        The token is verified first: an entry may be of another GitLab, where its id means another runner.
        """
        return self.gitlab.each(lambda entry: self._standing(entry, check_mode), entries, self.connections)

    def _standing(self, entry: Entry, check_mode: bool) -> Standing:
        # Verifying makes GitLab store a manager, so check mode believes the id.
        found = {"id": entry.id} if check_mode else self.runners.verify(entry.name, entry.token, self.system_id)
        runner_id = int((found or {}).get("id") or 0)
        details = self.runners.get(runner_id) if runner_id else None
        if details is None:
            return Standing(entry.name, runner_id)
        paused = bool(details.get("paused"))
        return Standing(entry.name, runner_id, known=True, paused=paused, shared_with=self._others(runner_id))

    def _others(self, runner_id: int) -> tuple[str, ...]:
        """Other machines that work with this runner; one that is gone stays listed, but not as online."""
        call = Call(
            "GET", f"/runners/{runner_id}/managers", f"read the managers of runner {runner_id}", expect=(200, 404)
        )
        managers = self.gitlab.request(call).data
        if not isinstance(managers, list):
            return ()
        mine = (self.system_id, "<legacy>")
        return tuple(one["system_id"] for one in managers if one["system_id"] not in mine and one["status"] == "online")

    def set_paused(self, ids: t.Sequence[int], paused: bool) -> None:
        """Pause or unpause; a runner that is gone needs neither. The first error is raised, after all were tried."""
        errors = [
            error for error in self.gitlab.each(lambda one: self._set(one, paused), ids, self.connections) if error
        ]
        if errors:
            raise errors[0]

    def _set(self, runner_id: int, paused: bool) -> GitLabError | None:
        try:
            self.runners.update(runner_id, f"runner {runner_id}", {"paused": paused})
        except GitLabError as exc:
            return None if exc.status == 404 else exc
        return None

    def busy(self, ids: t.Sequence[int]) -> bool:
        """Whether GitLab sees a job of these runners; before 18 it does not say (API facts 2)."""
        details = self.gitlab.each(self.runners.get, ids, self.connections)
        return any(one and one.get("job_execution_status") == "active" for one in details)
