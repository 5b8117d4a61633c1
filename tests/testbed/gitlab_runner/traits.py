# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gitlab-runner's version changes: one table (observed facts 10)."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

Number = tuple[int, int]
NEWEST: Number = (19, 0)  # read in the sources of 19.4; the exact version is not known


class Trait(enum.Enum):
    """Each trait: since which version, up to (not including) which version, what it does."""

    PRIVATE_TOKEN_HEADER = ((0, 0), (17, 11), "all calls carry Private-Token")
    DOCS_EE_LINKS = ((0, 0), (18, 0), "links in messages lead to docs.gitlab.com/ee")
    CONCURRENT_ZERO_PLAIN = ((0, 0), (18, 0), "concurrent = 0: a plain FATAL, nothing on stdout")
    EMPTY_CUSTOM_BUILD_DIR = ((0, 0), (18, 0), "register saves an empty [runners.custom_build_dir]")
    CONNECTOR_EMPTY_STRINGS = ((0, 0), (18, 0), "an autoscaler's connector is saved with empty password and key_path")
    INTERFACE_TYPE_NAMES = ((0, 0), (18, 0), "type errors say interface {} instead of any")
    PLAIN_METRICS_TYPE = ((0, 0), (18, 0), "/metrics has no escaping= in its Content-Type")
    SHORT_TOKEN_PANICS = ((0, 0), (18, 2), "a glrt- token of 8 to 13 characters ends in a Go panic")
    ROTATION_SAVES_MEMORY = ((0, 0), NEWEST, "a rotation writes what is in memory, not what is in the file")
    ROTATION_BACKS_OFF = ((0, 0), NEWEST, "a refused rotation is tried again after growing pauses")
    BROKEN_FILE_RETRIED = ((0, 0), NEWEST, "a broken file is loaded again with every poll")
    EMPTY_TOKEN_POLLED = ((0, 0), NEWEST, "an entry with an empty token asks for jobs")
    RESET_TOKEN_LOGS_NIL = ((0, 0), NEWEST, "reset-token ends in Updated config-file=<nil>")
    UNREGISTER_NAMES_RUNNER = ((0, 0), NEWEST, "a failed unregister names the runner in its message")
    MANAGER_UNREGISTER_TEXT = ((18, 0), None, "unregistering a glrt- token speaks of the runner manager")
    STEPS_FEATURE = ((18, 0), None, "info.features has native_steps_integration")
    USAGE_LOGGER = ((18, 0), None, "a load logs Usage logger disabled first")
    CLEANUP_STAGE = ((18, 0), None, "a shell job has the stage cleanup_file_variables")
    ADAPTIVE_CONCURRENCY = ((18, 0), None, "request concurrency has limits of its own in /metrics")
    ROTATION_SAVES_USER = ((18, 0), NEWEST, "a rotation writes the value of --user too")
    WRAPPER = ((18, 0), None, "there is a command wrapper")
    RUNNER_NAME_LABEL = ((18, 2), None, "most metrics have a label runner_name")
    REQUEST_ID = ((18, 3), None, "requests carry X-Request-Id")
    RETRIES = ((18, 3), None, "up to five attempts inside one call")
    EXPANDED_VARIABLES = ((18, 10), None, "$VAR in url and token is expanded at load")
    VERIFY_INFO = (NEWEST, None, "verify sends info")
    INFO_LABELS = (NEWEST, None, "info has labels")
    STATE_ENDPOINTS = (NEWEST, None, "/debug/process/state and /health/ready answer")
    INTERRUPTED_REASON = ((19, 2), None, "an aborted job fails with runner_interrupted")
    LINT = ((19, 3), None, "there is a command lint")
    VERIFY_WITHOUT_ENV = ((19, 3), None, "verify takes url and token from no environment variable")


@dataclass(frozen=True)
class Traits:
    """A version and what it brings."""

    version: str

    @property
    def number(self) -> Number:
        """Return major and minor; a version that is not one is refused."""
        found = re.match(r"(\d+)\.(\d+)", self.version)
        if not found:
            raise ValueError(f"Not a gitlab-runner version: {self.version!r}; expected for example 18.0.3")
        return int(found[1]), int(found[2])

    def has(self, trait: Trait) -> bool:
        """Say whether this version has the trait."""
        since, until, _meaning = trait.value
        return bool(since <= self.number and (until is None or self.number < until))
