# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of config.toml that were written and that the running process has not taken up yet.

Some keys need a new process (runner facts 2). A run that is killed between its write and the restart, or that is told
not to restart, leaves a file that is as declared and a daemon that is not. So the keys are noted beside the
configuration before it is written; the note holds until the process is younger than it.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._host_read import HostState

SUFFIX = ".fleetwright-restart.json"


def path_beside(config_path: str) -> str:
    """Where the note of a configuration is kept."""
    folder, _sep, name = config_path.rpartition("/")
    return f"{folder or '.'}/.{name}{SUFFIX}"


def noted(state: HostState, path: str) -> tuple[str, ...]:
    """The noted keys; a note that can't be read means that something was noted."""
    text = state.files.get(path)
    if text is None:
        return ()
    try:
        return tuple(str(key) for key in json.loads(text))
    except (ValueError, TypeError):
        return ("(an unreadable note)",)


def outdated(state: HostState, path: str) -> bool:
    """Whether the process that runs has started since, or none runs: then the next one reads the file anyway."""
    service = state.service
    return not service.main_pid or service.started_at > state.written.get(path, 0)


def dumped(keys: t.Iterable[str]) -> str:
    return json.dumps(sorted(set(keys))) + "\n"
