# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""gitlab:env:info (server facts 3.1)."""

from __future__ import annotations

import typing as t

from ..context import Context
from ..database import server_version

_SYSTEM = """
System information
System:\t\t
Current User:\tgit
Using RVM:\tno
Ruby Version:\t3.2.8
Gem Version:\t3.6.9
Bundler Version:2.6.5
Rake Version:\t13.0.6
Redis Version:\t7.2.10
Sidekiq Version:7.3.9
Go Version:\tunknown
"""
_GITLAB = """
GitLab information
Version:\t{version}
Revision:\t{revision}
Directory:\t/opt/gitlab/embedded/service/gitlab-rails
DB Adapter:\tPostgreSQL
DB Version:\t{db_version}
URL:\t\t{url}
HTTP Clone URL:\t{url}/some-group/some-project.git
SSH Clone URL:\tgit@{host}:some-group/some-project.git
"""
_SHELL = """
GitLab Shell
Version:\t14.45.3
Repository storages:
"""


def _features(ctx: Context) -> t.Iterator[str]:
    for name, title in (("ldap", "LDAP"), ("omniauth", "Omniauth")):
        section = ctx.config.section(name)
        yield f"Using {title}:\t{'yes' if section.get('enabled') else 'no'}"
        if name == "omniauth" and section.get("enabled"):
            yield f"Omniauth Providers: {', '.join(section.get('providers') or [])}"


def env_info(ctx: Context, _arguments: tuple[str, ...]) -> None:
    """Print what the instance is made of."""
    ctx.database()
    url = ctx.config.url
    facts = {"version": ctx.config.version, "revision": ctx.config.revision, "url": url}
    facts.update(host=url.partition("//")[2], db_version=server_version(ctx.places))
    storages = ctx.config.section("repositories").get("storages") or {"default": {}}
    default = "unix:/var/opt/gitlab/gitaly/gitaly.socket"
    addresses = {name: (storage or {}).get("gitaly_address", default) for name, storage in storages.items()}
    ctx.say(_SYSTEM.rstrip("\n"))
    ctx.say(_GITLAB.format(**facts).rstrip("\n"))
    for line in _features(ctx):
        ctx.say(line)
    ctx.say(_SHELL.rstrip("\n"))
    for name, address in addresses.items():
        ctx.say(f"- {name}: \t{address}")
    ctx.say("GitLab Shell path:\t\t/opt/gitlab/embedded/service/gitlab-shell")
    ctx.say("\nGitaly")
    for name, address in addresses.items():
        ctx.say(f"- {name} Address: \t{address}")
        ctx.say(f"- {name} Version: \t{facts['version']}")
        ctx.say(f"- {name} Git Version: \t2.50.1.gl1")
