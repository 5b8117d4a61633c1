# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dnf's output says of GitLab's package, and the version lock that follows it (server observations 2 to 4)."""

from __future__ import annotations

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _upgrade_package, _upgrade_steps

GOOD = """\
Reconfigure GitLab to apply migrations
gitlab Reconfigured!
Restarting previously running GitLab services
Upgrade complete! If your GitLab server is misbehaving try running
Complete!
"""
FAILED = """\
Reconfigure GitLab to apply migrations
PG::UndefinedTable: relation is missing
===
There was an error running gitlab-ctl reconfigure. Please check the output above for more
details.
===
warning: %posttrans(gitlab-ce-18.11.9-ce.0.el9.x86_64) scriptlet failed, exit status 1
Complete!
"""
NO_POSTGRESQL = """\
== Reverted to 16.11. Please check output for what went wrong ==
Error ensuring PostgreSQL is updated. Please check the logs
warning: %posttrans(gitlab-ce-18.11.9-ce.0.el9.x86_64) scriptlet failed, exit status 1
Complete!
"""
SKIPPED = "It looks like GitLab has not been configured yet; skipping the upgrade script.\nComplete!\n"
FLAGGED = "Found /etc/gitlab/skip-auto-reconfigure, exiting...\nUpgrade complete! If your\nComplete!\n"
REFUSED = """\
gitlab preinstall: It seems you are upgrading from 18.8 to 19.2.
gitlab preinstall: It is required to upgrade to the latest 18.11.x version first before proceeding.
error: %prein(gitlab-ce-19.2.2-ce.0.el9.x86_64) scriptlet failed, exit status 1
Error: Transaction failed
"""


@pytest.mark.parametrize(
    ("text", "reconfigured", "failed"),
    [
        pytest.param(GOOD, True, None, id="good"),
        pytest.param(FAILED, False, "relation is missing", id="reconfigure-failed-though-dnf-is-content"),
        pytest.param(NO_POSTGRESQL, False, "ensuring PostgreSQL", id="postgresql-failed"),
        pytest.param(SKIPPED, False, None, id="skipped-without-a-supervisor"),
        pytest.param(FLAGGED, False, None, id="skipped-by-the-operators-file"),
        pytest.param("Complete!\n", False, None, id="says-nothing"),
        pytest.param("", False, None, id="cut-off"),
    ],
)
def test_judged(text: str, reconfigured: bool, failed: str | None) -> None:
    found = _upgrade_package.judged(text)
    assert found["reconfigured"] is reconfigured
    assert (failed in found["failed"]) if failed else ("failed" not in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(REFUSED, "required to upgrade to the latest 18.11.x", id="the-packages-own-refusal"),
        pytest.param("No match for argument: gitlab-ce-99.0.0\nError: Unable to find a match\n", "99.0.0", id="none"),
        pytest.param("one\ntwo\n", "one | two", id="else-its-last-words"),
    ],
)
def test_reason(text: str, expected: str) -> None:
    assert expected in _upgrade_package.reason(text)


@pytest.mark.parametrize(
    ("text", "package", "expected"),
    [
        pytest.param(
            "gitlab-ce-0:18.8.11-ce.0.el9.*\nkernel-0:5.14-1.*\n",
            "18.11.9-ce.0.el9",
            "gitlab-ce-0:18.11.9-ce.0.el9.*\nkernel-0:5.14-1.*\n",
            id="follows",
        ),
        pytest.param("kernel-0:5.14-1.*\n", "18.11.9-ce.0.el9", "kernel-0:5.14-1.*\n", id="none-is-made"),
        pytest.param(
            "gitlab-ce-0:18.8.11-ce.0.el9.*\n", "18.8.11-ee.0.el9", "gitlab-ee-0:18.8.11-ee.0.el9.*\n", id="edition"
        ),
        pytest.param("!gitlab-runner-0:18.8.0-1.*\n", "18.11.9-ce.0.el9", "!gitlab-runner-0:18.8.0-1.*\n", id="runner"),
    ],
)
def test_relocked(text: str, package: str, expected: str) -> None:
    assert _upgrade_package.relocked(text, package) == expected


@pytest.mark.parametrize(
    ("before", "after", "less"),
    [
        pytest.param("12 rows, greatest id 12", "11 rows, greatest id 12", True, id="rows-gone"),
        pytest.param("12 rows, greatest id 12", "13 rows, greatest id 13", False, id="rows-more"),
        pytest.param("9 rows, greatest id 9", "10 rows, greatest id 10", False, id="numbers-not-text"),
        pytest.param("abc", None, True, id="repository-gone"),
        pytest.param("abc", "def", False, id="repository-pushed-to"),
        pytest.param(None, "1 rows, greatest id 1", False, id="new"),
    ],
)
def test_what_has_become_less(before: str | None, after: str | None, less: bool) -> None:
    assert _upgrade_steps._less(before, after) is less
