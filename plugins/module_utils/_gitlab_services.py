# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab's services as gitlab-ctl tells of them (server observations 5). Standard library of Python 3.9."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _host_command

GITLAB_CTL = "/opt/gitlab/bin/gitlab-ctl"
STATUS_SECONDS = 120
_LINE = re.compile(r"^(run|down|fail|warning): ([^:]+): (.*?)(?:; (?:run|down): log: .*)?$")


@dataclasses.dataclass(frozen=True)
class Service:
    """One line of `gitlab-ctl status`. state is run, down, fail (no supervisor) or warning (no access)."""

    name: str
    state: str
    detail: str


def services(run: _host_command.Run) -> list[Service]:
    """Every enabled service, also when some are down. Raises OSError where gitlab-ctl can't say, or not to its end."""
    done = run([GITLAB_CTL, "status"], timeout=STATUS_SECONDS)
    if done.rc < 0 or done.rc == _host_command.TIMED_OUT:
        raise OSError(f"gitlab-ctl status was not done (exit status {done.rc}): {done.words}")
    found = [match.groups() for match in map(_LINE.match, done.stdout.splitlines()) if match]
    if not found:
        raise OSError(f"gitlab-ctl status named no service (exit status {done.rc}): {done.words or 'no output'}")
    return [Service(name, state, detail) for state, name, detail in found]


def not_running(found: t.Iterable[Service]) -> list[str]:
    """Services that do not run, in gitlab-ctl's own words."""
    return [f"{one.name}: {one.state}, {one.detail}" for one in found if one.state != "run"]
