# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches of a running twin, with their defaults."""

from __future__ import annotations

import typing as t

DEFAULTS: dict[str, t.Any] = {
    "admin_mode": False,  # administrators need a token with scope admin_mode
    "runner_token_lifetime": None,  # seconds until a runner token expires
    "registration_tokens": None,  # None: as the version has it
    "long_polling": 0,  # seconds that a jobs/request with a current last_update is held
    "incremental_logging": False,  # the first final PUT of a job with a checksum gets 202
    "trace_limit": 100 * 1024 * 1024,
    "trace_watched": False,  # somebody looks at the log: update interval 3 instead of 60
    "throttle": None,  # {"requests": n, "period": seconds} for each token
    "limits": {},  # over the defaults of limits.DEFAULTS, a minute; 0 = off
    "migrating": False,  # every runner call gets 429
    "monitoring_whitelist": ["127.0.0.0/8", "::1/128"],
    "failed_checks": [],  # names for /-/readiness, such as db_check
    "instance_token_prefix": "",
    "job_router_url": None,
    "count_limit": 10_000,  # with more rows, lists come without totals
}
