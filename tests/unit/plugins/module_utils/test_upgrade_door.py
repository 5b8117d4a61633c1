# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The door: the line in nginx's files, in GitLab's servers and nowhere else."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _upgrade_door
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Completed

SITE = """\
upstream gitlab-workhorse {
  server unix:/var/opt/gitlab/gitlab-workhorse/sockets/socket fail_timeout=0;
}
server { ## HTTPS redirect server
  listen *:80;
}
server {
  listen *:443 ssl;
  location / {
    proxy_pass http://gitlab-workhorse;
  }
}
"""
REGISTRY = "server {\n  listen *:5050;\n  location / { proxy_pass http://localhost:5000; }\n}\n"


def test_each_server_of_gitlab_is_shut_and_the_upstream_left_alone() -> None:
    shut = _upgrade_door.shut(SITE)
    assert shut.count(_upgrade_door.LINE) == 2
    assert shut.index("listen *:80") > shut.index(_upgrade_door.LINE)
    assert "server unix:" in shut


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(REGISTRY, REGISTRY, id="another-site-stays"),
        pytest.param(_upgrade_door.shut(SITE), _upgrade_door.shut(SITE), id="again-changes-nothing"),
    ],
)
def test_shut(text: str, expected: str) -> None:
    assert _upgrade_door.shut(text) == expected


def test_opened_is_the_file_of_before() -> None:
    assert _upgrade_door.opened(_upgrade_door.shut(SITE)) == SITE


def test_closes_and_opens_what_nginx_reads(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "service_conf" / "gitlab-rails.conf"
    site.parent.mkdir()
    site.write_text(SITE)
    (tmp_path / "gitlab-registry.conf").write_text(REGISTRY)
    asked: list[str] = []

    def run(argv: list[str], **_options: object) -> Completed:
        asked.append(" ".join(argv))
        return Completed(0, "")

    statuses = iter([200, 503, 502])
    monkeypatch.setattr(_upgrade_door, "asked", lambda: next(statuses))
    monkeypatch.setattr(_upgrade_door, "PAUSE_SECONDS", 0)
    _upgrade_door.close(run, "gitlab-ctl", str(tmp_path))
    assert _upgrade_door.is_closed(str(tmp_path))
    assert (tmp_path / "gitlab-registry.conf").read_text() == REGISTRY
    assert _upgrade_door.open_(run, "gitlab-ctl", str(tmp_path)) is True
    assert site.read_text() == SITE
    assert _upgrade_door.open_(run, "gitlab-ctl", str(tmp_path)) is False
    assert asked == ["gitlab-ctl hup nginx"] * 2


def test_a_door_that_can_not_be_closed_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(_upgrade_door.DoorError, match="gitlab_server_upgrade_keep_serving"):
        _upgrade_door.close(lambda *_a, **_k: Completed(0, ""), "gitlab-ctl", str(tmp_path))


def test_a_door_that_stays_open_is_told(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gitlab-http.conf").write_text(SITE)
    monkeypatch.setattr(_upgrade_door, "asked", lambda: 200)
    monkeypatch.setattr(_upgrade_door, "LOAD_SECONDS", 0)
    with pytest.raises(_upgrade_door.DoorError, match="still answers 200"):
        _upgrade_door.close(lambda *_a, **_k: Completed(0, ""), "gitlab-ctl", str(tmp_path))
