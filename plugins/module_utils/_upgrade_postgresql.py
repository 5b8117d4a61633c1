# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL of GitLab's package moved to another major, and back. Standard library of Python 3.9.

gitlab-ctl's exit status tells little: "can't upgrade" is 0, and after a failure the next run takes what the failed one
left for a finished upgrade (server observations 8). So only PG_VERSION is believed, and leftovers are put aside before.
"""

from __future__ import annotations

import pathlib
import re

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _restore_services,
    _upgrade_look,
    _upgrade_unit,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._upgrade_work import StepFailed, Work

_OLD = re.compile(r"data\.(\d+)")


def folder(work: Work, name: str = "data") -> pathlib.Path:
    return pathlib.Path(work.places.postgresql, name)


def leftovers(work: Work) -> dict[int, pathlib.Path]:
    """data.<major> folders: what an upgrade reads or makes, by major."""
    root = pathlib.Path(work.places.postgresql)
    found = [(_OLD.fullmatch(one.name), one) for one in sorted(root.iterdir())] if root.is_dir() else []
    return {int(match.group(1)): one for match, one in found if match and one.is_dir()}


def move(work: Work, stop: int, target: int) -> dict[str, int | None]:
    """Have that major run; raises StepFailed. Again: nothing."""
    _mend(work)
    now = _upgrade_look.postgresql(work.places)
    if now is None or now >= target:
        return {"postgresql": now}
    for major, path in leftovers(work).items():
        if major in (now, target):
            work.aside(path)
    work.say(f"PostgreSQL {now} -> {target}")
    status, text = work.run_to_end([work.ctl, "pg-upgrade", "-w", "-V", str(target)], "postgresql", stop)
    if not work.serving:
        _restore_services.stop(work.host.run, work.say)  # pg-upgrade starts sidekiq
    now = _upgrade_look.postgresql(work.places)
    if now != target or status != 0:
        raise StepFailed(
            f"PostgreSQL was not moved to {target}: {now} is there, gitlab-ctl pg-upgrade ended with {status} and "
            f"said: {_upgrade_unit.last_words(text)}. Its whole output is {work.log('postgresql', stop)}."
        )
    return {"postgresql": now}


def _mend(work: Work) -> None:
    """A pg-upgrade that was cut off between its two renames: the old data takes its place again."""
    if folder(work).exists():
        return
    there = leftovers(work)
    if there:
        there[min(there)].rename(folder(work))


def back(work: Work, stop: int, target: int | None) -> dict[str, str]:
    """Have the cluster of that major, or none, so that the older package makes a new one; says which way was taken."""
    if target is None:
        return {"way": "external"}
    _mend(work)
    now = _upgrade_look.postgresql(work.places)
    if now is None or now <= target:
        for major, path in leftovers(work).items():
            if major > target:
                work.aside(path)  # of an upgrade that failed; the next one would take it for its own
        return {"way": "not moved"}
    if _revertible(work, target) and _reverted(work, stop, target):
        return {"way": "revert-pg-upgrade"}
    _restore_services.stop(work.host.run, work.say)
    work.host.run([work.ctl, "stop", "postgresql"], timeout=_restore_services.COMMAND_SECONDS)
    if _restore_services.states(work.host.run).get("postgresql", "down") == "run":
        raise StepFailed("PostgreSQL does not stop: look at gitlab-ctl status and gitlab-ctl tail postgresql.")
    for path in (*leftovers(work).values(), folder(work)):
        work.aside(path)
    pathlib.Path(work.places.old_version).unlink(missing_ok=True)
    return {"way": "new cluster"}


def _revertible(work: Work, target: int) -> bool:
    """Whether the package that is there brings that major's programs, and an upgrade has left its data."""
    ships = pathlib.Path(work.places.embedded_postgresql, str(target)).is_dir()
    return ships and target in leftovers(work) and pathlib.Path(work.places.old_version).exists()


def _reverted(work: Work, stop: int, target: int) -> bool:
    """By gitlab-ctl; where that fails there is still the way of a new cluster."""
    work.say(f"PostgreSQL back to {target}")
    status, text = work.run_to_end([work.ctl, "revert-pg-upgrade", "-V", str(target)], "revert-postgresql", stop)
    found = _upgrade_look.postgresql(work.places) == target
    if not found:
        work.warnings.append(
            f"gitlab-ctl revert-pg-upgrade ended with {status} and said: {_upgrade_unit.last_words(text, 3)}; the data "
            "directory was put aside instead."
        )
    return found
