# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small writes on a runner host by a shell command, for files of ours that only this collection writes."""

from __future__ import annotations

import shlex

_WRITE = """\
set -e
umask 077
d=$(dirname -- {path})
mkdir -p -- "$d"
t=$(mktemp "$d/.fleetwright.XXXXXX")
trap 'rm -f -- "$t"' EXIT
cat > "$t"
sync "$t"
mv -f -- "$t" {path}
sync "$d"
"""


def command(path: str) -> str:
    """Write standard input to path, complete on disk before it is there, mode 0600."""
    return _WRITE.format(path=shlex.quote(path))


def removal(path: str) -> str:
    """Remove path."""
    return f"rm -f -- {shlex.quote(path)}"
