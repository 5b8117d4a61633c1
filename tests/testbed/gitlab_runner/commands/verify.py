# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`verify`: asks GitLab about each entry; only a 403 is a failure (runner facts 0.7)."""

from __future__ import annotations

import typing as t

from ..app import CONFIG_FLAG, App
from ..config import ConfigError, Entry
from ..flags import Flag, Values, flag
from ..traits import Trait


def flags(app: App) -> t.Sequence[Flag]:
    env = not app.traits.has(Trait.VERIFY_WITHOUT_ENV)
    return (
        CONFIG_FLAG,
        flag("name n", usage="Name of the runner you wish to verify"),
        flag("url u", env="CI_SERVER_URL" if env else "", usage="GitLab instance URL"),
        flag("token t", env="CI_SERVER_TOKEN" if env else "", usage="Runner token"),
        flag("delete", "b", usage="Delete no longer existing runners?"),
    )


def _selected(entries: t.Sequence[Entry], values: Values) -> list[Entry]:
    wanted = {key: values.text(key) for key in ("name", "url", "token") if values.text(key)}
    return [entry for entry in entries if all(entry.get(key, "") == value for key, value in wanted.items())]


def run(app: App, values: Values) -> int:
    app.announce_mode()
    try:
        config, system_id = app.load(app.path(values))
    except ConfigError as exc:
        app.logger.fatal(str(exc))
    selected = _selected(config.runners, values)
    if not selected and any(values.text(key) for key in ("name", "url", "token")):
        app.logger.fatal("no runner matches the filtering parameters")
    network = app.network()
    bad = [entry for entry in selected if network.verify(entry, system_id)[0] == "invalid"]
    if not bad:
        return 0
    if not values.on("delete"):
        app.logger.fatal("Failed to verify runners")
    config.data["runners"] = [entry for entry in config.runners if not any(entry is one for one in bad)]
    try:
        app.save(config)
    except ConfigError as exc:
        app.logger.fatal("Failed to update", {"error": exc})
    app.logger.info(f"Updated {config.path}")
    return 0
