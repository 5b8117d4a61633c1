# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-psql on this machine, over a real PostgreSQL."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _gitlab_psql, _host_command
from testbed import postgresql

DATABASE = "gitlabhq_production"


class Psql:
    """A run that knows one program: the wrapper's own connection, then the caller's arguments (observations 7)."""

    def __init__(self, cluster: postgresql.Cluster) -> None:
        self._cluster = cluster
        self.calls: list[t.Sequence[str]] = []

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        env: t.Mapping[str, str] | None = None,
        timeout: float | None = None,
        input: str | None = None,
    ) -> _host_command.Completed:
        assert argv[0] == _gitlab_psql.GITLAB_PSQL
        self.calls.append(argv)
        words = [*self._cluster.psql(DATABASE), *argv[1:]]
        return _host_command.run(words, env=env, timeout=timeout, input=input)
