# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`rails runner`: the few expressions that docs and this collection use (server facts 5.5)."""

from __future__ import annotations

import json
import re
import sys
import typing as t
from pathlib import Path

from . import background, context, encryption
from .database import Database
from .errors import Abort
from .places import Places

_MIGRATIONS = "batched_background_migrations"
_MIGRATION = r"Gitlab::Database::BackgroundMigration::BatchedMigration"


def _count(db: Database, statuses: t.Iterable[int]) -> str:
    marks = ", ".join(str(status) for status in statuses)
    return str(db.value(f"SELECT count(*) FROM {_MIGRATIONS} WHERE status IN ({marks})"))


def _with_status(ctx: context.Context, found: t.Match[str]) -> str:
    numbers = {name: number for number, name in background.STATUS.items()}
    return _count(ctx.database(), [numbers[found.group(1)]])


def _queued(ctx: context.Context, _found: t.Match[str]) -> str:
    return _count(ctx.database(), (background.ACTIVE, background.PAUSED))


def _running_at_once(ctx: context.Context, found: t.Match[str]) -> str:
    sql = "UPDATE application_settings SET database_max_running_batched_background_migrations = ?"
    return str(ctx.database().raw.execute(sql, (int(found.group(1)),)).rowcount)


def _retry(ctx: context.Context, found: t.Match[str]) -> str:
    background.retry_failed(ctx.database(), int(found.group(1)))
    return ""


def _execute(ctx: context.Context, found: t.Match[str]) -> str:
    background.execute(ctx.database(), int(found.group(1)))
    return ""


def _model_count(ctx: context.Context, found: t.Match[str]) -> str:
    tables = {"User": "users", "Project": "projects", "Issue": "issues", "Ci::Runner": "ci_runners"}
    return str(ctx.database().value(f"SELECT count(*) FROM {tables[found.group(1)]}"))


def _runner_token(ctx: context.Context, _found: t.Match[str]) -> str:
    stored = ctx.database().value("SELECT runners_registration_token_encrypted FROM application_settings")
    text = encryption.decrypt(ctx.config.db_key_base, stored)
    if text is None:
        raise Abort("OpenSSL::Cipher::CipherError", "")
    return text


# expression (after an optional puts): what it gives
EXPRESSIONS: t.Sequence[tuple[str, t.Callable[[context.Context, t.Match[str]], str]]] = (
    (rf"{_MIGRATION}\.queued\.count", _queued),
    (rf"{_MIGRATION}\.with_status\(:(\w+)\)\.count", _with_status),
    (rf"{_MIGRATION}\.find\((\d+)\)\.retry_failed_jobs!", _retry),
    (rf"{_MIGRATION}\.find\((\d+)\)\.execute!", _execute),
    (r"Gitlab::BackgroundMigration\.remaining", lambda _ctx, _found: "0"),
    (r"ApplicationSetting\.update_all\(database_max_running_batched_background_migrations: (\d+)\)", _running_at_once),
    (r"Gitlab::CurrentSettings\.current_application_settings\.runners_registration_token", _runner_token),
    (r"Gitlab::VERSION", lambda ctx, _found: ctx.config.version),
    (r"(User|Project|Issue|Ci::Runner)\.count", _model_count),
    (r"(\d+)", lambda _ctx, found: found.group(1)),
    (r'"([^"#]*)"', lambda _ctx, found: found.group(1)),
)


def evaluate(ctx: context.Context, code: str) -> str:
    """Return what the code prints. Raises Abort for code that is in no table."""
    printed = []
    for line in filter(None, (part.strip() for part in re.split(r"[;\n]", code))):
        puts = re.fullmatch(r"(?:puts|print)[ (](.*?)\)?", line) if line.startswith(("puts", "print")) else None
        inner = puts.group(1) if puts else line
        inner += ")" if inner.count("(") > inner.count(")") else ""
        for pattern, act in EXPRESSIONS:
            found = re.fullmatch(pattern, inner)
            if found:
                value = act(ctx, found)
                printed += [value] if puts else []
                break
        else:
            raise Abort("NotImplementedError", f"the twin does not know what {json.dumps(line)} does")
    return "".join(f"{text}\n" for text in printed)


def main(words: t.Sequence[str], at: t.Optional[Places] = None, env: t.Optional[t.Mapping[str, str]] = None) -> int:
    """`rails runner [-e production] CODE|FILE|-`; other commands of rails are unknown here."""
    rest = list(words)
    if not rest or rest.pop(0) not in ("runner", "r"):
        sys.stderr.write(
            f"Unrecognized command {json.dumps(words[0] if words else '')} (Rails::Command::UnrecognizedCommandError)\n"
        )
        return 1
    while rest and rest[0].startswith("-") and rest[0] != "-":
        del rest[: 2 if rest[0] in ("-e", "--environment") else 1]
    code = sys.stdin.read() if rest[:1] == ["-"] else (rest[0] if rest else "")
    if Path(code).is_file():
        code = Path(code).read_text(encoding="utf-8")
    ctx = context.new(env, at)
    try:
        broken = ctx.faults.get("rails-boot")
        if broken is not None:
            raise Abort("RuntimeError", broken or "Rails does not start")
        sys.stdout.write(evaluate(ctx, code))
    except Abort as exc:
        sys.stderr.write(f"{exc} ({exc.kind})\n")
        return 1
    return 0
