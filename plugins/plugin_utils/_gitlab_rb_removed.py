# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that GitLab has dropped from gitlab.rb, by version: what a reconfigure would stop at.

`gitlab-ctl check-config` judges what the last reconfigure left and not the file (server facts 4.3), and there is none
before the first install; so the file is checked by this table.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

Version = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Removed:
    """A setting, or all keys of one; since is the first major.minor without it, remedy what takes its place."""

    keys: tuple[str, ...]
    since: Version
    remedy: str

    @property
    def name(self) -> str:
        """How gitlab.rb spells it."""
        return self.keys[0] + "".join(f"['{key}']" for key in self.keys[1:])


_GITALY = "put it into gitaly['configuration'], as Gitaly's own configuration names it"
_LEAVE_OUT = "leave it out"
# Sources: omnibus-gitlab, package/libraries/deprecations.rb and the release notes of each version; server facts 5.3.
TABLE = (
    Removed(("unicorn",), (14, 0), "use puma"),
    Removed(("repmgr",), (14, 0), "use patroni"),
    Removed(("gitlab_shell", "custom_hooks_dir"), (15, 0), _GITALY),
    Removed(("actioncable", "enable"), (15, 0), _LEAVE_OUT),
    Removed(("gitlab_rails", "gitlab_default_can_create_group"), (16, 0), "set it in the Admin area"),
    Removed(("gitaly", "listen_addr"), (16, 0), _GITALY),
    Removed(("gitaly", "tls_listen_addr"), (16, 0), _GITALY),
    Removed(("gitaly", "auth_token"), (16, 0), _GITALY),
    Removed(("gitaly", "storage"), (16, 0), _GITALY),
    Removed(("gitaly", "custom_hooks_dir"), (16, 0), _GITALY),
    Removed(("gitaly", "internal_socket_dir"), (16, 0), _GITALY),
    Removed(("omnibus_gitconfig",), (17, 0), "use gitaly['configuration']['git']['config']"),
    Removed(("sidekiq", "min_concurrency"), (17, 0), "use sidekiq['concurrency']"),
    Removed(("sidekiq", "max_concurrency"), (17, 0), "use sidekiq['concurrency']"),
    Removed(("sidekiq", "queue_selector"), (17, 0), "use sidekiq['routing_rules']"),
    Removed(("git_data_dirs",), (18, 0), "use gitaly['configuration'] with a storage"),
    Removed(("gitlab_shell", "migration"), (18, 0), _LEAVE_OUT),
    Removed(("registry", "default_notifications_threshold"), (19, 0), "use default_notifications_maxretries"),
    Removed(("mattermost",), (19, 0), "run Mattermost from its own package"),
    Removed(("spamcheck",), (19, 0), _LEAVE_OUT),
    Removed(("mattermost_external_url",), (20, 0), _LEAVE_OUT),
    Removed(("gitlab_exporter", "server_name"), (20, 0), _LEAVE_OUT),
)
# The newest major.minor of which the table is known to be whole; a version that is not named may be at most this.
KNOWN: Version = (19, 3)


def found(text: str, version: Version) -> list[Removed]:
    """The entries that a gitlab.rb sets and that this version no longer has; comments do not count."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    gone = [entry for entry in TABLE if entry.since <= tuple(version[:2])]
    return [entry for entry in gone if any(_pattern(entry.keys).match(line) for line in lines)]


def _pattern(keys: t.Sequence[str]) -> re.Pattern[str]:
    name, *inner = keys
    if not inner:  # a method, or any key of it
        return re.compile(rf"\s*{name}\s*(?:\[|\(|['\"{{])")
    return re.compile(rf"\s*{name}" + "".join(rf"\s*\[\s*[:'\"]{key}['\"]?\s*\]" for key in inner))


def message(entries: t.Sequence[Removed]) -> str:
    """One sentence for each."""
    return " ".join(
        f"{entry.name} was removed in GitLab {'.'.join(map(str, entry.since))}, and a reconfigure would stop at it: "
        f"{entry.remedy}."
        for entry in entries
    )
