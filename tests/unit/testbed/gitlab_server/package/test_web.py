# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web service: what the front answers itself, and what it hands to the program behind it (server facts 6)."""

from __future__ import annotations

import json
import threading
import typing as t
from collections.abc import Iterator

import pytest
from testbed.gitlab_api.http_server import Server
from testbed.gitlab_api.web import Request
from testbed.gitlab_server.chef import config, render
from testbed.gitlab_server.web.nginx import Locations, Nginx
from testbed.gitlab_server.web.puma import Web

from .conftest import Ground

SIGNS = ("postgresql/.s.PGSQL.5432", "redis/redis.socket", "gitaly/gitaly.socket")
CHECKS = tuple(zip(SIGNS, ("db_check", "redis_check", "gitaly_check"), strict=True))
CLOSED = "location = /api/v4/jobs/request {\n deny all;\n return 503;\n}\n"


@pytest.fixture
def site(ground: Ground) -> Iterator[Nginx]:
    """A front with the API twin behind it, all that it asks for there."""
    found = config.Config({"external_url": "http://gitlab.corp.test"})
    for sign in SIGNS:
        ground.put(f"var/opt/gitlab/{sign}")
    ground.put("var/opt/gitlab/nginx/conf/gitlab-http.conf", render.nginx_conf(found))
    web = Web(ground.places, ":memory:", "18.11.9", render.rails_settings(found)["production"])
    server = Server(web, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Nginx(ground.places, server.server_address[1])
    server.stop()
    thread.join()


def _get(site: Nginx, path: str, peer: str = "127.0.0.1", host: str = "gitlab.corp.test") -> tuple[int, str]:
    path, query = [*path.split("?", 1), ""][:2]
    answer = site.answer(Request("GET", path, query, {"host": host}, b"", peer))
    assert answer is not None
    return answer.status, answer.body.decode()


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        pytest.param("/-/health", 200, "GitLab OK", id="health"),
        pytest.param("/-/liveness", 200, '{"status":"ok"}', id="liveness"),
        pytest.param("/-/readiness", 200, '{"status":"ok","master_check":[{"status":"ok"}]}', id="readiness"),
        pytest.param("/api/v4/version", 401, '{"message":"401 Unauthorized"}', id="api"),
    ],
)
def test_good_answers(site: Nginx, path: str, status: int, body: str) -> None:
    assert _get(site, path) == (status, body)


def test_other_networks_get_404(site: Nginx) -> None:
    assert _get(site, "/-/health", peer="10.1.2.3") == (404, "")
    status, body = _get(site, "/-/readiness", peer="10.1.2.3")
    assert (status, "<!DOCTYPE html>" in body) == (404, True)


@pytest.mark.parametrize(("missing", "check"), CHECKS)
def test_readiness_of_everything_sees_a_service_that_is_down(
    ground: Ground, site: Nginx, missing: str, check: str
) -> None:
    (ground.places.var / missing).unlink()
    status, body = _get(site, "/-/readiness?all=1")
    found: dict[str, t.Any] = json.loads(body)
    assert (status, found["status"], found[check][0]["status"]) == (503, "failed", "failed")
    assert _get(site, "/-/readiness")[0] == 200


def test_never_ready(ground: Ground, site: Nginx) -> None:
    ground.put("var/opt/gitlab-twin/faults/never-ready")
    status, body = _get(site, "/-/readiness")
    assert (status, json.loads(body)["status"]) == (503, "failed")


def test_502_while_puma_boots(site: Nginx) -> None:
    site.port = 1
    status, body = _get(site, "/-/health")
    assert (status, "502" in body) == (502, True)


@pytest.mark.parametrize(
    ("version", "host", "status"),
    [
        pytest.param("18.5.0", "127.0.0.1", 404, id="18.5.0-by-address"),
        pytest.param("18.5.1", "localhost", 404, id="18.5.1-by-localhost"),
        pytest.param("18.5.1", "gitlab.corp.test", 200, id="18.5.1-by-name"),
        pytest.param("18.5.2", "127.0.0.1", 200, id="18.5.2-repaired"),
    ],
)
def test_probes_by_another_name(ground: Ground, site: Nginx, version: str, host: str, status: int) -> None:
    ground.install(version)
    front = Nginx(ground.places, site.port)
    assert _get(front, "/-/health", host=host)[0] == status


@pytest.mark.parametrize(
    ("text", "path", "status"),
    [
        pytest.param(CLOSED, "/api/v4/jobs/request", 503, id="exact"),
        pytest.param(CLOSED, "/api/v4/jobs/request/x", None, id="exact-is-exact"),
        pytest.param("location /api/ { return 503; }", "/api/v4/version", 503, id="prefix"),
        pytest.param("location ~ ^/api/.*request$ { deny all; }", "/api/v4/jobs/request", 403, id="pattern-deny"),
        pytest.param("client_max_body_size 1m;", "/api/v4/version", None, id="nothing-to-answer"),
        pytest.param("", "/", None, id="empty"),
    ],
)
def test_custom_configuration_closes_doors(text: str, path: str, status: int | None) -> None:
    assert Locations(text).status(path) == status


def test_the_deploy_page_covers_pages_but_not_the_api(ground: Ground, site: Nginx) -> None:
    ground.ctl("deploy-page", "up")
    assert _get(site, "/users/sign_in") == (200, "soon")
    assert _get(site, "/api/v4/version")[0] == 401


def test_a_server_that_turns_others_away(site: Nginx) -> None:
    file = site.places.var / "nginx/conf/gitlab-http.conf"
    closed = 'server {\n  if ($remote_addr !~ "^127[.]") { return 503; }'
    file.write_text(file.read_text().replace("server {", closed))
    site.load()
    assert [_get(site, "/-/health", peer)[0] for peer in ("127.0.0.1", "10.1.2.3")] == [200, 503]
