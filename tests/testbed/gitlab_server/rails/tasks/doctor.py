# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab:doctor:secrets: what can't be read with today's key; ends with 0 whatever it finds (server facts 3.3)."""

from __future__ import annotations

import os
import time

from ..context import Context
from ..encryption import MODELS, decrypt


def _log(ctx: Context, text: str) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    ctx.say(f"I, [{stamp}.000000 #{os.getpid()}]  INFO -- : {text}")


def secrets(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """Try every encrypted value."""
    db, key, total = ctx.database(), ctx.config.db_key_base, 0
    _log(ctx, "Checking encrypted values in the database")
    for model, (table, columns) in MODELS.items():
        rows = db.all(f"SELECT id, {', '.join(columns)} FROM {table}")
        bad = [row[0] for row in rows if any(value is not None and decrypt(key, value) is None for value in row[1:])]
        _log(ctx, f"- {model} failures: {len(bad)}")
        if ctx.flag("VERBOSE"):
            for number in bad:
                _log(ctx, f"  - {model}[{number}]: {', '.join(columns)}")
        total += len(bad)
    _log(ctx, f"Total: {total} row(s) affected")
    _log(ctx, "Done!")
