# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups that are made: what is said, what is in the archive, what a failure leaves (server facts 1)."""

from __future__ import annotations

import gzip
import io
import os
import re
import subprocess
import sys
import tarfile

import pytest

from .conftest import VERSION, Instance

PARTS = (
    *("uploads", "builds", "artifacts", "pages", "lfs", "terraform_state", "packages", "ci_secure_files"),
    "external_diffs",
)
LFS, TERRAFORM = "lfs objects", "terraform states"
TITLES = ("uploads", "builds", "artifacts", "pages", LFS, TERRAFORM)
AFTER_REGISTRY = ("packages", "ci secure files", "external diffs")


def members(gitlab: Instance, place: int = -1) -> list[str]:
    with tarfile.open(gitlab.archives[place]) as archive:
        return archive.getnames()


def content(gitlab: Instance, name: str) -> bytes:
    with tarfile.open(gitlab.archives[-1]) as archive:
        stored = archive.extractfile(name)
        assert stored is not None
        return stored.read()


def failed(lines: list[str]) -> list[str]:
    return [line for line in lines if re.match(r"(Dumping|Creating|Uploading)\b.* failed(:|$)", line)]


def test_what_is_said(gitlab: Instance) -> None:
    done = gitlab.rake("gitlab:backup:create", BACKUP="mine")
    pairs = [line for title in TITLES for line in (f"Dumping {title} ... ", f"Dumping {title} ... done")]
    more = [line for title in AFTER_REGISTRY for line in (f"Dumping {title} ... ", f"Dumping {title} ... done")]
    backups, pid = gitlab.places.backups, gitlab.places.pid_file
    archive = "mine_gitlab_backup.tar"
    assert (done.rc, done.stderr) == (0, "")
    assert [line for line in done.messages if "Cleaning up" not in line] == [
        "Dumping database ... ",
        "Dumping PostgreSQL database gitlabhq_production ... ",
        "[DONE]",
        "Dumping database ... done",
        "Dumping repositories ... ",
        "Dumping repositories ... done",
        *pairs,
        "Dumping container registry images ... [DISABLED]",
        *more,
        f"Creating backup archive: {archive} ... ",
        f"Creating backup archive: {archive} ... done",
        "Uploading backup archive to remote storage  ... [SKIPPED]",
        "Deleting old backups ... [SKIPPED]",
        "Deleting tar staging files ... ",
        "Deleting tar staging files ... done",
        "Deleting backups/tmp ... ",
        "Deleting backups/tmp ... done",
        "Warning: Your gitlab.rb and gitlab-secrets.json files contain sensitive data",
        "and are not included in this backup. You will need these files to restore a backup.",
        "Please back them up manually.",
        "Backup mine is done.",
        f"Deleting backup and restore PID file at [{pid}] ... done",
    ]
    assert sorted(path.name for path in backups.iterdir()) == [archive]
    assert not pid.exists()


def test_the_archive(gitlab: Instance) -> None:
    assert gitlab.rake("twin:load[3]").rc == 0
    assert gitlab.rake("gitlab:backup:create").rc == 0
    names = members(gitlab)
    assert names[:3] == ["backup_information.yml", "db", "db/database.sql.gz"]
    assert [name for name in names if name.endswith(".tar.gz")] == [f"{part}.tar.gz" for part in PARTS]
    assert names.index("repositories/manifests") < names.index("uploads.tar.gz")
    assert sum(name.endswith("/001.bundle") for name in names) == 3
    assert b"CREATE TABLE" in gzip.decompress(content(gitlab, "db/database.sql.gz"))
    with tarfile.open(fileobj=io.BytesIO(content(gitlab, "uploads.tar.gz"))) as uploads:
        assert sum(name.endswith("screenshot.png") for name in uploads.getnames()) == 3
    assert gitlab.archives[-1].stat().st_mode & 0o777 == 0o600
    assert gitlab.archives[-1].name.endswith(f"_{VERSION}_gitlab_backup.tar")


def test_the_manifest(gitlab: Instance) -> None:
    assert gitlab.rake("gitlab:backup:create", BACKUP="mine", SKIP="builds,pages").rc == 0
    lines = content(gitlab, "backup_information.yml").decode().splitlines()
    assert lines[:2] == ["---", ":backup_id: mine"]
    assert ":backup_created_at: !ruby/object:ActiveSupport::TimeWithZone" in lines
    assert "  zone: !ruby/object:ActiveSupport::TimeZone" in lines
    assert f":gitlab_version: {VERSION}" in lines
    assert ":installation_type: omnibus-gitlab" in lines
    assert ":skipped: builds,pages" in lines
    assert ":repositories_paths: ''" in lines
    assert ":full_backup_id: mine" in lines
    assert "builds.tar.gz" not in members(gitlab)


