# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the role owns on a host."""

from __future__ import annotations

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _managed_files

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"


def test_drain_signals_the_main_process_alone() -> None:
    managed = _managed_files.drain("gitlab-runner", 7200)
    assert managed.path == "/etc/systemd/system/gitlab-runner.service.d/zz-drain.conf"
    assert managed.content.splitlines()[1:] == [
        "[Service]",
        "KillSignal=SIGQUIT",
        "KillMode=mixed",
        "TimeoutStopSec=7200",
        "ExecReload=/bin/kill -HUP $MAINPID",
    ]
    assert not managed.restart, "systemd itself reads it"


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"http_proxy": "", "https_proxy": None}, None, id="empty"),
        pytest.param(
            {"https_proxy": "http://u:p%40ss@proxy:3128"},
            [
                'Environment="HTTPS_PROXY=http://u:p%%40ss@proxy:3128"',
                'Environment="https_proxy=http://u:p%%40ss@proxy:3128"',
            ],
            id="percent-is-a-specifier",
        ),
        pytest.param(
            {"no_proxy": 'a,"b"\\c'},
            ['Environment="NO_PROXY=a,\\"b\\"\\\\c"', 'Environment="no_proxy=a,\\"b\\"\\\\c"'],
            id="quotes-and-backslashes",
        ),
    ],
)
def test_proxy(settings: dict[str, str], lines: list[str] | None) -> None:
    managed = _managed_files.proxy("gitlab-runner", settings)
    if lines is None:
        assert managed is None
        return
    assert managed is not None
    assert managed.content.splitlines()[2:] == lines
    assert (managed.mode, managed.secret, managed.restart) == ("0600", True, True)


def test_authorities_stand_where_the_program_looks() -> None:
    (managed,) = _managed_files.authorities({"gitlab.example.com": PEM})
    assert managed.path == "/etc/gitlab-runner/certs/gitlab.example.com.crt"
    assert managed.content == PEM + "\n"


@pytest.mark.parametrize(
    ("certificates", "message"),
    [
        pytest.param({"https://gitlab.example.com": PEM}, "no host name", id="url"),
        pytest.param({"../x": PEM}, "no host name", id="path"),
        pytest.param({"gitlab.example.com": "/etc/ssl/ca.pem"}, "no PEM certificate", id="file-name"),
    ],
)
def test_wrong_authorities(certificates: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _managed_files.authorities(certificates)


def test_an_unknown_proxy_setting_is_named() -> None:
    assert list(_managed_files.problems({"ftp_proxy": "x"})) == [
        "gitlab_runner_proxy.ftp_proxy is unknown; use http_proxy, https_proxy, no_proxy."
    ]
