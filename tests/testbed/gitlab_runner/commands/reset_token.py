# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`reset-token`: new authentication tokens for entries of config.toml."""

from __future__ import annotations

import sys
import time
import typing as t

from ..app import CONFIG_FLAG, App
from ..config import Config, ConfigError, Entry
from ..flags import Flag, Values, flag
from ..golang import rfc3339
from ..network import Credentials
from ..traits import Trait


def flags(_app: App) -> t.Sequence[Flag]:
    return (
        CONFIG_FLAG,
        flag("name n", env="RUNNER_NAME", usage="Name of the runner whose token you wish to reset"),
        flag("url u", env="CI_SERVER_URL", usage="URL of the runner whose token you wish to reset"),
        flag("id i", "i", usage="ID of the runner whose token you wish to reset"),
        flag("all-runners", "b", usage="Reset all runner authentication tokens"),
        flag("pat", usage="Personal access token to use in lieu of runner's old token"),
    )


def take(entry: Entry, credentials: Credentials) -> None:
    """Put a new token into an entry."""
    entry["token"] = credentials.token
    entry["token_obtained_at"] = rfc3339(time.time_ns())
    entry["token_expires_at"] = credentials.expires_at


def _find(app: App, config: Config, values: Values) -> Entry:
    name, url, number = values.text("name"), values.text("url"), values.get("id") or 0
    if name:
        found = next((entry for entry in config.runners if entry.get("name") == name), None)
        error = f"could not find a runner with the name '{name}'"
    elif url and number:
        found = next((entry for entry in config.runners if entry.get("url") == url and entry.get("id") == number), None)
        error = f"could not find a runner with the URL '{url}' and ID '{number}'"
    else:
        found, error = None, "at least one of --name or --url and --id must be specified"
    if found is None:
        app.logger.fatal("Couldn't get runner credentials", {"error": error})
    return found


def _single(app: App, config: Config, values: Values) -> None:
    entry = _find(app, config, values)
    credentials = app.network().reset_token(entry, values.text("pat"))
    if credentials is None:
        fields = {"name": values.text("name"), "id": values.get("id") or 0}
        app.logger.fatal("Failed to reset runner authentication token", fields)
    take(entry, credentials)


def _all(app: App, config: Config, values: Values) -> None:
    app.logger.warning("Resetting all runner authentication tokens")
    network = app.network()
    for entry in config.runners:
        credentials = network.reset_token(entry, values.text("pat"))
        if credentials is None:
            app.logger.error("Failed to reset runner authentication token", {"name": entry.get("name", "")})
        else:
            take(entry, credentials)


def run(app: App, values: Values) -> int:
    app.announce_mode()
    try:
        config, _unused = app.load(app.path(values))
    except ConfigError as exc:
        app.logger.fatal(str(exc))
    (_all if values.on("all-runners") else _single)(app, config, values)
    try:
        app.save(config)
    except ConfigError as exc:
        app.logger.fatal("Failed to update", {"error": exc})
    if values.on("all-runners") and app.traits.has(Trait.RESET_TOKEN_LOGS_NIL):
        app.logger.info(f"Updated {config.path}")
    elif app.traits.has(Trait.RESET_TOKEN_LOGS_NIL):
        app.logger.info("Updated", {"config-file": None})
    else:
        sys.stderr.write(time.strftime("%Y/%m/%d %H:%M:%S") + " Updated\n")
    return 0
