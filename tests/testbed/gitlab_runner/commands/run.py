# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`run`: the service (observed facts 5)."""

from __future__ import annotations

import os
import threading
import typing as t

from ..app import CONFIG_FLAG, App
from ..config import ConfigError, go_error
from ..daemon import debug_server
from ..daemon.manager import Manager, Options
from ..daemon.polling import Poller
from ..daemon.reload import Reloader
from ..daemon.rotation import Rotation
from ..daemon.supervise import Supervisor
from ..flags import Flag, Values, flag
from ..jobs.run_job import JobRunner


def flags(_app: App) -> t.Sequence[Flag]:
    return (
        CONFIG_FLAG,
        flag("listen-address", env="LISTEN_ADDRESS", usage="Metrics / pprof server listening address"),
        flag("service n", default="gitlab-runner", usage="Use different names for different services"),
        flag("working-directory d", usage="Specify custom working directory"),
        flag("user u", usage="Use specific user to execute shell scripts"),
        flag("syslog", "b", "LOG_SYSLOG", usage="Log to system service logger"),
    )


def _change_directory(app: App, values: Values) -> None:
    directory = values.text("working-directory")
    if not directory:
        return
    try:
        os.chdir(directory)
    except OSError as exc:
        app.logger.fatal("Service run failed", {"error": f"chdir {directory}: {go_error(exc)}"})


def run(app: App, values: Values) -> int:
    manager = Manager(app, Options(app.path(values), values.text("user"), values.text("listen-address")))
    app.logger.info(f"Starting multi-runner from {manager.options.path}...", manager.fields())
    app.announce_mode()
    _change_directory(app, values)
    rotation = Rotation(manager)
    reloader = Reloader(manager, rotation.restart)
    try:
        if not reloader.load():
            return 1
    except ConfigError as exc:
        app.logger.fatal("Service run failed", {"error": exc})
    if not debug_server.listen(manager):
        return 1
    manager.logger.info("[session_server].listen_address not defined, session endpoints disabled", manager.fields())
    manager.logger.info("Initializing executor providers", manager.fields())
    manager.workers.resize(manager.config.number("concurrent"), manager.stopping)
    supervisor = Supervisor(manager, reloader, rotation)
    supervisor.take_over_signals()
    manager.state = "running"
    poller = Poller(manager, JobRunner(manager).run)
    for loop in (reloader.loop, rotation.loop, poller.loop):
        threading.Thread(target=loop, daemon=True).start()
    return supervisor.wait()
