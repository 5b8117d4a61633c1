# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab-ctl upgrade: what the package runs when all is in place (observed 3)."""

from __future__ import annotations

import os
import typing as t

from ..chef.config import DEFAULT_URL
from . import services
from .config import reconfigure
from .node import Node, progress, say
from .pg_upgrade import AUTOMATIC, pg_upgrade

NEEDED = ("postgresql", "patroni", "consul", "redis", "geo-postgresql", "gitaly", "praefect")
TRIES = 30
RULE = "==="
NOT_CONFIGURED = "It looks like GitLab has not been configured yet; skipping the upgrade script."
NO_ATTRIBUTES = "It looks like there was a problem with public attributes; run gitlab-ctl reconfigure manually to fix."
FAILED = f"""\
{RULE}
There was an error running gitlab-ctl reconfigure. Please check the output above for more
details.
{RULE}"""
NO_PG_UPGRADE = f"""\
{RULE}
Skipping the check for newer PostgreSQL version and automatic upgrade.
Please see https://docs.gitlab.com/omnibus/settings/database.html#upgrade-packaged-postgresql-server
for details on how to manually upgrade PostgreSQL server
{RULE}"""
COMPLETE = """\
Upgrade complete! If your GitLab server is misbehaving try running
  sudo gitlab-ctl restart
before anything else."""
WITH_BACKUP = """\
If you need to roll back to the previous version you can use the database
backup made during the upgrade (scroll up for the filename)."""
WITHOUT_BACKUP = """\
The automatic database backup was skipped as requested.
You may enable it again at any time by removing the file:
  /etc/gitlab/skip-auto-backup"""
NO_HOST = """\
GitLab was unable to detect a valid hostname for your instance.
Please configure a URL for your GitLab instance by setting `external_url`
configuration in /etc/gitlab/gitlab.rb file.
Then, you can start your GitLab instance by running the following command:
  sudo gitlab-ctl reconfigure"""
LINKS = """\

For a comprehensive list of configuration options please see the Omnibus GitLab readme
https://gitlab.com/gitlab-org/omnibus-gitlab/blob/master/README.md

Help us improve the installation experience, let us know how we did with a 1 minute survey:
https://gitlab.fra1.qualtrics.com/jfe/form/SV_6kVqZANThUQ1bZb?installation=omnibus
"""
_WIDTH = 19
DRAWING = "\n".join("  " + "*" * (2 * row + 1 if row < 10 else 2 * (_WIDTH - row) - 1) for row in range(_WIDTH))


def _url() -> t.Optional[str]:
    """Return the URL that the package handed over, if it is a real one."""
    url = os.environ.get("EXTERNAL_URL")
    return url if url and url != DEFAULT_URL else None


def _welcome(*, skipped: bool = False) -> int:
    if skipped:
        say(NOT_CONFIGURED)
    say(f"\n{DRAWING}\n\nThank you for installing GitLab!")
    url = _url()
    say(f"GitLab should be available at {url}" if url else NO_HOST)
    say(LINKS)
    return 0


def _complete(node: Node) -> int:
    say(COMPLETE)
    say(WITHOUT_BACKUP if (node.places.etc / "skip-auto-backup").exists() else WITH_BACKUP)
    return 0


def _statuses(node: Node) -> dict[str, str]:
    return {name: services.one(node, "status", name)[0] for name in services.enabled(node)}


def _configured(statuses: t.Mapping[str, str]) -> bool:
    return bool(statuses) and not any(": runsv not running" in line for line in statuses.values())


def _shown(node: Node, command: str, name: str) -> int:
    return services.runit(node, command, [name])


def _comes_up(node: Node, name: str) -> bool:
    for _try in range(TRIES):
        if _shown(node, "status", name) == 0:
            return True
        node.pause(1)
    return False


def _needed_run(node: Node, names: t.Sequence[str]) -> bool:
    """Start what migrations need; redis is given a second try without its dump."""
    services.each(node, "start", names)
    for name in names:
        if _comes_up(node, name):
            continue
        dump = node.places.var / "redis/dump.rdb"
        if name == "redis" and dump.exists():
            say(f"Failed starting Redis; retrying after removing {dump}")
            dump.unlink()
            _shown(node, "start", name)
            if _comes_up(node, name):
                continue
        say(f"Failed to start {name} for migrations")
        return False
    return True


def _postgresql(node: Node) -> bool:
    """Upgrade PostgreSQL where this release does so by itself."""
    if not node.release.minor.pg_auto:
        return True
    if (node.places.etc / "disable-postgresql-upgrade").exists():
        say(NO_PG_UPGRADE)
        return True
    if progress("Ensuring PostgreSQL is updated", lambda: pg_upgrade(node, AUTOMATIC) == 0):
        return True
    say("Error ensuring PostgreSQL is updated. Please check the logs")
    return False


def _migrate(node: Node, statuses: t.Mapping[str, str]) -> int:
    say("Shutting down all GitLab services except those needed for migrations")
    services.each(node, "stop", [name for name in statuses if name not in NEEDED])
    say("Ensuring the required services are running")
    if not _needed_run(node, [name for name in statuses if name in NEEDED]):
        return 1
    say("Reconfigure GitLab to apply migrations")
    if reconfigure(node, []):
        say(FAILED)
        return 1
    say("Restarting previously running GitLab services")
    services.each(node, "start", [name for name, line in statuses.items() if line.startswith("run:")])
    return 0


def upgrade(node: Node, _arguments: t.Sequence[str]) -> int:
    """Do what is due after a package has been put in place."""
    if not node.places.bootstrapped.exists() and _url():
        code = reconfigure(node, [])
        return code or _welcome()
    statuses = _statuses(node)
    if not _configured(statuses):
        return _welcome(skipped=True)
    if not node.places.public_attributes.exists():
        say(NO_ATTRIBUTES)
        return 1
    if not progress("Checking PostgreSQL executables", lambda: node.chef("postgresql-bin.json").returncode == 0):
        say("Could not update PostgreSQL executables.")
    skip = node.places.etc / "skip-auto-reconfigure"
    if skip.exists():
        say(f"Found {skip}, exiting...")
        return _complete(node)
    if not _postgresql(node):
        return 1
    return _migrate(node, statuses) or _complete(node)
