# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve moto with its additions: `python -m testbed.aws --bind ADDRESS --port PORT`."""

from __future__ import annotations

import argparse

from testbed.aws.server import serve

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="testbed.aws", description=__doc__)
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    serve(given.bind, given.port)
