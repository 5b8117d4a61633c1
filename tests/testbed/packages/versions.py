# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions of the runner's packages there are, and what a version brings (runner facts 9)."""

from __future__ import annotations

import re

from testbed.errors import TestbedError

# A line before the helper split, one on either side of it, last patches of two major lines, the API twin's own minor,
# today's newest.
VERSIONS = ("17.5.5", "17.7.0", "17.7.1", "17.11.3", "18.0.3", "18.6.3", "18.11.4", "19.3.0")
HELPER_SINCE = (17, 7, 1)
RELEASE = "1"  # the iteration; no dist tag, no epoch

RUNNER = "gitlab-runner"
HELPER = "gitlab-runner-helper-images"


def numbers(version: str) -> tuple[int, int, int]:
    """Return x.y.z as numbers."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)", version)
    if not found:
        raise TestbedError(f"'{version}' is not a version of the form x.y.z.")
    return int(found[1]), int(found[2]), int(found[3])


def has_helper(version: str) -> bool:
    """Tell whether the helper images are a package of their own at this version."""
    return numbers(version) >= HELPER_SINCE
