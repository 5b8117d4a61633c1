# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which identity belongs to a machine, and which hosts are copies."""

from __future__ import annotations

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _identity

ETC, DBUS = "/etc/machine-id", "/var/lib/dbus/machine-id"
MACHINE = "2f1d8f4b2c5e4a0f9b7d6c3e1a2b4c5d"
# printf gitlab-runner | openssl dgst -sha256 -hmac 2f1d8f4b2c5e4a0f9b7d6c3e1a2b4c5d
OWN = "s_641c990ffc65"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({ETC: f"{MACHINE}\n"}, OWN, id="machine-id"),
        pytest.param({DBUS: MACHINE, ETC: "0" * 32}, OWN, id="that-of-dbus-first"),
        pytest.param({DBUS: "", ETC: MACHINE}, OWN, id="an-empty-one-is-none"),
        pytest.param({ETC: "uninitialized\n"}, None, id="before-the-first-boot"),
        pytest.param({}, None, id="none"),
    ],
)
def test_expected(files: dict[str, str], expected: str | None) -> None:
    assert _identity.expected(files) == expected


@pytest.mark.parametrize(
    ("system_id", "files", "copied"),
    [
        pytest.param(OWN, {ETC: MACHINE}, False, id="own"),
        pytest.param("s_000000000000", {ETC: MACHINE}, True, id="another-machine's"),
        pytest.param("r_AbCdEf012345", {ETC: MACHINE}, False, id="random"),
        pytest.param(None, {ETC: MACHINE}, False, id="none-yet"),
        pytest.param("s_000000000000", {}, False, id="nothing-to-compare-with"),
    ],
)
def test_copied(system_id: str | None, files: dict[str, str], copied: bool) -> None:
    assert _identity.copied(system_id, files) is copied


def test_copies() -> None:
    identities = {"a": "s_1", "b": "s_2", "c": "s_1", "d": "", "e": "", "f": "s_2", "g": "s_3"}
    assert _identity.copies(identities) == [["a", "c"], ["b", "f"]]