@pytest.mark.parametrize("part", ["db", "lfs"])
def test_a_failed_part_is_told_by_the_status_alone(gitlab: Instance, part: str) -> None:
    gitlab.settings(backup={"keep_time": 1})
    (gitlab.places.backups / "1500000000_2017_07_14_17.0.0_gitlab_backup.tar").touch()
    gitlab.fault("backup-part", part)
    done = gitlab.rake("gitlab:backup:create", BACKUP="mine")
    title = {"db": "database", "lfs": LFS}[part]
    assert done.rc == 1
    assert failed(done.messages)[-1].startswith(f"Dumping {title} failed: Failed to create compressed file '")
    assert "Backup mine is done." in done.messages
    assert "Deleting old backups ... done. (1 removed)" in done.messages
    assert [path.name for path in gitlab.archives] == ["mine_gitlab_backup.tar"]
    assert not gitlab.places.pid_file.exists()


def test_failed_repositories_end_it(gitlab: Instance) -> None:
    gitlab.fault("backup-part", "repositories")
    done = gitlab.rake("gitlab:backup:create")
    assert done.rc == 1
    assert done.stderr.startswith("rake aborted!\nBackup::Error: gitaly-backup exit status 1\n")
    assert '"level":"fatal","msg":"create: pipeline: 1 failures encountered:' in done.stdout
    assert list(gitlab.places.backups.iterdir()) == []


def test_a_damaged_repository_fails(gitlab: Instance) -> None:
    gitlab.rake("twin:load[2]")
    head = next(gitlab.places.repositories.rglob("*.git")) / "HEAD"
    head.write_text("nothing\n")
    assert gitlab.rake("gitlab:backup:create").rc == 1
    assert gitlab.archives == []


def test_a_damage_that_nobody_tells(gitlab: Instance) -> None:
    gitlab.fault("backup-damage", "uploads")
    done = gitlab.rake("gitlab:backup:create")
    assert (done.rc, failed(done.messages)) == (0, [])
    with pytest.raises(EOFError):
        gzip.decompress(content(gitlab, "uploads.tar.gz"))


def test_no_archive(gitlab: Instance) -> None:
    gitlab.fault("backup-archive")
    done = gitlab.rake("gitlab:backup:create", BACKUP="mine")
    assert done.rc == 1
    assert failed(done.messages) == ["Creating archive mine_gitlab_backup.tar failed"]
    assert done.stderr.startswith("rake aborted!\nBackup::Error: Backup failed\n")


UPLOAD = {"connection": {"provider": "AWS", "use_iam_profile": True}, "remote_directory": "bucket"}


def test_upload(gitlab: Instance) -> None:
    gitlab.settings(backup={"upload": {**UPLOAD, "encryption": "AES256"}})
    done = gitlab.rake("gitlab:backup:create", BACKUP="mine", DIRECTORY="daily")
    text = "Uploading backup archive to remote storage bucket ... done (encrypted with AES256)"
    assert (done.rc, text in done.messages) == (0, True)
    assert (gitlab.places.remote / "bucket/daily/mine_gitlab_backup.tar").exists()


def test_a_failed_upload_leaves_the_archive_and_removes_none(gitlab: Instance) -> None:
    gitlab.settings(backup={"upload": UPLOAD, "keep_time": 1})
    (gitlab.places.backups / "1500000000_2017_07_14_17.0.0_gitlab_backup.tar").touch()
    gitlab.fault("backup-upload")
    done = gitlab.rake("gitlab:backup:create", BACKUP="mine")
    assert (done.rc, failed(done.messages)) == (1, ["Uploading backup to bucket failed"])
    assert len(gitlab.archives) == 2


def test_a_local_root_that_is_the_backup_path_loses_the_backup(gitlab: Instance) -> None:
    local = {"provider": "Local", "local_root": "/var/opt/gitlab"}
    gitlab.settings(backup={"upload": {"connection": local, "remote_directory": "backups"}})
    assert gitlab.rake("gitlab:backup:create").rc == 1
    assert gitlab.archives == []


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("1500000000_2017_07_14_17.0.0_gitlab_backup.tar", True),
        ("1500000000_2017_07_14_17.0.0-ee_gitlab_backup.tar", True),
        ("1500000000_gitlab_backup.tar", True),
        ("mine_gitlab_backup.tar", False),
        ("1500000000_2017_07_14_17.0.0-ce_gitlab_backup.tar", False),
        ("9999999999_2286_11_20_18.8.7_gitlab_backup.tar", False),
    ],
)
def test_what_is_removed(gitlab: Instance, name: str, gone: bool) -> None:
    gitlab.settings(backup={"keep_time": 86400})
    (gitlab.places.backups / name).touch()
    gitlab.rake("gitlab:backup:create", BACKUP="new", SKIP="db")
    assert (gitlab.places.backups / name).exists() is not gone


