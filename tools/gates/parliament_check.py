# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold IAM policies against parliament: [{"where", "policy"}] on the standard input of build/venvs/policy's Python."""

from __future__ import annotations

import json
import sys

from parliament import analyze_policy_string


def main() -> int:
    bad = 0
    for one in json.load(sys.stdin):
        for finding in analyze_policy_string(json.dumps(one["policy"])).findings:
            bad += 1
            print(f"{one['where']}: {finding.issue} {finding.detail} {finding.location}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
