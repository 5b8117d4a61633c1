# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that the wrappers run: each is a function that ends the process."""

from __future__ import annotations

import importlib
import os
import sys
import typing as t


def _end(status: int) -> t.NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _program(module: str) -> t.NoReturn:
    main = importlib.import_module(module, __package__).main
    try:
        _end(main(sys.argv[1:]))
    except BrokenPipeError:
        os._exit(1)
    except KeyboardInterrupt:
        os._exit(130)


def rake() -> t.NoReturn:
    """`/opt/gitlab/embedded/bin/rake`."""
    _program(".rake")


def rails() -> t.NoReturn:
    """`/opt/gitlab/embedded/bin/rails`."""
    _program(".runner")


def psql() -> t.NoReturn:
    """`/opt/gitlab/embedded/bin/psql`."""
    _program(".psql.program")
