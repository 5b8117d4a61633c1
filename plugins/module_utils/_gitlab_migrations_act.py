# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Background migrations that do not end by themselves: what to tell people, and what to do. Standard library of 3.9.

Statuses are never edited by SQL: GitLab's own model and task do what belongs to it.
"""

from __future__ import annotations

import shlex
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_migrations, _host_command
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_migrations import MAIN, Migration, State

GITLAB_RAKE = "/opt/gitlab/bin/gitlab-rake"
TASK = "gitlab:background_migrations:finalize"
MODEL = "Gitlab::Database::BackgroundMigration::BatchedMigration"
FINALIZE_SECONDS = 48 * 3600.0
RESUMED = ("failed", "paused")
_SPECIFY = "Please specify the database"


class ActFailed(Exception):
    """GitLab refused; the text has its words and what to do."""


def argument(migration: Migration, *, by_database: bool) -> str:
    """The task with its arguments for rake, which splits them at commas that no backslash stands before."""
    words = (migration.job_class_name, migration.table_name, migration.column_name, migration.job_arguments)
    escaped = ",".join(word.replace("\\", "\\\\").replace(",", "\\,") for word in words)
    database = f":{migration.database}" if by_database or migration.database != MAIN else ""
    return f"{TASK}{database}[{escaped}]"


def command(migration: Migration) -> str:
    """What a person types to run the rest of it at once."""
    return f"gitlab-rake {shlex.quote(argument(migration, by_database=False))}"


def remedy(state: State) -> str:
    """Why background migrations have not ended, by name, and what to do."""
    if state.failed:
        names = "; ".join(f"{one.name}: sudo {command(one)}" for one in state.failed)
        return (
            f"Background migrations have failed ({len(state.failed)}), and a later version stops in the middle of its "
            "reconfigure until they have ended. Look for their error in /var/log/gitlab/sidekiq, then try them again "
            f"(resume: true), or run what is left of each at once: {names}"
        )
    if state.stuck:
        names = "; ".join(one.name for one in state.left)
        return f"Somebody has paused background migrations, so they will not end: {names}. Run this with resume: true."
    return (
        f"Time is up, and {_gitlab_migrations.progress(state)}. They go on by themselves while Sidekiq runs "
        "(gitlab-ctl status sidekiq); on large servers they take days. Run this again to wait on, or raise timeout."
    )


def resume(run: _host_command.Run, state: State) -> list[Migration]:
    """Let those that failed or are paused go on, by one start of Rails; returns them. Raises ActFailed."""
    found = [one for one in state.left if one.status in RESUMED]
    if not found:
        return []
    code = "; ".join(map(_go_on, found))
    argv = [_gitlab_migrations.GITLAB_RAILS, "runner", "-e", "production", code]
    done = run(argv, timeout=_gitlab_migrations.RAILS_SECONDS)
    if done.rc != 0:
        raise ActFailed(f"Could not resume background migrations: gitlab-rails ended with {done.rc}: {done.words}")
    return found


def _go_on(migration: Migration) -> str:
    act = "retry_failed_jobs!" if migration.status == "failed" else "execute!"
    code = f"{MODEL}.find({migration.id}).{act}"
    if migration.database == MAIN:
        return code
    connection = f"Gitlab::Database.database_base_models['{migration.database}'].connection"
    return f"Gitlab::Database::SharedModel.using_connection({connection}) {{ {code} }}"


def finalize(run: _host_command.Run, state: State, say: t.Callable[[str], None]) -> list[Migration]:
    """Run what is left of each at once, one after the other; returns them. Raises ActFailed at the first failure."""
    for one in state.left:
        say(f"finalizing {one.name}")
        done = run([GITLAB_RAKE, argument(one, by_database=False)], timeout=FINALIZE_SECONDS)
        if done.rc != 0 and _SPECIFY in done.stdout:
            done = run([GITLAB_RAKE, argument(one, by_database=True)], timeout=FINALIZE_SECONDS)
        if done.rc != 0:
            raise ActFailed(
                f"Could not finalize {one.name}: gitlab-rake ended with {done.rc}: {done.words} Mend what it names, "
                "then run this again."
            )
    return list(state.left)
