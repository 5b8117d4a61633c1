# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS for tests: moto's server, and what it lacks of the services that the collection uses.

`AwsServer` serves it from a thread of the test's own process, `python -m testbed.aws` on an address and a port.
"""

from __future__ import annotations

from testbed.aws.server import AwsServer

__all__ = ["AwsServer"]
