# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A process that rewrites a config.toml as gitlab-runner does: whole, in place, without a lock (runner facts 0.1).

Called with the file, its way and its pause in seconds. `rereads` reads before each write; `memory` writes what it once
read and loads anew on SIGHUP; `deaf` does not. Each write counts up the `output_limit` of its own entry; the last
number is printed when its standard input ends.
"""

from __future__ import annotations

import pathlib
import re
import select
import signal
import sys
import time

COUNTER = re.compile(r"(?m)^  output_limit = (\d+)$")


class Writer:
    """The file, what is remembered of it, and the count."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.count = 0
        self.memory = ""
        self.asked = False

    def load(self) -> None:
        self.memory = self.path.read_text()

    def save(self) -> None:
        if not COUNTER.search(self.memory):  # caught another writer in the middle
            return
        self.count += 1
        self.memory = COUNTER.sub(f"  output_limit = {self.count}", self.memory)
        self.path.write_text(self.memory)

    def hang_up(self, *_signal: object) -> None:
        self.asked = True


def main(path: str, way: str, pause: str) -> None:
    writer = Writer(pathlib.Path(path))
    signal.signal(signal.SIGHUP, signal.SIG_IGN if way == "deaf" else writer.hang_up)
    writer.load()
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        if way == "rereads" or writer.asked:
            writer.asked = False
            writer.load()
        writer.save()
        time.sleep(float(pause))
    print(writer.count)


if __name__ == "__main__":
    main(*sys.argv[1:])
