# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`start`, `stop`, `restart`, `uninstall`: silent when they succeed."""

from __future__ import annotations

import typing as t

from .. import service
from ..app import App
from ..flags import Flag, Values, flag

NAME_FLAG = flag("service n", default="gitlab-runner", usage="Specify service name to use")


def flags(_app: App) -> t.Sequence[Flag]:
    return (NAME_FLAG,)


def run(app: App, values: Values) -> int:
    verb, name = values.text("command"), values.text("service")
    try:
        service.control(verb, name)
    except service.ServiceError as exc:
        app.logger.fatal(f"Failed to {verb} {name}: {exc}")
    return 0
