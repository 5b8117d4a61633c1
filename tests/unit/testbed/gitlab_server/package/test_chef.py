# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From gitlab.rb to what a node shall be."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from testbed.gitlab_server.chef import config, render, secrets, supervision
from testbed.gitlab_server.places import Places

VERSION = (18, 11, 9)
MONITORING = set(config.MONITORING)


def _read(tmp_path: Path, text: str, version: tuple[int, int, int] = VERSION) -> config.Config:
    file = tmp_path / "etc/gitlab/gitlab.rb"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return config.read(Places(tmp_path), version)


@pytest.mark.parametrize(
    ("text", "on", "off"),
    [
        pytest.param("", {"nginx", "puma", "sidekiq", *MONITORING}, {"registry", "gitlab-pages"}, id="default"),
        pytest.param("prometheus_monitoring['enable'] = false", {"puma"}, MONITORING, id="no-monitoring"),
        pytest.param("gitlab_kas['enable'] = false", {"puma"}, {"gitlab-kas"}, id="one-off"),
        pytest.param("registry_external_url 'http://r.test'", {"registry"}, set(), id="registry"),
        pytest.param("gitlab_pages['enable'] = true", {"gitlab-pages"}, set(), id="pages"),
    ],
)
def test_services(tmp_path: Path, text: str, on: set[str], off: set[str]) -> None:
    names = _read(tmp_path, text).services()
    assert names == sorted(names)
    assert on <= set(names)
    assert not off & set(names)


@pytest.mark.parametrize(
    ("text", "version", "words"),
    [
        pytest.param("external_url 'x\n", VERSION, "/etc/gitlab/gitlab.rb:1: unterminated string", id="syntax"),
        pytest.param("nginxx['a'] = 1\n", VERSION, "Reading unsupported config value nginxx.", id="unknown-word"),
        pytest.param("x = 1\n\nif x\nend\n", VERSION, "/etc/gitlab/gitlab.rb:3: the twin's Ruby can't", id="too-much"),
        pytest.param(
            "mattermost['enable'] = false\n",
            (19, 0, 0),
            "RuntimeError: Removed configurations found in gitlab.rb. Aborting reconfigure.",
            id="removed",
        ),
        pytest.param("git_data_dirs({'default' => {'path' => '/x'}})\n", (18, 0, 0), "* git_data_dirs has", id="18.0"),
    ],
)
def test_what_a_reconfigure_stops_at(tmp_path: Path, text: str, version: tuple[int, int, int], words: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        _read(tmp_path, text, version)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("mattermost['enable'] = false\n", VERSION, id="not-yet-removed"),
        pytest.param("gitaly['configuration']['git']['bin_path'] = '/x'\n", (19, 3, 0), id="only-ignored"),
    ],
)
def test_what_it_goes_on_with(tmp_path: Path, text: str, version: tuple[int, int, int]) -> None:
    assert _read(tmp_path, text, version).attributes


SETTINGS = """
external_url 'https://gitlab.corp.test:8443'
gitlab_rails['backup_path'] = '/srv/backups'
gitlab_rails['backup_keep_time'] = 604800
gitlab_rails['monitoring_whitelist'] = ['10.0.0.0/8']
gitlab_rails['env'] = { 'SKIP' => 'artifacts', 'RAILS_ENV' => 'test' }
gitlab_rails['lfs_enabled'] = false
gitaly['configuration'] = { storage: [ { name: 'default', path: '/srv/git/repositories' } ] }
nginx['listen_port'] = 80
nginx['listen_https'] = false
"""


def test_what_is_rendered(tmp_path: Path) -> None:
    found = _read(tmp_path, SETTINGS)
    production: dict[str, t.Any] = render.rails_settings(found)["production"]
    assert production["gitlab"] == {"host": "gitlab.corp.test", "port": 8443, "https": True}
    assert (production["backup"]["path"], production["backup"]["keep_time"]) == ("/srv/backups", 604800)
    assert production["monitoring"]["ip_whitelist"] == ["10.0.0.0/8"]
    assert (production["lfs"]["enabled"], production["artifacts"]["enabled"]) == (False, True)
    assert found.git_data == "/srv/git/repositories"
    nginx = render.nginx_settings(found)
    assert (nginx["host"], nginx["port"], nginx["https"]) == ("gitlab.corp.test", 80, False)
    environment = render.environment(found)
    assert (environment["SKIP"], environment["RAILS_ENV"], environment["HOME"]) == (
        "artifacts",
        "test",
        "/var/opt/gitlab",
    )


def test_rendering_again_changes_nothing(tmp_path: Path) -> None:
    places, found = Places(tmp_path), _read(tmp_path, SETTINGS)
    known = secrets.ensure(places, VERSION)
    assert render.render(places, found, known) == {"puma", "sidekiq", "gitaly", "nginx"}
    assert render.render(places, found, known) == set()
    other = _read(tmp_path, SETTINGS.replace("'artifacts'", "'lfs'"))
    assert render.render(places, other, known) == {"puma", "sidekiq"}


def test_secrets_are_made_once_and_completed_by_newer_versions(tmp_path: Path) -> None:
    places = Places(tmp_path)
    first = secrets.ensure(places, (17, 5, 5))
    assert places.secrets.stat().st_mode & 0o777 == 0o600
    later = secrets.ensure(places, (18, 2, 8))
    assert {name: later["gitlab_rails"][name] for name in first["gitlab_rails"]} == first["gitlab_rails"]
    added = set(later["gitlab_rails"]) - set(first["gitlab_rails"])
    assert added == set(secrets.ADDED[(17, 8)])
    before = places.secrets.read_bytes()
    assert secrets.ensure(places, (18, 2, 8)) == json.loads(before)
    assert places.secrets.read_bytes() == before


def test_services_are_laid_out_once(tmp_path: Path) -> None:
    places = Places(tmp_path)
    names = ["nginx", "puma"]
    assert supervision.lay_out(places, names) == names
    assert supervision.lay_out(places, names) == []
    run = (places.opt / "sv/puma/run").read_text()
    assert run.endswith("service-run puma git:git /opt/gitlab/embedded/bin/puma\n")
    assert (places.services / "puma").readlink() == Path("/opt/gitlab/sv/puma")
