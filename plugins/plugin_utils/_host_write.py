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
{whole}
sync "$t"
mv -f -- "$t" {path}
sync "$d"
"""


def whole(quoted: str, text: str) -> str:
    """Succeeds only when all of the text arrived in the file: a controller that dies while it sends ends the input."""
    return f'test "$(wc -c < {quoted})" -eq {len(text.encode())}'


def command(path: str, text: str) -> str:
    """Write the text, which comes on standard input, to path: complete on disk before it is there, mode 0600."""
    return _WRITE.format(path=shlex.quote(path), whole=whole('"$t"', text))


def removal(path: str) -> str:
    """Remove path."""
    return f"rm -f -- {shlex.quote(path)}"
