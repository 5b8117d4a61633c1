# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set is there whole or not at all, whatever GitLab's commands do and wherever the run is killed."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pathlib
import tarfile
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_main,
    _backup_make,
    _backup_plan,
    _backup_result,
    _backup_steps,
    _backup_store,
    _backup_work,
    _git_refs,
    _gitlab_fingerprint,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_lock import Busy
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Bucket, Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_steps import BackupFailed
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._gitlab_fingerprint import Fingerprint, Rows
from unit.plugins.module_utils.backup_host import Gitlab, Killed, tar

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root backs up GitLab")


@pytest.fixture
def gitlab(tmp_path: pathlib.Path) -> Gitlab:
    return Gitlab(tmp_path)


def test_a_good_set(gitlab: Gitlab) -> None:
    manifest, recovered = gitlab.make(skip=("uploads",), tool="0.1.0")
    folder = gitlab.sets / manifest.id
    assert recovered == []
    assert gitlab.names() == [manifest.id]
    assert sorted(path.name for path in folder.iterdir()) == sorted(manifest.files)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} <= {0o600, 0o644}  # the twin's own umask
    assert folder.stat().st_mode & 0o777 == gitlab.sets.stat().st_mode & 0o777 == 0o700
    for archive in manifest.archives:
        content = (folder / archive.file).read_bytes()
        assert (archive.size, archive.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    states = {part.name: (part.state, part.members) for part in manifest.application.parts}
    assert states == {
        "db": ("included", 1),
        "repositories": ("included", 1),
        "lfs": ("included", 1),
        "uploads": ("skipped", 0),
    }
    assert manifest.release.package == "gitlab-ce-18.11.4-ce.0.el9"
    assert manifest.options == {"origin": "playbook", "strategy": "stream", "skip": ("uploads",)}
    assert list(gitlab.backups.iterdir()) == []
    assert list(gitlab.config_backup.iterdir()) == []
    kept = _backup_store.find(str(gitlab.sets), "latest")
    assert kept.manifest is not None
    assert kept.manifest.application == manifest.application


def test_what_gitlab_is_asked_for(gitlab: Gitlab) -> None:
    gitlab.make(strategy="copy", compress_cmd="zstd -1 -T0", decompress_cmd="zstd -d", max_concurrency=4)
    config, rake = gitlab.calls[-2:]
    assert config == ["gitlab-ctl", "backup-etc", "--no-delete-old-backups"]
    assert rake == [
        "gitlab-rake",
        "gitlab:backup:create",
        "BACKUP=1795504810_2026_11_24_18.11.4",
        "SKIP=",
        "STRATEGY=copy",
        "INCREMENTAL=no",
        "COMPRESS_CMD=zstd -1 -T0",
        "DECOMPRESS_CMD=zstd -d",
        "GITLAB_BACKUP_MAX_CONCURRENCY=4",
    ]


def test_the_connection_of_a_backup_role(gitlab: Gitlab) -> None:
    env = gitlab.folder / "rails" / "env"
    env.mkdir()
    (env / "env-connection").write_text("export REGISTRY=1\n")
    gitlab.make()
    assert gitlab.calls[-1][:2] == ["/bin/sh", "-c"]
    assert gitlab.calls[-1][4:7] == [str(env / "env-connection"), "--", "gitlab-rake"]


def test_the_archive_may_stay_where_gitlab_prunes(gitlab: Gitlab) -> None:
    manifest, _recovered = gitlab.make(keep_in_backup_path=True)
    left = gitlab.backups / manifest.application.file
    assert left.samefile(gitlab.sets / manifest.id / manifest.application.file)


def test_other_file_systems_get_a_copy(gitlab: Gitlab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*unused: t.Any, **more: t.Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    manifest, _recovered = gitlab.make()
    assert _backup_store.find(str(gitlab.sets), manifest.id).condition == "good"
    assert list(gitlab.backups.iterdir()) == []


def test_pieces_for_s3(gitlab: Gitlab) -> None:
    manifest, _recovered = gitlab.make(piece_size=1 << 20)
    assert manifest.application.pieces is not None
    assert len(manifest.application.pieces.sha256) == 1


def test_an_incremental_backup_finds_the_one_before(gitlab: Gitlab) -> None:
    first, _recovered = gitlab.make()
    seen: list[bool] = []
    gitlab.during = lambda: seen.append((gitlab.backups / first.application.file).exists())
    second, _recovered = gitlab.make(incremental=True)
    assert f"PREVIOUS_BACKUP={first.id}" in gitlab.calls[-1]
    assert seen == [True]
    assert list(gitlab.backups.iterdir()) == []
    assert gitlab.names() == [first.id, second.id]


def test_gitlab_can_read_a_fetched_archive_that_an_incremental_backup_builds_on(gitlab: Gitlab) -> None:
    first, _recovered = gitlab.make()
    os.chown(gitlab.sets / first.id / first.application.file, 0, 0)
    os.chown(gitlab.backups, 998, 998)
    owners: list[int] = []
    gitlab.during = lambda: owners.append((gitlab.backups / first.application.file).stat().st_uid)
    gitlab.make(incremental=True)
    assert owners == [998]


def test_an_incremental_backup_builds_on_a_whole_set(gitlab: Gitlab) -> None:
    first, _recovered = gitlab.make()
    gitlab.make(skip=("repositories",))
    gitlab.make(origin="restore")
    _manifest, _recovered = gitlab.make(incremental=True)
    assert f"PREVIOUS_BACKUP={first.id}" in gitlab.calls[-1]


def test_partial_sets_do_not_push_out_the_whole_one(gitlab: Gitlab) -> None:
    whole, _recovered = gitlab.make()
    partial = [gitlab.make(skip=("repositories",))[0].id for _night in range(3)]
    request = gitlab.request(keep_count=2, skip=("repositories",))
    planned = _backup_plan.plan(request, gitlab.places, gitlab.run, gitlab.now + 1).expired
    assert planned == tuple(partial[:2])
    assert _backup_make.prune(request, gitlab.host()) == partial[:1]
    assert gitlab.names() == [whole.id, *partial[1:]]


URL = "s3://backups/p"
WAITS = {"state": "unfinished", "uploads": {}}


def test_a_set_says_from_its_first_moment_that_it_is_to_be_copied(
    gitlab: Gitlab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*unused: t.Any, **more: t.Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(_backup_work, "settle", die)
        with pytest.raises(Killed):
            gitlab.make(copies_to=URL)
    elsewhere, _recovered = gitlab.make(bucket=Bucket("others"))
    gitlab.make()
    copies = [one.copies for one in _backup_store.sets(str(gitlab.sets))]
    first = "1795504810_2026_11_24_18.11.4"
    assert copies == [{f"{URL}/{first}": WAITS}, {f"s3://others/{elsewhere.id}": WAITS}, {}]


def test_what_waits_for_another_bucket_is_left(gitlab: Gitlab) -> None:
    ids = [gitlab.make(copies_to=url)[0].id for url in (URL, "s3://others", URL)]
    request = gitlab.request(copies_to=URL, piece_size=5 << 20).as_json()
    assert _backup_main.pieces({"request": request, "id": ids[-1]})["unfinished"] == ids[:1]


def _rewrite(gitlab: Gitlab) -> None:
    (gitlab.folder / "etc" / "gitlab-secrets.json").write_text('{"gitlab_rails": {"db_key_base": "y"}}')


def _renamed(archive: bytes) -> bytes:
    """The dump of another database alone."""
    members = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar_file:
        for member in tar_file:
            file = tar_file.extractfile(member)
            name = member.name.replace("db/database", "db/ci_database") + ("/" if member.isdir() else "")
            members[name] = file.read() if file else b""
    return tar(members)


BAD: dict[str, tuple[dict[str, t.Any], str, bool]] = {
    # what GitLab does, what the message names, whether the archive is kept aside
    "part": ({"rc": 1, "says": ("Dumping uploads failed: x",)}, "Dumping uploads failed: x", True),
    "part-and-0": ({"says": ("Dumping uploads failed: x",)}, "Dumping uploads failed: x", True),
    "status": ({"rc": 1}, "it ended with 1", True),
    "full": ({"rc": 1, "says": ("tar: -: No space left on device",)}, "Make room for it", False),
    "cut": ({"damage": lambda content: content[:1500]}, "in the middle", True),
    "lost": ({"lost": "lfs"}, "the part lfs was dumped and is not in it", True),
    "no-dump": ({"lost": "db"}, "the part db was dumped and is not in it", True),
    "other-dump": ({"damage": _renamed}, "db/database.sql.gz is not in it", True),
    "version": ({"damage": lambda content: content.replace(b"18.11.4", b"18.11.3", 1)}, "is of GitLab 18.11.3", True),
    "config": ({"config_rc": 1, "config_stderr": "tar: x"}, "gitlab-ctl backup-etc failed", False),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_backup_is_no_set(gitlab: Gitlab, case: str) -> None:
    good, _recovered = gitlab.make()
    changes, words, kept_aside = BAD[case]
    for name, value in changes.items():
        setattr(gitlab, name, value)
    with pytest.raises(BackupFailed) as failed:
        gitlab.make(keep_count=1)
    assert words in str(failed.value)
    assert "here is no new set" in str(failed.value)
    failed_id = "1795504811_2026_11_24_18.11.4"
    assert gitlab.names() == [good.id, *([f"{failed_id}.failed"] if kept_aside else [])]
    assert list(gitlab.backups.iterdir()) == list(gitlab.config_backup.iterdir()) == []
    if kept_aside:
        one = _backup_store.sets(str(gitlab.sets))[-1]
        assert (one.id, one.condition, words in one.problem) == (failed_id, "failed", True)


def test_secrets_that_change_meanwhile(gitlab: Gitlab) -> None:
    gitlab.during = lambda: _rewrite(gitlab)
    with pytest.raises(BackupFailed, match="changed while the backup was made"):
        gitlab.make()


def test_one_failed_backup_is_kept_until_a_good_one(gitlab: Gitlab) -> None:
    gitlab.rc = 1
    for _try in range(2):
        with pytest.raises(BackupFailed):
            gitlab.make()
    assert gitlab.names() == ["1795504811_2026_11_24_18.11.4.failed"]
    gitlab.rc = 0
    manifest, _recovered = gitlab.make()
    assert gitlab.names() == [manifest.id]


def test_an_archive_that_is_elsewhere(gitlab: Gitlab, tmp_path: pathlib.Path) -> None:
    (tmp_path / "other").mkdir()
    with pytest.raises(BackupFailed, match="Give as backup_path what"):
        _backup_make.make(
            _backup_make.dataclasses.replace(gitlab.request(), backup_path=str(tmp_path / "other")), gitlab.host()
        )


def _renders(gitlab: Gitlab, path: str) -> None:
    (gitlab.folder / "rails" / "gitlab.yml").write_text(f'production:\n  backup:\n    path: "{path}"\n')


def test_the_backup_path_of_gitlab_may_be_a_link(gitlab: Gitlab) -> None:
    (gitlab.folder / "link").symlink_to(gitlab.backups)
    _renders(gitlab, str(gitlab.folder / "link"))
    gitlab.make()


REFUSED: dict[str, tuple[t.Callable[[Gitlab], t.Any], dict[str, t.Any], str]] = {
    "not-installed": (lambda g: (g.folder / "rails" / "VERSION").unlink(), {}, "GitLab is not installed here"),
    "not-configured": (lambda g: (g.folder / "rails" / "rc").unlink(), {}, "Run gitlab-ctl reconfigure"),
    "no-backup-path": (lambda g: g.backups.rmdir(), {}, "is no directory"),
    "another-backup-path": (lambda g: _renders(g, "/srv/backups"), {}, "Give /srv/backups as backup_path"),
    "sets-path-is-a-file": (lambda g: g.sets.touch(), {}, "is a link or a file"),
    "no-full-backup": (lambda g: None, {"incremental": True}, "Make a full backup first"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_be_seen_to_fail_is_refused(gitlab: Gitlab, case: str) -> None:
    prepare, options, words = REFUSED[case]
    prepare(gitlab)
    with pytest.raises(Refused, match=words):
        gitlab.make(**options)
    assert all(call[0] == "rpm" for call in gitlab.calls)


def test_too_little_room(gitlab: Gitlab, monkeypatch: pytest.MonkeyPatch) -> None:
    gitlab.make()
    monkeypatch.setattr("os.statvfs", lambda path: os.statvfs_result((512, 512, 9, 9, 9, 0, 0, 0, 0, 255)))
    with pytest.raises(Refused, match=r"too little room.*needs .* and has 4.5 KiB free.*turn check_space off"):
        gitlab.make()
    gitlab.make(check_space=False)


def test_an_incremental_backup_of_another_version(gitlab: Gitlab) -> None:
    gitlab.make()
    (gitlab.folder / "rails" / "VERSION").write_text("18.11.5\n")
    with pytest.raises(Refused, match=r"of another version than the installed 18\.11\.5"):
        gitlab.make(incremental=True)


def test_gitlabs_own_backup_is_at_work(gitlab: Gitlab) -> None:
    (gitlab.folder / "rails" / "pid").write_text(f"{os.getpid()}\n")
    with pytest.raises(Busy, match=f"names the process {os.getpid()}"):
        gitlab.make()
    (gitlab.folder / "rails" / "pid").write_text("999999999")
    gitlab.make()


@pytest.mark.parametrize("where", ["rake", "noted", "pass", "manifest", "unnamed", "renamed"])
def test_killed_anywhere_and_run_again(gitlab: Gitlab, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was good stays good; what GitLab had finished becomes a set; nothing else is left."""

    def die(*unused: t.Any, **more: t.Any) -> t.Any:
        raise Killed

    first, _recovered = gitlab.make()
    with monkeypatch.context() as patched:
        if where == "rake":
            gitlab.during = die
        elif where == "noted":
            patched.setattr(_backup_steps, "finish", die)
        elif where == "pass":
            patched.setattr("ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_pass.read", die)
            patched.setattr(_backup_steps, "configuration", _kept_configuration(gitlab))
        elif where == "manifest":
            patched.setattr(_backup_store, "write_text", _dies_at(_backup_store.write_text, "manifest.json"))
        elif where == "unnamed":
            patched.setattr(pathlib.Path, "rename", die)
        else:
            patched.setattr(_backup_store, "sync", _dies_at(_backup_store.sync, "sets"))
        with pytest.raises(Killed):
            gitlab.make(incremental=where == "rake")
        gitlab.during = lambda: None
    killed = "1795504811_2026_11_24_18.11.4"
    third, recovered = gitlab.make()
    finished = [] if where == "rake" else [killed]
    assert gitlab.names() == [first.id, *finished, third.id]
    assert [one.condition for one in _backup_store.sets(str(gitlab.sets))] == ["good"] * len(gitlab.names())
    assert len(recovered) == 1
    assert list(gitlab.backups.iterdir()) == []
    left = {path.name for name in gitlab.names() for path in (gitlab.sets / name).iterdir()}
    assert "making.json" not in left


def _kept_configuration(gitlab: Gitlab) -> t.Callable[..., t.Any]:
    """The configuration as a run before made it."""

    def configuration(request: t.Any, host: t.Any, making: t.Any) -> t.Any:
        kept = _backup_store.find(str(gitlab.sets), "latest")
        assert kept.manifest is not None
        file = kept.manifest.configuration.file
        os.link(f"{kept.path}/{file}", _backup_work.folder(request.sets_path, making.id) / file)
        return _backup_steps.dataclasses.replace(
            making, configuration=kept.manifest.configuration, secrets_sha256=kept.manifest.secrets_sha256
        )

    return configuration


def _dies_at(write: t.Callable[..., None], name: str) -> t.Callable[..., None]:
    def written(path: pathlib.Path, *text: str) -> None:
        if path.name == name:
            raise Killed
        write(path, *text)

    return written


def test_what_others_put_into_backup_path_stays(gitlab: Gitlab) -> None:
    def die() -> None:
        (gitlab.backups / "notes.tar.gz").touch()
        raise Killed

    old = gitlab.backups / "uploads.tar.gz"
    old.touch()
    os.utime(old, (1, 1))
    gitlab.during = die
    with pytest.raises(Killed):
        gitlab.make()
    assert (gitlab.backups / "db").exists()
    gitlab.during = lambda: None
    gitlab.make()
    assert sorted(path.name for path in gitlab.backups.iterdir()) == ["notes.tar.gz", "uploads.tar.gz"]


def test_a_disk_that_fails_in_the_last_step_loses_nothing(gitlab: Gitlab, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*unused: t.Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(_backup_work, "seal", full)
        with pytest.raises(BackupFailed, match="the next run reads its archive and makes it a set"):
            gitlab.make()
    _manifest, recovered = gitlab.make()
    assert recovered == ["finished 1795504810_2026_11_24_18.11.4, which an earlier run had made but not sealed"]


def test_seconds_and_stages_are_kept(gitlab: Gitlab) -> None:
    gitlab.make()
    known = json.loads((gitlab.folder / "state" / "last.json").read_text())
    assert known["stage"] == "reading the archive"
    assert set(known["seconds"]) <= {"gitlab", "pass"}
    found = _backup_result.read(str(gitlab.folder / "state"))
    assert found is not None
    assert found["state"] == "running"


@pytest.mark.parametrize(
    ("repositories", "good"),
    [
        pytest.param({}, True, id="none"),
        pytest.param({"default/x.git": _git_refs.EMPTY}, True, id="nothing-pushed"),
        pytest.param({"default/x.git": "1f"}, False, id="some"),
        pytest.param(None, False, id="not-read"),
    ],
)
def test_a_server_without_repositories(
    gitlab: Gitlab, repositories: t.Optional[dict[str, str]], good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Fingerprint({"projects": Rows(0, None)}, repositories, {})
    monkeypatch.setattr(_gitlab_fingerprint, "take", lambda *unused: found)
    gitlab.lost = "repositories"
    if good:
        gitlab.make(fingerprint=True)
        return
    if repositories is None:  # whoever does not count them takes the folder for it
        gitlab.make(fingerprint=True)
        gitlab.folders = False
    with pytest.raises(BackupFailed, match="repositories was dumped and is not in it"):
        gitlab.make(fingerprint=True)


def test_a_database_that_does_not_answer(gitlab: Gitlab, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Fingerprint(None, {}, {}, {"database": "gitlab-psql ended with 2"})
    monkeypatch.setattr(_gitlab_fingerprint, "take", lambda *unused: found)
    with pytest.raises(Refused, match=r"gitlab-psql ended with 2.*gitlab-ctl start postgresql"):
        gitlab.make(fingerprint=True)
    assert gitlab.names() == []
