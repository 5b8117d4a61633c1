# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PostgreSQL for the SQL that the collection sends."""

from __future__ import annotations

import typing as t

import pytest
from testbed import postgresql
from unit.plugins.module_utils.psql import DATABASE, Psql


@pytest.fixture(scope="session")
def cluster() -> t.Iterator[postgresql.Cluster]:
    try:
        postgresql.newest_programs()
    except FileNotFoundError as exc:
        pytest.skip(str(exc))
    with postgresql.cluster() as running:
        yield running


@pytest.fixture
def database(cluster: postgresql.Cluster) -> t.Iterator[str]:
    """An empty database of GitLab's name."""
    cluster.sql(f"CREATE DATABASE {DATABASE}")
    yield DATABASE
    cluster.sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


@pytest.fixture
def gitlab_psql(cluster: postgresql.Cluster) -> Psql:
    return Psql(cluster)
