# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret of gitlab.rb is in a diff, whatever way it is written there."""

from __future__ import annotations

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _gitlab_rb, _gitlab_rb_mask
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._masking import CHANGED_MASK, MASK

SECRET = "S3cretOfMine"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nS3cretOfMine\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    "line",
    [
        f"gitlab_rails['smtp_password'] = '{SECRET}'",
        f'gitlab_rails["smtp_password"]="{SECRET}"',
        f"# gitlab_rails['smtp_password'] = '{SECRET}'",
        f"gitlab_rails['initial_root_password'] = \"{SECRET}\" # comment",
        f"gitlab_rails['backup_upload_connection'] = {{ 'aws_secret_access_key' => '{SECRET}' }}",
        f"gitlab_rails['omniauth_providers'] = [{{ name: 'x', app_secret: '{SECRET}' }}]",
        f"gitlab_rails['ldap_servers'] = YAML.load <<-'EOS'\n  main:\n    password: {SECRET}\nEOS",
        f"gitlab_rails['redis_url'] = 'redis://:{SECRET}@redis.corp.test:6379'",
        f"gitlab_rails['incoming_email_password'] = '{SECRET}'",
        f"registry['http_secret'] = '{SECRET}'",
        f"gitlab_rails['db_key_base'] = '{SECRET}'",
        f"gitlab_rails['x_private_key'] = '{KEY}'",
        f"nginx['x'] = <<EOS\n{KEY}\nEOS",
        f"gitaly['configuration'] = {{ auth: {{ token: '{SECRET}' }} }}",
        f"gitlab_rails['otp'] = {{ 'Token' => \"{SECRET}\" }}",
    ],
)
def test_masked(line: str) -> None:
    assert SECRET in line
    assert SECRET not in _gitlab_rb_mask.masked(line)


@pytest.mark.parametrize(
    "line",
    [
        "gitlab_rails['smtp_address'] = 'mail.corp.test'",
        "external_url 'https://gitlab.corp.test'",
        "gitlab_rails['password_authentication'] = true",
        "gitlab_rails['aws_access_key_id'] = 'AKIAEXAMPLE'",
    ],
)
def test_left_alone(line: str) -> None:
    assert _gitlab_rb_mask.masked(line) == line


def test_a_changed_secret_is_seen_to_change_and_is_hidden_everywhere() -> None:
    before = _gitlab_rb.render("http://a.test", {"gitlab_rails": {"smtp_password": "OldSecret1", "smtp_port": 1}})
    after = _gitlab_rb.render(
        "http://a.test", {"gitlab_rails": {"smtp_password": "NewSecret1", "api_token": "SameToken1"}}, "# OldSecret1"
    )
    diff = _gitlab_rb_mask.masked_diff(f"{before}x['api_token'] = 'SameToken1'\n", after, "/etc/gitlab/gitlab.rb")
    text = diff["before"] + diff["after"]
    assert not any(secret in text for secret in ("OldSecret1", "NewSecret1", "SameToken1"))
    assert f"gitlab_rails['smtp_password'] = '{MASK}'" in diff["before"]
    assert f"gitlab_rails['smtp_password'] = '{CHANGED_MASK}'" in diff["after"]
    assert f"gitlab_rails['api_token'] = '{MASK}'\n" in diff["after"]


def test_a_short_secret_hides_nothing_else() -> None:
    assert (
        _gitlab_rb_mask.masked("x['a'] = 'abc'\nx['password'] = 'a'\n") == f"x['a'] = 'abc'\nx['password'] = '{MASK}'\n"
    )
