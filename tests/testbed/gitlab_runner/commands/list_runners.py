# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`list`: the entries of config.toml, tokens in clear, on stderr."""

from __future__ import annotations

import typing as t

from ..app import CONFIG_FLAG, App
from ..config import ConfigError
from ..flags import Flag, Values


def flags(_app: App) -> t.Sequence[Flag]:
    return (CONFIG_FLAG,)


def run(app: App, values: Values) -> int:
    path = app.path(values)
    try:
        config, _unused = app.load(path)
    except ConfigError as exc:
        app.logger.warning(str(exc))
        return 0
    app.logger.info("Listing configured runners", {"ConfigFile": path})
    for entry in config.runners:
        app.logger.info(
            entry.get("name", ""),
            {"Executor": entry.get("executor", ""), "Token": entry.get("token", ""), "URL": entry.get("url", "")},
        )
    return 0
