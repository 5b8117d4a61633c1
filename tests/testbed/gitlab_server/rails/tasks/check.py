# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab:check and its parts: they print, and end with 0 whatever they find (server facts 3.2)."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ..context import Context
from ..migrations import known_to, number_of

Answer = t.Callable[[Context], bool]


def _migrated(ctx: Context) -> bool:
    applied = {version for (version,) in ctx.database().all("SELECT version FROM schema_migrations")}
    return applied >= {one.version for one in known_to(number_of(ctx.config.version))}


def _stored(ctx: Context) -> bool:
    disks = ctx.database().all("SELECT disk_path FROM project_repositories")
    return all((ctx.config.repositories / f"{disk}.git").is_dir() for (disk,) in disks)


def _fine(_ctx: Context) -> bool:
    return True


# component: its questions, each with the answer that is good, who tells it, and what mends it
QUESTIONS: t.Mapping[str, t.Sequence[tuple[str, str, Answer, str]]] = {
    "GitLab Shell": (("GitLab Shell", "... Internal API available: OK", _fine, "sudo gitlab-ctl restart"),),
    "Gitaly": (
        ("Gitaly", "... default ... OK", lambda ctx: ctx.config.repositories.is_dir(), "sudo gitlab-ctl tail gitaly"),
    ),
    "Sidekiq": (("Running?", "... yes", _fine, "sudo gitlab-ctl start sidekiq"),),
    "GitLab App": (
        ("Database config exists?", "... yes", _fine, "Copy config/database.yml.postgresql to config/database.yml"),
        ("All migrations up?", "... yes", _migrated, "sudo gitlab-rake db:migrate"),
        ("GitLab config exists?", "... yes", _fine, "Copy config/gitlab.yml.example to config/gitlab.yml"),
        (
            "Uploads directory exists?",
            "... yes",
            lambda ctx: ctx.places.uploads.is_dir(),
            "sudo gitlab-ctl reconfigure",
        ),
        ("Repositories exist?", "... yes", _stored, "Restore the repositories from a backup"),
        ("Redis version >= 6.2.14?", "... yes", _fine, "Update your redis server"),
        ("Git user has default SSH configuration?", "... yes", _fine, "Move the files out of the way"),
    ),
}


def _component(ctx: Context, name: str) -> None:
    ctx.say(f"Checking {name} ...\n")
    questions = QUESTIONS[name]
    told_to_fail = ctx.faults.get("check-fails") == name
    for place, (question, good, answer, remedy) in enumerate(questions):
        if answer(ctx) and not (told_to_fail and place == len(questions) - 1):
            ctx.say(f"{question} {good}")
            continue
        ctx.say(f"{question} ... no")
        ctx.say(
            f"  Try fixing it:\n  {remedy}\n  For more information see:\n  doc/administration/raketasks/maintenance.md"
        )
        ctx.say("  Please fix the error above and rerun the checks.")
    ctx.say(f"\nChecking {name} ... Finished\n")


def shell(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:gitlab_shell:check."""
    _component(ctx, "GitLab Shell")


def gitaly(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:gitaly:check."""
    _component(ctx, "Gitaly")


def sidekiq(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:sidekiq:check."""
    _component(ctx, "Sidekiq")


def app(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:app:check."""
    _component(ctx, "GitLab App")


def everything(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:check."""
    ctx.say("Checking GitLab subtasks ...\n")
    for name in QUESTIONS:
        _component(ctx, name)
    ctx.say("\nChecking GitLab subtasks ... Finished")


def _objects(ctx: Context, title: str, root: Path, names: t.Sequence[str]) -> None:
    """Look for the files that the database names, as the integrity checks do."""
    ctx.say(f"Checking integrity of {title}")
    missing = [name for name in names if not (root / name).exists()]
    ctx.say(f"- 1..{len(names)}: Failures: {len(missing)}")
    for name in missing:
        ctx.say(f"  - {name}: Remote object does not exist")
    ctx.say("Done!")


def artifacts(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:artifacts:check."""
    ctx.database()
    _objects(ctx, "Job artifacts", ctx.places.shared / "artifacts", [])


def lfs(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:lfs:check."""
    names = [file for (file,) in ctx.database().all("SELECT file FROM lfs_objects")]
    _objects(ctx, "LFS objects", ctx.places.shared / "lfs-objects", names)


def uploads(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """gitlab:uploads:check."""
    names = [path for (path,) in ctx.database().all("SELECT path FROM uploads")]
    _objects(ctx, "Uploads", ctx.places.uploads, names)
