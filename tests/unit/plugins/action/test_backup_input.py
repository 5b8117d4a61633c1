# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrong input for backups is refused before anything is done on the host, and named with its remedy.

What only a host with GitLab shows is in test_backup_make and in the scenarios.
"""

from __future__ import annotations

import pathlib
import typing as t

from unit.plugins.action.plays import Host

MAKE, TIMER = "gitlab_backup", "gitlab_backup_schedule"
STATE = pathlib.Path("/var/lib/fleetwright/gitlab_backup")
PARTS = "db repositories uploads builds artifacts pages lfs terraform_state registry packages ci_secure_files"
SECRET = "ThisSecretKeyIsShownNowhere"
Case = tuple[str, str, dict[str, t.Any]]

# The task, words of the message, the options.
CASES: tuple[Case, ...] = (
    (MAKE, "Got no match for: artefacts", {"skip": ["artefacts"]}),
    (MAKE, "Got no match for: tar", {"skip": ["tar"]}),
    (MAKE, "nothing would be left to back up", {"skip": [*PARTS.split(), "external_diffs"]}),
    (MAKE, "give an absolute path", {"sets_path": "sets"}),
    (MAKE, "below the first level", {"sets_path": "/sets"}),
    (MAKE, "GitLab prunes and unpacks there", {"sets_path": "/var/opt/gitlab/backups"}),
    (MAKE, "is inside /etc/gitlab, which is backed up itself", {"sets_path": "/etc/gitlab/sets"}),
    (MAKE, "is inside /var/opt/gitlab/git-data", {"sets_path": "/var/opt/gitlab/git-data/sets"}),
    (MAKE, "backup_path is '/'", {"backup_path": "/"}),
    (MAKE, "keep_count is -1", {"keep_count": -1}),
    (MAKE, "keep_days is -7", {"keep_days": -7}),
    (MAKE, "unable to convert to int", {"keep_count": "many"}),
    (MAKE, "max_concurrency is 0", {"max_concurrency": 0}),
    (MAKE, "max_storage_concurrency is -2", {"max_storage_concurrency": -2}),
    (MAKE, "compress_cmd and decompress_cmd go together", {"compress_cmd": "zstd"}),
    (MAKE, "give latest, or the id of a set", {"incremental": True, "previous": "1_gitlab_backup.tar"}),
    (MAKE, "names without spaces and commas", {"repositories_paths": ["group one"]}),
    (MAKE, "names without spaces and commas", {"skip_repositories_paths": ["a,b"]}),
    (MAKE, "value of strategy must be one of: stream, copy", {"strategy": "rsync"}),
    (MAKE, "Unsupported parameters", {"retention": 3}),
    (MAKE, "missing required arguments: bucket", {"s3": {"prefix": "x"}}),
    (MAKE, "parameters are required together: access_key, secret_key", {"s3": {"bucket": "b", "access_key": "x"}}),
    (
        MAKE,
        "parameters are mutually exclusive: access_key|profile",
        {"s3": {"bucket": "b", "access_key": "x", "secret_key": SECRET, "profile": "p"}},
    ),
    (MAKE, "(nobodys) could not be found", {"s3": {"bucket": "b", "profile": "nobodys"}}),
    (
        MAKE,
        "Invalid endpoint",
        {"s3": {"bucket": "b", "access_key": "x", "secret_key": SECRET, "endpoint_url": "s3.example.com"}},
    ),
    (
        MAKE,
        "Check region and network",
        {"s3": {"bucket": "b", "access_key": "x", "secret_key": SECRET, "endpoint_url": "http://127.0.0.1:9"}},
    ),
    (TIMER, "randomized_delay is a time in seconds", {"randomized_delay": -1}),
    (TIMER, "value of state must be one of: present, absent", {"state": "started"}),
    (TIMER, "access_key", {"s3": {"bucket": "b", "access_key": "x"}}),
    (TIMER, "keep_count is -1", {"keep_count": -1}),
    (TIMER, "is inside /etc/gitlab", {"sets_path": "/etc/gitlab/sets"}),
)


def test_refused(host: Host) -> None:
    there = STATE.exists()
    answers = host.results(*((task, options) for task, _words, options in CASES))
    faults = [
        f"{task} {options}: {words!r} is missing in {answer.get('msg')!r}"
        for (task, words, options), answer in zip(CASES, answers, strict=True)
        if not answer.get("failed") or words not in str(answer.get("msg"))
    ]
    assert faults == []
    assert not any(SECRET in str(answer) for answer in answers)
    assert STATE.exists() == there
