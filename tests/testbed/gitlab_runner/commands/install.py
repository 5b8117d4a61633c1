# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`install`: the unit file, enabled and not started, and a first config.toml (runner facts 3.2)."""

from __future__ import annotations

import os
import pwd
import typing as t
from pathlib import Path

from .. import service
from ..app import App
from ..config import ConfigError, default_path, empty
from ..flags import Flag, Values, flag
from .service_verbs import NAME_FLAG


def flags(_app: App) -> t.Sequence[Flag]:
    return (
        NAME_FLAG,
        flag("config c", usage="Specify custom config file"),
        flag("working-directory d", usage="Specify custom root directory where all data are stored"),
        flag("user u", usage="Specify user-name to secure the runner"),
        flag("init-user", usage="Specify user to run the service as"),
        flag("syslog", "b", usage="Setup system logging integration"),
    )


def _config_path(app: App, values: Values) -> Path:
    given, init_user = values.text("config"), values.text("init-user")
    if given:
        return Path(given).absolute()
    if init_user:
        try:
            return Path(pwd.getpwnam(init_user).pw_dir, "config.toml")
        except KeyError:
            app.logger.fatal(f"Failed to install {values.text('service')}: user: unknown user {init_user}")
    return default_path()


def run(app: App, values: Values) -> int:
    name, user, init_user = values.text("service"), values.text("user"), values.text("init-user")
    if os.getuid() == 0 and not user and not init_user:
        app.logger.fatal("Please specify user that will run gitlab-runner service")
    config = _config_path(app, values)
    if not config.exists():
        try:
            app.save(empty(config))
        except ConfigError as exc:
            app.logger.fatal(str(exc))
    directory = values.text("working-directory") or str(Path.cwd())
    try:
        service.install(service.Wish(name, str(config), directory, user, init_user))
    except service.ServiceError as exc:
        app.logger.fatal(f"Failed to install {name}: {exc}")
    return 0
