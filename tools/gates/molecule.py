# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The molecule scenarios: tools/molecule runs them, and counts them in build/results/molecule.json."""

from __future__ import annotations

from gates import outcome, places

RECORD = places.RESULTS / "molecule.json"


def run() -> outcome.Outcome:
    RECORD.unlink(missing_ok=True)
    status = outcome.shown([places.ROOT / "tools" / "molecule"])
    return outcome.from_record(RECORD, status)
