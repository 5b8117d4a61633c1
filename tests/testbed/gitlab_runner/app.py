# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every command gets: the build, the logger, and the ways to load and save the configuration."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass
from pathlib import Path

from . import config as configs
from .build import Build
from .config import Config
from .flags import Flag, Values, flag
from .logs import LEVEL_WORDS, LEVELS, Logger
from .traits import Traits

if t.TYPE_CHECKING:
    from .network import Network

CONFIG_FLAG = flag("config c", env="CONFIG_FILE", usage="Config file")


@dataclass
class App:
    """One run of the program."""

    build: Build
    traits: Traits
    logger: Logger
    level_given: bool = False
    format_given: bool = False

    def network(self) -> Network:
        from .network import Network

        return Network(self.build, self.traits, self.logger)

    def announce(self) -> None:
        self.logger.info(
            "Runtime platform",
            {
                "arch": self.build.architecture,
                "os": "linux",
                "pid": os.getpid(),
                "revision": self.build.revision,
                "version": self.build.version,
            },
        )

    def announce_mode(self) -> None:
        """Say whether this is root's own runner (observed facts 1)."""
        if os.getuid() == 0:
            self.logger.info("Running in system-mode.")
            self.logger.info("")
            return
        for line in (
            "Running in user-mode.",
            "The user-mode requires you to manually start builds processing: ",
            "$ gitlab-runner run",
            "Use sudo for system-mode:",
            "$ sudo gitlab-runner...",
            "",
        ):
            self.logger.warning(line)

    @staticmethod
    def path(values: Values) -> Path:
        given = values.text("config")
        return Path(given).absolute() if given else configs.default_path()

    def load(self, path: Path) -> tuple[Config, str]:
        """Load the file and make the system id when it is missing; raises ConfigError."""
        config = configs.load(path, self.traits)
        self.use_log_settings(config)
        configs.warn_schema(config, self.logger)
        return config, configs.system_id(path, self.logger)

    def use_log_settings(self, config: Config) -> None:
        """Take log level and format from the file unless the command line has them."""
        named = config.data.get("log_level", "")
        level = LEVEL_WORDS.get(named, named)
        if level in LEVELS and not self.level_given:
            self.logger.level = level
        log_format = config.data.get("log_format")
        if log_format in ("runner", "text", "json") and not self.format_given:
            self.logger.format = log_format

    def save(self, config: Config) -> None:
        configs.save(config, self.traits)


class Command(t.Protocol):
    """A module of commands/."""

    def flags(self, app: App) -> t.Sequence[Flag]: ...

    def run(self, app: App, values: Values) -> int: ...