def test_skip_tar_leaves_what_was_staged(gitlab: Instance) -> None:
    gitlab.settings(backup={"upload": UPLOAD, "keep_time": 1})
    done = gitlab.rake("gitlab:backup:create", SKIP="tar,repositories")
    assert done.rc == 0
    assert gitlab.archives == []
    assert {"backup_information.yml", "db", "uploads.tar.gz"} <= {path.name for path in gitlab.places.backups.iterdir()}
    assert not any("Uploading" in line or "Deleting old" in line for line in done.messages)


def test_copy_strategy_and_compression(gitlab: Instance) -> None:
    gitlab.rake("twin:load[2]")
    done = gitlab.rake("gitlab:backup:create", STRATEGY="copy", COMPRESS_CMD="cat")
    assert done.rc == 0
    with tarfile.open(fileobj=io.BytesIO(content(gitlab, "uploads.tar.gz")), mode="r:") as uploads:
        assert uploads.getnames()[0] == "."
    assert not (gitlab.places.backups / "tmp").exists()


def test_the_settings_variable_names_a_compressor_that_is_not_there(gitlab: Instance) -> None:
    done = gitlab.rake("gitlab:backup:create", COMPRESS_CMD="/nothere")
    assert (done.rc, len(failed(done.messages))) == (1, 10)


def test_some_repositories(gitlab: Instance) -> None:
    gitlab.rake("twin:load[4]")
    path = gitlab.sql("SELECT path FROM routes WHERE source_type = 'Project' ORDER BY id LIMIT 1")
    gitlab.rake("gitlab:backup:create", REPOSITORIES_PATHS=path)
    assert sum(name.endswith(".bundle") for name in members(gitlab)) == 1
    gitlab.rake("gitlab:backup:create", BACKUP="z", SKIP_REPOSITORIES_PATHS=path)
    assert sum(name.endswith(".bundle") for name in members(gitlab)) == 3


def test_a_database_that_is_down(gitlab: Instance) -> None:
    gitlab.places.socket.unlink()
    done = gitlab.rake("gitlab:backup:create")
    assert done.rc == 1
    assert done.stderr.startswith(
        "rake aborted!\nActiveRecord::ConnectionNotEstablished: connection to server on socket"
    )
    assert gitlab.archives == []


def test_another_one_runs(gitlab: Instance) -> None:
    gitlab.places.pid_file.write_text(str(os.getpid()))
    done = gitlab.rake("gitlab:backup:create")
    assert done.rc == 1
    assert done.stdout.splitlines() == [
        "Backup and restore in progress:",
        f"There is a backup and restore task in progress (PID {os.getpid()}).",
        "Try to run the current task once the previous one ends.",
    ]
    assert gitlab.places.pid_file.exists()


def test_a_lock_left_behind_is_taken_over(gitlab: Instance) -> None:
    gitlab.places.pid_file.write_text("4194305")
    done = gitlab.rake("gitlab:backup:create")
    path = gitlab.places.pid_file
    assert done.rc == 0
    assert done.stdout.splitlines()[:2] == [
        f"The PID file {path} exists and contains 4194305, but the process is not running.",
        f"The PID file will be rewritten with the current process ID {os.getpid()}.",
    ]


CODE = "import sys; from testbed.gitlab_server.rails.programs import rake; sys.argv[1:] = {words!r}; rake()"


@pytest.mark.parametrize("when", ["db", "repositories", "uploads", "archive", "archive-half"])
def test_killed_half_way_and_run_again(gitlab: Instance, when: str) -> None:
    gitlab.fault("backup-kill", when)
    env = {
        "GITLAB_TWIN_ROOT": str(gitlab.places.root),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    argv = [sys.executable, "-c", CODE.format(words=["gitlab:backup:create", "BACKUP=mine"])]
    assert subprocess.run(argv, env=env, capture_output=True, check=False).returncode == -9
    assert gitlab.places.pid_file.exists()
    assert bool(gitlab.archives) == when.startswith("archive")
    (gitlab.places.faults / "backup-kill").unlink()
    done = gitlab.rake("gitlab:backup:create", BACKUP="mine")
    assert done.rc == 0
    assert "but the process is not running." in done.stdout
    assert sorted(path.name for path in gitlab.places.backups.iterdir()) == ["mine_gitlab_backup.tar"]


def test_cron_is_silent(gitlab: Instance) -> None:
    assert gitlab.rake("gitlab:backup:create", CRON="1").stdout == ""


def test_unknown_task(gitlab: Instance) -> None:
    done = gitlab.rake("gitlab:backup:creat")
    assert done.rc == 1
    assert done.stderr.startswith("rake aborted!\nDon't know how to build task 'gitlab:backup:creat'")
