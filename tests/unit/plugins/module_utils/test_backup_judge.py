# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What GitLab's commands said, and whether that was a backup (server facts 1.5 and 1.6, observed 6)."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_judge

ID = "1770480592_2026_02_07_18.6.2"
STAMP = "2026-02-07 16:09:52 UTC -- "
PARTS = ("repositories", "uploads", "builds", "lfs objects", "terraform states", "container registry images")


def output(*extra: str, without: t.Collection[str] = (), **parts: str) -> str:
    """A run's output; parts by name with other words at the end than "done"."""
    lines = ["Dumping database ...", "Dumping PostgreSQL database gitlabhq_production ...", "[DONE]"]
    lines.append("Dumping database ... done")
    for name in PARTS:
        lines += [f"Dumping {name} ...", f"Dumping {name} ... {parts.get(name, 'done')}"]
    lines += [*extra, f"Creating backup archive: {ID}_gitlab_backup.tar ... done", "Deleting backups/tmp ... done"]
    lines += ["Warning: Your gitlab.rb and gitlab-secrets.json files contain sensitive data", f"Backup {ID} is done."]
    return "".join(f"{STAMP}{line}\n" for line in lines if line not in without)


def test_a_good_run() -> None:
    found = _backup_judge.application(0, output(uploads="[SKIPPED]", builds="[DISABLED]"), ID)
    assert (found.faults, found.warnings) == ((), ())
    assert found.parts == {
        "db": "included",
        "repositories": "included",
        "uploads": "skipped",
        "builds": "disabled",
        "lfs": "included",
        "terraform_state": "included",
        "registry": "included",
    }


@pytest.mark.parametrize(
    ("rc", "text", "words"),
    [
        pytest.param(
            1, output("Dumping uploads failed: Failed to create compressed file 'x'"), "uploads failed", id="part"
        ),
        pytest.param(0, output("Dumping uploads failed: Failed to create"), "uploads failed", id="part-and-0"),
        pytest.param(1, output("[FAILED]"), "[FAILED]", id="database"),
        pytest.param(1, output("Creating archive x_gitlab_backup.tar failed"), "Creating archive", id="archive"),
        pytest.param(1, output("Uploading backup to bucket failed"), "Uploading backup to bucket", id="upload"),
        pytest.param(1, "rake aborted!\ngitaly-backup exit status 1\n", "gitaly-backup exit status 1", id="aborted"),
        pytest.param(1, '{"level":"fatal","msg":"create: pipeline: 1 failures"}', "create: pipeline", id="gitaly"),
        pytest.param(1, "There is a backup and restore task in progress (PID 7).", "PID 7", id="other-run"),
        pytest.param(1, output(), "it ended with 1 and said", id="only-the-status"),
        pytest.param(1, "", "it ended with 1 and said nothing", id="silent"),
        pytest.param(0, "", "never said", id="silent-and-0"),
        pytest.param(0, output(without=[f"Backup {ID} is done."]), "is CRON or BACKUP set", id="no-last-word"),
        pytest.param(0, f"Backup {ID} is done.", "no part at all", id="no-part"),
        pytest.param(0, output().replace(ID, "1770480592_2026_02_07_18.6.1"), "never said that " + ID, id="other-id"),
    ],
)
def test_a_bad_run(rc: int, text: str, words: str) -> None:
    assert words in "; ".join(_backup_judge.application(rc, text, ID).faults)


@pytest.mark.parametrize(
    "line",
    [
        "Ignoring tar exit status 1 'Some files differ': ",
        "Warning: files vanished during rsync, retrying...",
        "Deleting 1770480000_2026_02_07_18.6.1_gitlab_backup.tar failed: Permission denied",
        '{"level":"error","msg":"server-side backup","error":"not found"}',
    ],
)
def test_what_is_tolerated_is_told(line: str) -> None:
    found = _backup_judge.application(0, output(line), ID)
    assert found.faults == ()
    assert len(found.warnings) == 1


def test_colours_and_words_that_are_no_log() -> None:
    text = (
        output("{", '{"level"', "[1]").replace("Dumping", "\x1b[34mDumping").replace("done\n", "\x1b[32mdone\x1b[0m\n")
    )
    assert _backup_judge.application(0, text, ID).faults == ()


def test_a_full_disk_is_told_apart() -> None:
    line = "tar: -: Cannot write: No space left on device"
    found = _backup_judge.application(1, f"{line}\n", ID)
    assert (found.full, found.faults[0]) == (True, line)
    assert not _backup_judge.application(1, "", ID).full


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(f"{STAMP}Dumping uploads ...", "Dumping uploads ...", id="part"),
        pytest.param(f"{STAMP}Dumping uploads ... done", None, id="its-end"),
        pytest.param(f"{STAMP}Dumping PostgreSQL database x ...", None, id="inside-a-part"),
        pytest.param(f"{STAMP}Creating backup archive: x ...", "Creating backup archive: x ...", id="archive"),
        pytest.param("SET", None, id="other"),
    ],
)
def test_steps(line: str, expected: t.Optional[str]) -> None:
    assert _backup_judge.step(line) == expected


GOOD = """\
Running configuration backup
Creating configuration backup archive: gitlab_config_1795504809_2026_11_24.tar
/etc/gitlab/
/etc/gitlab/gitlab.rb
Configuration backup archive complete: /etc/gitlab/config_backup/gitlab_config_1795504809_2026_11_24.tar
Keeping all older configuration backups
"""


def test_the_configuration_is_backed_up() -> None:
    warning = "WARNING: /etc/gitlab/config_backup may be read by non-root users"
    found = _backup_judge.configuration(0, GOOD, f"{warning}\n{warning}\n")
    assert found.path == "/etc/gitlab/config_backup/gitlab_config_1795504809_2026_11_24.tar"
    assert (found.faults, found.warnings) == ((), (warning,))


@pytest.mark.parametrize(
    ("rc", "stdout", "stderr", "words", "full"),
    [
        pytest.param(
            1, "", "tar: /etc/gitlab/x: File removed before we read it\n", "x leads nowhere", False, id="link"
        ),
        pytest.param(1, "", "tar: f.tar: Cannot write: No space left on device\n", "No space left", True, id="full"),
        pytest.param(1, "", "Could not find '/etc/gitlab' directory. Is", "Could not find", False, id="no-directory"),
        pytest.param(1, GOOD, "", "it ended with 1", False, id="complete-and-1"),
        pytest.param(0, "", "", "it said nothing", False, id="silent-and-0"),
    ],
)
def test_the_configuration_is_not(rc: int, stdout: str, stderr: str, words: str, full: bool) -> None:
    found = _backup_judge.configuration(rc, stdout, stderr)
    assert words in "; ".join(found.faults)
    assert found.full is full


def test_information_with_rubys_own_tags() -> None:
    text = b"""---
:backup_id: 1770480592_2026_02_07_18.6.2
:db_version: '20260101000000'
:backup_created_at: !ruby/object:ActiveSupport::TimeWithZone
  utc: 2026-02-07 16:09:52.1 Z
  zone: !ruby/object:ActiveSupport::TimeZone
    name: Etc/UTC
:gitlab_version: 18.6.2
:skipped:
"""
    found = _backup_judge.information(text)
    assert (found["gitlab_version"], found["db_version"], found["skipped"]) == ("18.6.2", "20260101000000", "")
    assert "utc" not in found
