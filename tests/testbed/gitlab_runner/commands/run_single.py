# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`run-single`: one entry, from flags or from a file, until its limits are reached."""

from __future__ import annotations

import time
import typing as t

from ..app import CONFIG_FLAG, App
from ..config import ConfigError, Entry, empty, load, system_id
from ..daemon.manager import Manager, Options
from ..daemon.polling import Poller
from ..daemon.reload import Reloader
from ..daemon.rotation import Rotation
from ..daemon.supervise import Supervisor
from ..flags import Flag, Values, flag
from ..jobs.run_job import JobRunner
from ..runner_flags import entry_flags, entry_of, merged


def flags(_app: App) -> t.Sequence[Flag]:
    return (
        CONFIG_FLAG,
        flag("runner r", usage="Runner name from the config file to use instead of command-line arguments"),
        flag("wait-timeout", "i", "CI_WAIT_TIMEOUT", 0, "How long to wait in seconds before receiving the first job"),
        flag("max-builds", "i", "RUNNER_MAX_BUILDS", 0, "How many builds to process before exiting"),
        flag("shutdown-timeout", "i", "RUNNER_SHUTDOWN_TIMEOUT", 0, "Number of seconds after which to give up"),
        *(one for _unused, one in entry_flags()),
    )


def _entry(app: App, values: Values) -> Entry:
    entry: Entry = {}
    name = values.text("runner")
    if name:
        try:
            config = load(app.path(values), app.traits)
        except ConfigError as exc:
            app.logger.fatal(str(exc))
        found = next((one for one in config.runners if one.get("name") == name), None)
        if found is None:
            app.logger.fatal("Error loading config", {"error": f"could not find a runner with the name '{name}'"})
        entry = found
    entry = merged(entry, entry_of(values))
    for key, what in (("url", "URL"), ("token", "Runner token"), ("executor", "Executor")):
        if not entry.get(key):
            app.logger.fatal(f"Missing {what}")
    return entry


class Limits:
    """Counts jobs and the time without one."""

    def __init__(self, values: Values) -> None:
        self._wait, self._builds = values.get("wait-timeout"), values.get("max-builds")
        self._done = 0
        self._since = time.monotonic()

    def job_done(self) -> None:
        self._done += 1
        self._since = time.monotonic()

    def reached(self, busy: bool) -> str:
        """Return why to stop, empty when there is no reason."""
        if self._builds and self._done >= self._builds:
            return "This runner has processed its build limit, so now exiting"
        if self._wait and not busy and time.monotonic() - self._since >= self._wait:
            return f"This runner has not received a job in {self._wait} seconds, so now exiting"
        return ""


def run(app: App, values: Values) -> int:
    entry = _entry(app, values)
    manager = Manager(app, Options(app.path(values)))
    manager.config = empty(app.path(values))
    manager.config.data.update(runners=[entry], shutdown_timeout=values.get("shutdown-timeout"))
    manager.system_id = system_id(app.path(values), app.logger)
    manager.workers.resize(1, manager.stopping)
    limits = Limits(values)
    runner = JobRunner(manager)

    def one_job(one: Entry, job: dict[str, t.Any]) -> None:
        runner.run(one, job)
        limits.job_done()
        if limits.reached(busy=True):
            manager.stopping.set()

    rotation = Rotation(manager)
    supervisor = Supervisor(manager, Reloader(manager, rotation.restart), rotation)
    supervisor.take_over_signals()
    return supervisor.poll_until(Poller(manager, one_job), limits.reached)
