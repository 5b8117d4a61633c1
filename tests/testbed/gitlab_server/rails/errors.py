# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Rake task ends badly."""

from __future__ import annotations


class Abort(Exception):
    """`rake aborted!` with an exception's class and message on stderr, exit status 1."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Exit(Exception):
    """The task said why and ends with this status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def not_connected(message: str) -> Abort:
    """Return Rails' error for a database that does not answer."""
    kind = (
        "ActiveRecord::NoDatabaseError" if "FATAL:  database" in message else "ActiveRecord::ConnectionNotEstablished"
    )
    return Abort(kind, message)
