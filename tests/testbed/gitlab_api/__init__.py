# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for GitLab's REST API: runners, jobs, and what a client needs around them.

In a test: `with TwinServer(version="18.6.2") as twin:` gives `twin.url`, `twin.admin_token`, `twin.token(...)` and
`twin.client` (`TwinClient`). Alone: `python -m testbed.gitlab_api --port 8080 --db FILE`.
"""

from __future__ import annotations

from .client import TwinClient
from .server import TwinServer

__all__ = ["TwinClient", "TwinServer"]
