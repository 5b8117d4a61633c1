# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab:shell:setup and cache:clear."""

from __future__ import annotations

import typing as t

from ..context import Context

_LINE = (
    'command="/opt/gitlab/embedded/service/gitlab-shell/bin/gitlab-shell key-{number}",'
    "no-port-forwarding,no-X11-forwarding,no-agent-forwarding,no-pty {key}\n"
)


def rebuild(ctx: Context, ask: t.Callable[[], None]) -> None:
    """Write authorized_keys anew from the table of keys, where that file is used; asked before."""
    db = ctx.database()
    if not db.value("SELECT authorized_keys_enabled FROM application_settings"):
        return
    ctx.say("This task will now rebuild the authorized_keys file.")
    ctx.say("You will lose any data stored in the authorized_keys file.")
    ask()
    path = ctx.places.authorized_keys
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    rows = db.all("SELECT id, key FROM keys ORDER BY id")
    path.write_text("".join(_LINE.format(number=number, key=key) for number, key in rows), encoding="utf-8")
    path.chmod(0o600)


def setup(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:shell:setup."""
    from ..backup import options, progress

    rebuild(ctx, lambda: progress.Progress(ctx).ask(options.read(ctx)))


def clear_cache(_ctx: Context, _arguments: tuple[str, ...]) -> None:
    """cache:clear: Redis keeps nothing here that outlives a request."""
