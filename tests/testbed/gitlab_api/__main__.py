# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the twin alone: `python -m testbed.gitlab_api --bind 127.0.0.1 --port 8080 --db FILE`."""

from __future__ import annotations

import argparse
import signal
import threading

from .server import DEFAULT_VERSION, TwinServer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m testbed.gitlab_api", description="A stand-in for GitLab's API.")
    parser.add_argument("--bind", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8080, help="port to listen on; 0 = any free one")
    parser.add_argument("--db", default=":memory:", help="SQLite file; created and seeded when missing")
    parser.add_argument("--version", default=DEFAULT_VERSION, help="the GitLab version to be")
    parser.add_argument("--admin-token", default="", help="an access token of root with every right")
    parser.add_argument("--external-url", default="", help="URL in links; the listening URL when not given")
    return parser.parse_args()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    options = arguments()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with TwinServer(
        options.version,
        bind=options.bind,
        port=options.port,
        db=options.db,
        admin_token=options.admin_token,
        external_url=options.external_url,
    ) as twin:
        print(f"GitLab API twin {options.version} on {twin.url}", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
