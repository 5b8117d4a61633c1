# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database's side of a reconfigure: a cluster on disk, and migrations once a revision."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
import typing as t

from ..places import Places
from ..releases import Release
from .config import Config, ConfigError
from .files import folder, write
from .supervision import is_up

PASSWORD_DAYS = 1
PASSWORD = """\
# WARNING: This value is valid only in the following conditions
#          1. If provided manually (either via `GITLAB_ROOT_PASSWORD` environment variable or via \
`gitlab_rails['initial_root_password']` setting in `gitlab.rb`, it was provided before database was seeded for the \
first time (usually, the first reconfigure run).
#          2. Password hasn't been changed manually, either via UI or via command line.
#
#          If the password shown here doesn't work, you must reset the admin password.

Password: {password}

# NOTE: This file will be automatically deleted in the first reconfigure run after 24 hours.
"""


def make_cluster(places: Places, release: Release) -> None:
    """Make an empty data folder when there is none. git, who opens the files itself here, may write in it."""
    data = places.postgresql / "data"
    if (data / "PG_VERSION").exists():
        return
    folder(data, 0o2770, "gitlab-psql", "git")
    write(data / "PG_VERSION", f"{release.minor.pg_default}\n", mode=0o640, owner="gitlab-psql", group="git")


def make_database(places: Places) -> None:
    """Create GitLab's database without tables when it is not there, whatever was migrated before."""
    path = places.postgresql / "data/gitlabhq_production.sqlite"
    if not path.exists():
        write(path, "", mode=0o660, owner="gitlab-psql", group="git")


def _status_file(places: Places) -> t.Any:
    revision = (places.rails / "REVISION").read_text(encoding="utf-8").strip()
    return places.var / "gitlab-rails/upgrade-status" / f"db-migrate-gitlabhq_production-{revision}"


def migrate(places: Places, config: Config) -> bool:
    """Run the migrations unless they went well at this revision; returns whether they ran."""
    if not is_up(places, "postgresql"):
        return False
    make_database(places)
    status = _status_file(places)
    if status.exists() and status.read_text(encoding="utf-8").strip() == "0":
        return False
    env = dict(os.environ)
    fresh = not places.bootstrapped.exists()
    if fresh:
        given = config.get("gitlab_rails", "initial_root_password") or os.environ.get("GITLAB_ROOT_PASSWORD")
        env["GITLAB_ROOT_PASSWORD"] = str(given or secrets.token_urlsafe(33))
    print("  * bash[migrate gitlab-rails database] action run", flush=True)
    words = [str(places.opt / "bin/gitlab-rake"), "gitlab:db:configure"]
    done = subprocess.run(words, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    sys.stdout.write(done.stdout)
    sys.stdout.flush()
    write(status, f"{done.returncode}\n")
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-12:])
        raise ConfigError(
            "rails_migration[gitlab-rails] (gitlab::database_migrations line 51) had an error: "
            "Mixlib::ShellOut::ShellCommandFailed: bash[migrate gitlab-rails database] "
            f"had an error: Expected process to exit with [0], but received '{done.returncode}'\n{last}"
        )
    if fresh:
        text = PASSWORD.format(password=env["GITLAB_ROOT_PASSWORD"])
        write(places.etc / "initial_root_password", text, mode=0o600)
    return True


def tidy_password(places: Places) -> None:
    """Remove the first root password when it is older than a day."""
    file = places.etc / "initial_root_password"
    if file.exists() and time.time() - file.stat().st_mtime > PASSWORD_DAYS * 86400:
        file.unlink()
