# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`status`: one line, on stdout when the service runs and on stderr when not (observed facts 8)."""

from __future__ import annotations

import sys
import typing as t

from .. import service
from ..app import App
from ..flags import Flag, Values
from .service_verbs import NAME_FLAG


def flags(_app: App) -> t.Sequence[Flag]:
    return (NAME_FLAG,)


def run(app: App, values: Values) -> int:
    name = values.text("service")
    message, runs = service.status(name)
    (sys.stdout if runs else sys.stderr).write(f"{name}: {message}\n")
    return 0 if runs else 1
