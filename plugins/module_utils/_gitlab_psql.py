# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to GitLab's database by gitlab-psql, as few calls as can be. Standard library of Python 3.9."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _host_command

GITLAB_PSQL = "/opt/gitlab/bin/gitlab-psql"
# gitlab-psql takes no options of its own and hands these to psql; the statements come by standard input, because
# \gexec is understood only there. -X: whatever .psqlrc the caller has.
OPTIONS = ("-X", "-q", "-A", "-t", "-F", "|", "-v", "ON_ERROR_STOP=1", "-f", "-")
# The wrapper passes it on (server observations 7). GitLab's own configuration ends a statement after a minute, which
# counting a large table may take; one snapshot for all statements of a call.
PGOPTIONS = (
    "-c statement_timeout=0 -c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"
)


class DatabaseError(Exception):
    """The database could not be asked; the text says what came back."""


def is_there(run: _host_command.Run, *, timeout: float) -> bool:
    """Whether GitLab's database can be asked at all, whatever is in it; timeout is in seconds."""
    try:
        return rows(run, ["SELECT 1;"], timeout=timeout) == [["1"]]
    except DatabaseError:
        return False


def analyze(run: _host_command.Run, *, timeout: float) -> None:
    """Renew the planner's statistics of all tables; timeout is in seconds. Raises DatabaseError."""
    done = run(
        [GITLAB_PSQL, *OPTIONS], env={"PGOPTIONS": "-c statement_timeout=0"}, timeout=timeout, input="ANALYZE;\n"
    )
    if done.rc != 0:
        raise DatabaseError(f"gitlab-psql ended with {done.rc}: {done.words}")


def rows(
    run: _host_command.Run, statements: t.Iterable[str], *, timeout: float, database: str | None = None
) -> list[list[str]]:
    """What the statements return, one list a row, in one call and of one moment.

    timeout is in seconds; database is another than GitLab's main one. Raises DatabaseError.
    """
    sql = "\n".join(["BEGIN;", *statements, "COMMIT;", ""])
    other = ("-d", database) if database else ()  # a later -d wins (server observations 7)
    done = run([GITLAB_PSQL, *other, *OPTIONS], env={"PGOPTIONS": PGOPTIONS}, timeout=timeout, input=sql)
    if done.rc == _host_command.TIMED_OUT:
        raise DatabaseError(f"the database gave no answer within {timeout:g} s")
    if done.rc != 0:
        raise DatabaseError(f"gitlab-psql ended with {done.rc}: {done.words}")
    return [line.split("|") for line in done.stdout.splitlines() if line]
