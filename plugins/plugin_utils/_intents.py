# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intents: what keeps a run that is killed in the middle of a create from leaving a second runner behind.

GitLab hands a runner's token out once, in the answer to the create. So before the create its intent (name and a random
mark) is written on the host, and the mark goes into the runner's C(maintenance_note). An intent that is still there at
the next run is looked for among the never-contacted runners, and what is found is adopted by a token reset.
"""

from __future__ import annotations

import dataclasses
import json
import re
import secrets
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._declaration import FIXED_FIELDS, Declared

Mapping = t.Mapping[str, t.Any]

SUFFIX = ".fleetwright-intents.json"
_MARK = re.compile(r"\s*\[fleetwright\.gitlab_aws [0-9a-f]{16}\]$")


class IntentError(Exception):
    """The file of intents can't be understood; the text says what to do."""


@dataclasses.dataclass(frozen=True)
class Intent:
    """A create that was announced and may have happened."""

    name: str
    mark: str
    owner: t.Mapping[str, t.Any]  # runner_type, and group_id or project_id
    description: str

    @property
    def tag(self) -> str:
        """The mark as it stands in the maintenance note."""
        return f"[fleetwright.gitlab_aws {self.mark}]"

    def list_path(self) -> str:
        """The list that holds the runner, if it was created: of never-contacted ones, where that says something."""
        runner_type = self.owner.get("runner_type")
        if runner_type is None:  # a legacy registration: whose it is, and whether it counts as a contact, is open
            return "/runners/all?per_page=100"
        query = f"type={runner_type}&status=never_contacted&per_page=100"
        if runner_type == "group_type":
            return f"/groups/{self.owner['group_id']}/runners?{query}"
        if runner_type == "project_type":
            return f"/projects/{self.owner['project_id']}/runners?{query}"
        return f"/runners/all?{query}"


def path_beside(config_path: str) -> str:
    """Where the intents of a configuration are kept; each configuration of a host has its own."""
    folder, _sep, name = config_path.rpartition("/")
    return f"{folder or '.'}/.{name}{SUFFIX}"


def intent_for(declared: Declared) -> Intent:
    """A new intent to create a runner."""
    owner = {name: declared.api[name] for name in FIXED_FIELDS if name in declared.api}
    return Intent(declared.name, secrets.token_hex(8), owner, declared.api["description"])


def marked_note(note: str | None, intent: Intent) -> str:
    """The maintenance note with the mark behind it."""
    return f"{note} {intent.tag}" if note else intent.tag


def without_mark(note: str | None) -> str:
    """The maintenance note as a user would write it."""
    return _MARK.sub("", note or "")


def dumped(intents: t.Sequence[Intent]) -> str:
    return json.dumps([dataclasses.asdict(intent) for intent in intents], indent=1) + "\n"


def loaded(text: str | None, path: str) -> list[Intent]:
    """The open intents; raises IntentError for a file that this did not write."""
    try:
        return [Intent(**item) for item in json.loads(text or "[]")]
    except (ValueError, TypeError) as exc:
        raise IntentError(
            f"{path} on the host can't be read as a list of intents ({exc}). Look in GitLab for runners of this host "
            "that were never contacted, delete them, remove the file, and run this again."
        ) from exc
