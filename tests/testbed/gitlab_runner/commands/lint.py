# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`lint`: reads config.toml and says what is wrong with it; changes nothing (runner facts 4.3)."""

from __future__ import annotations

import typing as t

from ..app import CONFIG_FLAG, App
from ..flags import Flag, Values
from ..keys import CONFIG
from ..tomlread import DecodeError, Reader


def flags(_app: App) -> t.Sequence[Flag]:
    return (CONFIG_FLAG,)


def _against_schema(data: t.Mapping[str, t.Any]) -> str:
    """Return the first thing that the schema refuses."""
    for number, entry in enumerate(data.get("runners", [])):
        where = f"/runners/{number}"
        for key in ("url", "token", "executor"):
            if not entry.get(key):
                return f"'{where}/{key}' length must be >= 1, but got 0"
        for policy, one in enumerate((entry.get("autoscaler") or {}).get("policy", [])):
            idle = one.get("idle_time")
            if idle and idle.in_seconds < 1:
                return f"'{where}/autoscaler/policy/{policy}/idle_time' must be >= 1s, but got {idle}"
    return ""


def run(app: App, values: Values) -> int:
    path = app.path(values)
    if not path.exists():
        app.logger.fatal(f"config file not found: {path}")
    try:
        reader = Reader(path.read_bytes(), app.traits)
        data = reader.read(CONFIG)
    except DecodeError as exc:
        app.logger.fatal(f"decoding config: {exc}")
    refused = _against_schema(data)
    if refused:
        app.logger.fatal(f"config schema validation failed: {refused}")
    if reader.unknown:
        lines = "".join(f"\n  unknown key: {key}" for key in reader.unknown)
        app.logger.fatal(f"{len(reader.unknown)} unknown key(s) found in {path}:{lines}")
    app.logger.info("Configuration file is valid.")
    return 0
