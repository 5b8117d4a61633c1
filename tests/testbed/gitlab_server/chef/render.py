# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a reconfigure renders for Rails, the wrappers and nginx."""

from __future__ import annotations

import json
import typing as t

from ..places import SETTINGS, Places
from .accounts import SHARED
from .config import Config
from .files import folder, write
from .secrets import Secrets

PATH = "/opt/gitlab/bin:/opt/gitlab/embedded/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"HOME": "/var/opt/gitlab", "PATH": PATH, "RAILS_ENV": "production", "LANG": "C.UTF-8"}
ALLOWED = ("127.0.0.0/8", "::1/128")
FEATURES = ("artifacts", "external_diffs", "lfs", "packages", "terraform_state")


def environment(config: Config) -> dict[str, str]:
    """Return the environment of Rails: what gitlab_rails['env'] says wins (observed 7)."""
    given = config.get("gitlab_rails", "env") or {}
    return {**ENVIRONMENT, **{str(key): str(value) for key, value in given.items() if value is not None}}


def _backup(config: Config) -> dict[str, t.Any]:
    rails: t.Mapping[str, t.Any] = config.get("gitlab_rails") or {}
    upload = {
        "connection": rails.get("backup_upload_connection"),
        "remote_directory": rails.get("backup_upload_remote_directory"),
        "encryption": rails.get("backup_encryption"),
    }
    return {
        "path": config.backup_path,
        "keep_time": rails.get("backup_keep_time"),
        "archive_permissions": rails.get("backup_archive_permissions"),
        "upload": {key: value for key, value in upload.items() if value is not None},
    }


def rails_settings(config: Config) -> dict[str, t.Any]:
    """Return gitlab.yml's content; JSON is YAML too."""
    rails: t.Mapping[str, t.Any] = config.get("gitlab_rails") or {}
    services = config.services()
    default_registry = "/var/opt/gitlab/gitlab-rails/shared/registry"
    return {
        "production": {
            "gitlab": {"host": config.url.hostname, "port": config.port, "https": config.url.scheme == "https"},
            "backup": _backup(config),
            "registry": {"enabled": "registry" in services, "path": rails.get("registry_path") or default_registry},
            "pages": {"enabled": "gitlab-pages" in services},
            **{name: {"enabled": rails.get(f"{name}_enabled") is not False} for name in FEATURES},
            "ldap": {"enabled": bool(rails.get("ldap_enabled"))},
            "omniauth": {"enabled": rails.get("omniauth_enabled") is not False},
            "monitoring": {"ip_whitelist": list(rails.get("monitoring_whitelist") or ALLOWED)},
            "repositories": {"storages": {"default": {"gitaly_address": "unix:/var/opt/gitlab/gitaly/gitaly.socket"}}},
            "shared": {"path": "/var/opt/gitlab/gitlab-rails/shared", "folders": list(SHARED)},
        }
    }


def nginx_settings(config: Config) -> dict[str, t.Any]:
    """Return what the web server needs to know."""
    host = str(config.url.hostname)
    return {
        "host": host,
        "port": config.listen_port,
        "https": config.https,
        "certificate": config.get("nginx", "ssl_certificate") or f"/etc/gitlab/ssl/{host}.crt",
        "key": config.get("nginx", "ssl_certificate_key") or f"/etc/gitlab/ssl/{host}.key",
        "custom": config.get("nginx", "custom_gitlab_server_config") or "",
    }


def nginx_conf(config: Config) -> str:
    """Return the site's file: laid out as the package's own, with what the stand-in reads in its first line."""
    settings = nginx_settings(config)
    listen = f"*:{settings['port']}{' ssl' if settings['https'] else ''}"
    return (
        f"{SETTINGS}{json.dumps(settings)}\n\nupstream gitlab-workhorse {{\n"
        "  server unix:/var/opt/gitlab/gitlab-workhorse/sockets/socket fail_timeout=0;\n}\n\n"
        f"server {{\n  listen {listen};\n  server_name {settings['host']};\n\n"
        "  location / {\n    proxy_pass http://gitlab-workhorse;\n  }\n}\n"
    )


def _environment_files(places: Places, config: Config) -> bool:
    room = places.opt / "etc/gitlab-rails/env"
    folder(room)  # world readable: another user gets as far as chpst's refusal (observed 7)
    wanted = environment(config)
    changed = False
    for old in room.iterdir():
        if old.name not in wanted:
            old.unlink()
            changed = True
    for name, value in wanted.items():
        changed = write(room / name, value) or changed
    return changed


def _rc_files(places: Places, settings: dict[str, t.Any]) -> None:
    registry = settings["production"]["registry"]
    path = registry["path"] if registry["enabled"] else ""
    rails = f"gitlab_user='git'\ngitlab_group='git'\nregistry_dir='{path}'\n"
    write(places.opt / "etc/gitlab-rails-rc", rails)
    psql = {
        "psql_user": "gitlab-psql",
        "psql_group": "gitlab-psql",
        "psql_host": "/var/opt/gitlab/postgresql",
        "psql_port": "5432",
        "psql_dbname": "gitlabhq_production",
    }
    write(places.opt / "etc/gitlab-psql-rc", "".join(f"{name}='{value}'\n" for name, value in psql.items()))


def render(places: Places, config: Config, secrets: Secrets) -> set[str]:
    """Write the files and return the services that have to load them again."""
    etc = places.var / "gitlab-rails/etc"
    settings = rails_settings(config)
    _rc_files(places, settings)
    yml = json.dumps(settings, indent=2) + "\n"
    keys = json.dumps({"production": secrets["gitlab_rails"]}, indent=2) + "\n"
    rails = [
        _environment_files(places, config),
        write(etc / "gitlab.yml", yml, mode=0o640, owner="root", group="git"),
        write(etc / "secrets.yml", keys, mode=0o600, owner="git"),
    ]
    gitaly = f'[[storage]]\nname = "default"\npath = "{config.git_data}"\n'
    changed = {"puma", "sidekiq"} if any(rails) else set()
    if write(places.var / "gitaly/config.toml", gitaly, mode=0o640, owner="root", group="git"):
        changed.add("gitaly")
    if write(places.var / "nginx/conf/gitlab-http.conf", nginx_conf(config)):
        changed.add("nginx")
    return changed
