# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GitLab's services during a restore, as gitlab-ctl says it (server observations 5). Standard library of Python 3.9.

gitlab-ctl takes one service a call, says nothing about one that it does not know, and ends with 0 then: only `status`
tells what is so. Where it says nothing, nothing is known: nobody counts as stopped then.
"""

from __future__ import annotations

import os
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_services
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed, Run

# Who writes; the first takes requests, the second works them off.
WRITERS = ("puma", "sidekiq")
# What a restore works with.
NEEDED = ("postgresql", "redis", "gitaly")
STOP_TRIES = 3
COMMAND_SECONDS = 300
CTL = _gitlab_services.GITLAB_CTL
# A link for each service that the supervisor keeps running; a reconfigure makes them.
SUPERVISED = "/opt/gitlab/service"


class ServiceError(Exception):
    """A service is not as it must be; the text says which and what gitlab-ctl said."""


def states(run: Run, supervised: str = SUPERVISED) -> dict[str, str]:
    """run, down, fail or warning by service; empty where nobody has a supervisor yet: GitLab was never configured.

    Raises ServiceError where gitlab-ctl can't say it.
    """
    try:
        return {one.name: one.state for one in _gitlab_services.services(run)}
    except OSError as exc:
        if any(os.path.lexists(f"{supervised}/{name}") for name in WRITERS):
            raise ServiceError(
                f"Whether {' and '.join(WRITERS)} run can't be told: {exc}. See that gitlab-ctl status answers "
                "(systemctl start gitlab-runsvdir), then run this again."
            ) from None
        return {}


def _is_down(run: Run, name: str, supervised: str) -> bool:
    """Whether it is down for certain: gitlab-ctl says so, or the supervisor has no such service."""
    found = states(run, supervised)
    return found[name] == "down" if name in found else not os.path.lexists(f"{supervised}/{name}")


def stop(run: Run, say: t.Callable[[str], None], supervised: str = SUPERVISED) -> None:
    """Stop those who write, one after the other, and see that they are down; raises ServiceError.

    A worker may take longer to end than gitlab-ctl waits, so it is asked more than once.
    """
    for name in WRITERS:
        said = Completed(0, "")
        for _unused in range(STOP_TRIES):
            if _is_down(run, name, supervised):
                break
            say(f"stopping {name}")
            said = run([CTL, "stop", name], timeout=COMMAND_SECONDS)
        else:
            if not _is_down(run, name, supervised):
                raise ServiceError(
                    f"{name} does not stop: gitlab-ctl stop {name} ended with {said.rc} and said {said.words!r}"
                )


def start_needed(run: Run, say: t.Callable[[str], None]) -> None:
    """Start what a restore needs and is down; raises ServiceError."""
    found = states(run)
    for name in NEEDED:
        if found.get(name) in ("down", "fail"):
            say(f"starting {name}")
            said = run([CTL, "start", name], timeout=COMMAND_SECONDS)
            if states(run).get(name) != "run":
                raise ServiceError(
                    f"{name} does not start: gitlab-ctl start {name} ended with {said.rc} and said {said.words!r}; "
                    f"its log is in /var/log/gitlab/{name}"
                )


def start(run: Run, names: t.Sequence[str]) -> None:
    """Start those services that do not run, each by a call of its own, and see that they do; raises ServiceError."""
    if not names:
        return
    found = states(run)
    for name in names:
        if found.get(name) != "run":
            run([CTL, "start", name], timeout=COMMAND_SECONDS)
    found = states(run)
    down = [name for name in names if found.get(name) != "run"]
    if down:
        raise ServiceError(
            f"{', '.join(down)} did not start; look at gitlab-ctl status, and with gitlab-ctl tail {down[0]} why"
        )
