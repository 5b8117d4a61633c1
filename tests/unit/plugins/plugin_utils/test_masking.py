# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is in a diff, however the file writes it and whatever the edit."""

from __future__ import annotations

import tomllib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _config_plan as planning
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _masking
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._config_plan import Entry, Wanted
from hypothesis import given, settings
from hypothesis import strategies as st

TEXT = """\
concurrent = 1
sentry_dsn = "https://SECRET-dsn@sentry"

[[runners]]
  name = "a"
  token = "glrt-SECRET-token"
  environment = ["PASS=SECRET-env", "B=SECRET b"]
  [runners.cache.s3]
    AccessKey = "AKIA"
    SecretKey = 'SECRET-s3"quoted"'
    SessionToken = "SECRET-session"
  [runners.cache.gcs]
    PrivateKey = "SECRET-gcs\\nline2-SECRET"
  [runners.cache.azure]
    AccountKey = "SECRET-azure"
  [runners.kubernetes]
    bearer_token = "SECRET-k8s"
  [runners.ssh]
    password = "SECRET-ssh"
  [runners.autoscaler.connector_config]
    password = "SECRET-win"
  [runners.autoscaler.plugin_config]
    api_token = "SECRET-plugin"
    credentials_file = "/shown"
  [runners.machine]
    MachineOptions = ["amazonec2-secret-key=SECRET-ec2"]
  [[runners.docker.services]]
    name = "pg"
    environment = ["POSTGRES_PASSWORD=SECRET-pg"]
"""


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(Wanted({"concurrent": 2}), id="other-key"),
        pytest.param(Wanted({"sentry_dsn": "SECRET-dsn2"}), id="dsn"),
        pytest.param(Wanted({"sentry_dsn": None}), id="dsn-removed"),
        pytest.param(Wanted(absent=frozenset({"a"})), id="entry-removed"),
        pytest.param(Wanted(entries=(Entry("a", {"environment": ["PASS=SECRET-2"]}),)), id="environment"),
        pytest.param(Wanted(entries=(Entry("a", {}, {"token": "glrt-SECRET-2"}, rotate=True),)), id="token"),
        pytest.param(Wanted(entries=(Entry("b", {}, {"token": "glrt-SECRET-token-longer"}),)), id="longer-token"),
        pytest.param(Wanted(entries=(Entry("a", {"cache": {"s3": {"SecretKey": "SECRET\\x"}}}),)), id="s3"),
        pytest.param(Wanted(entries=(Entry("a", {"ssh": None, "kubernetes": None}),)), id="tables-removed"),
    ],
)
def test_no_secret_in_a_diff(wanted: Wanted) -> None:
    diff = planning.plan(TEXT, wanted, "/p").diff("/p")
    assert "SECRET" not in diff["before"] + diff["after"]
    assert diff["before"] != diff["after"]


def test_the_names_of_variables_are_shown() -> None:
    diff = planning.plan(TEXT, Wanted({"concurrent": 2}), "/p").diff("/p")
    assert '  environment = ["PASS=********", "B=********"]' in diff["before"].splitlines()


def test_a_changed_secret_can_be_seen_to_change() -> None:
    diff = planning.plan(TEXT, Wanted(entries=(Entry("a", {"environment": ["PASS=new"]}),)), "/p").diff("/p")
    assert '  environment = ["PASS=******** (changed)"]' in diff["after"].splitlines()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('token = "glrt-\\u0053ECRET-odd"', id="unicode-escape"),
        pytest.param('token = """glrt-\\\n   SECRET-odd"""', id="folded-line"),
        pytest.param('token = "glrt-SECRET\\todd"', id="tab"),
        pytest.param('TOKEN = "glrt-SECRET-odd"', id="other-case"),
        pytest.param('token = "glrt-SECRET\\U0000002dodd"', id="long-escape"),
    ],
)
def test_odd_spellings_are_masked_too(line: str) -> None:
    text = f'concurrent = 1\n[[runners]]\n  name = "a"\n  {line}\n'
    diff = planning.plan(text, Wanted({"concurrent": 2}), "/p").diff("/p")
    assert "ECRET" not in diff["before"] + diff["after"]
    assert diff["before"].startswith(("concurrent = 1\n", _masking.NOT_SHOWN))


SECRET = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=6, max_size=12).map(
    lambda text: f"QX{text}"
)


@settings(max_examples=60, deadline=None)
@given(SECRET, SECRET)
def test_whatever_stands_in_a_secret(old: str, new: str) -> None:
    first = planning.plan("", Wanted(entries=(Entry("a", {"environment": [old]}, {"token": "x" + old}),)), "/p")
    second = planning.plan(
        first.text, Wanted(entries=(Entry("a", {"environment": [new]}, {"token": "y" + new}, rotate=True),)), "/p"
    )
    for diff in (first.diff("/p"), second.diff("/p")):
        assert "QX" not in (diff["before"] + diff["after"]).replace(f"{_name(old)}=", "").replace(f"{_name(new)}=", "")


def _name(secret: str) -> str:
    """What may be shown of an environment entry: the variable's name."""
    name = secret.partition("=")[0]
    return name if name.isidentifier() else "\0"


def test_without_secrets() -> None:
    shown = _masking.without_secrets(tomllib.loads(TEXT))
    entry: dict[str, t.Any] = shown["runners"][0]
    assert "SECRET" not in str(shown)
    assert (entry["token"], entry["environment"][0], entry["cache"]["s3"]["AccessKey"]) == (
        "********", "PASS=********", "AKIA",
    )  # fmt: skip
