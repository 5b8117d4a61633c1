# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`unregister`: takes a runner (or this machine's manager of it) out of GitLab and out of config.toml."""

from __future__ import annotations

import typing as t

from ..app import CONFIG_FLAG, App
from ..config import Config, ConfigError, Entry
from ..flags import Flag, Values, flag
from ..traits import Trait


def flags(_app: App) -> t.Sequence[Flag]:
    return (
        CONFIG_FLAG,
        flag("name n", env="RUNNER_NAME", usage="Name of the runner you wish to unregister"),
        flag("url u", env="CI_SERVER_URL", usage="GitLab instance URL"),
        flag("token t", env="CI_SERVER_TOKEN", usage="Runner token"),
        flag("all-runners", "b", env="UNREGISTER_ALL_RUNNERS", usage="Unregister all runners"),
    )


def _single(app: App, config: Config, values: Values, system_id: str) -> list[Entry]:
    """Return the entries that stay: of equal names the first goes, of equal tokens all go with one request."""
    name, token = values.text("name"), values.text("token")
    if not name and not token:
        app.logger.fatal("at least one of --name or --token must be specified")
    network = app.network()
    found = [
        entry
        for entry in config.runners
        if (not name or entry.get("name") == name) and (not token or entry.get("token") == token)
    ]
    if not found:
        what = f"name '{name}'" if name else f"token '{network.short(token)}'"
        app.logger.fatal(f"could not find a runner with the {what}")
    chosen = found[0]
    if not network.unregister(chosen, system_id):
        if app.traits.has(Trait.UNREGISTER_NAMES_RUNNER):
            app.logger.fatal(f"Failed to unregister runner {chosen.get('name', '')}")
        app.logger.fatal("failed to unregister runner", {"error": f"runner {chosen.get('name', '')}"})
    gone = [chosen] if name else found
    return [entry for entry in config.runners if not any(entry is one for one in gone)]


def _all(app: App, config: Config, system_id: str) -> list[Entry]:
    app.logger.warning("Unregistering all runners")
    network = app.network()
    stay = []
    for entry in config.runners:
        if not network.unregister(entry, system_id):
            app.logger.error(f"Failed to unregister runner {entry.get('name', '')}")
            stay.append(entry)
    return stay


def run(app: App, values: Values) -> int:
    app.announce_mode()
    try:
        config, system_id = app.load(app.path(values))
    except ConfigError as exc:
        app.logger.fatal(str(exc))
    before = len(config.runners)
    everyone = values.on("all-runners")
    stay = _all(app, config, system_id) if everyone else _single(app, config, values, system_id)
    if len(stay) == before:
        return 0
    config.data["runners"] = stay
    try:
        app.save(config)
    except ConfigError as exc:
        app.logger.fatal("Failed to update", {"error": exc})
    app.logger.info(f"Updated {config.path}")
    return 0
