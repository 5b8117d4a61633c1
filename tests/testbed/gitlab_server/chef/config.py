# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From gitlab.rb to what a node shall be."""

from __future__ import annotations

import dataclasses
import typing as t
import urllib.parse

from ..places import Places
from ..ruby.lexer import RubySyntaxError
from ..ruby.settings import Unsupported, evaluate
from .removed import removed

DEFAULT_URL = "http://gitlab.example.com"
Attributes = dict[str, t.Any]

# The words that gitlab.rb may begin a line with (omnibus: Gitlab's configuration attributes, functions and roles).
_WORDS = """
external_url registry_external_url pages_external_url mattermost_external_url gitlab_kas_external_url roles
git_data_dirs gitlab_rails gitlab_workhorse gitlab_shell gitlab_sshd logging redis postgresql puma sidekiq nginx
registry registry_nginx gitlab_pages pages_nginx gitlab_kas gitlab_kas_nginx mattermost mattermost_nginx
prometheus alertmanager node_exporter redis_exporter postgres_exporter gitlab_exporter pgbouncer pgbouncer_exporter
patroni consul gitaly praefect letsencrypt acme logrotate user web_server high_availability manage_accounts
manage_storage_directories runtime_dir package omnibus_gitconfig sentinel prometheus_monitoring bootstrap crond
spamcheck gitlab_ci storage_check suggested_reviewers application_settings zoekt
"""
KNOWN = frozenset(_WORDS.split())

MONITORING = ("alertmanager", "gitlab-exporter", "postgres-exporter", "prometheus", "redis-exporter")
ALWAYS = ("gitaly", "gitlab-kas", "gitlab-workhorse", "logrotate", "nginx", "postgresql", "puma", "redis", "sidekiq")


class ConfigError(Exception):
    """A gitlab.rb that a reconfigure stops at."""


@dataclasses.dataclass(frozen=True)
class Config:
    """The settings of a gitlab.rb: everything that was set, by its name there."""

    attributes: Attributes

    def get(self, *keys: str) -> t.Any:
        """Return a setting, None when it is not set."""
        found: t.Any = self.attributes
        for key in keys:
            if not isinstance(found, dict):
                return None
            found = found.get(key)
        return found

    @property
    def external_url(self) -> str:
        return str(self.get("external_url") or DEFAULT_URL)

    @property
    def url(self) -> urllib.parse.SplitResult:
        return urllib.parse.urlsplit(self.external_url)

    @property
    def port(self) -> int:
        return self.url.port or (443 if self.url.scheme == "https" else 80)

    @property
    def listen_port(self) -> int:
        return int(self.get("nginx", "listen_port") or self.port)

    @property
    def https(self) -> bool:
        wanted = self.get("nginx", "listen_https")
        return self.url.scheme == "https" if wanted is None else bool(wanted)

    @property
    def backup_path(self) -> str:
        return str(self.get("gitlab_rails", "backup_path") or "/var/opt/gitlab/backups")

    @property
    def git_data(self) -> str:
        """Return the folder of the default storage's repositories."""
        for storage in self.get("gitaly", "configuration", "storage") or ():
            if storage.get("name") == "default":
                return str(storage["path"])
        return "/var/opt/gitlab/git-data/repositories"

    def services(self) -> list[str]:
        """Return the names of the enabled services, in order."""
        monitored = self.get("prometheus_monitoring", "enable") is not False
        names = [*ALWAYS, *(MONITORING if monitored else ())]
        if self.get("registry_external_url") or self.get("registry", "enable"):
            names.append("registry")
        if self.get("pages_external_url") or self.get("gitlab_pages", "enable"):
            names.append("gitlab-pages")
        return sorted(name for name in names if self.get(name.replace("-", "_"), "enable") is not False)


def _put(attributes: Attributes, name: str, keys: t.Sequence[t.Any], value: t.Any) -> None:
    if not keys:
        attributes[name] = value
        return
    place = attributes.setdefault(name, {})
    for key in keys[:-1]:
        place = place.setdefault(str(key), {})
    place[str(keys[-1])] = value


def read(places: Places, version: tuple[int, int, int]) -> Config:
    """Evaluate gitlab.rb; ConfigError with Ruby's, Chef's or the package's own words when it can't be used."""
    attributes: Attributes = {}
    try:
        settings = evaluate(places.gitlab_rb.read_text(encoding="utf-8"))
    except FileNotFoundError:
        settings = []
    except (RubySyntaxError, Unsupported) as exc:
        raise ConfigError(f"/etc/gitlab/gitlab.rb:{exc.line}: {exc}") from exc
    for name, keys, value, line in settings:
        if name not in KNOWN:
            raise ConfigError(
                "Mixlib::Config::UnknownConfigOptionError: /etc/gitlab/gitlab.rb:"
                f"{line}: Reading unsupported config value {name}."
            )
        _put(attributes, name, keys, value)
    gone = removed(attributes, version)
    if gone:
        lines = "\n".join(f"* {entry.text}" for entry in gone)
        raise ConfigError(f"{lines}\nRuntimeError: Removed configurations found in gitlab.rb. Aborting reconfigure.")
    return Config(attributes)
