# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set comes from S3 by URLs that one process signs and another fetches by, and goes on where it was broken off."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_set,
    _backup_store,
    _restore_fetch,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Bucket
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import (
    Archive,
    Kind,
    Manifest,
    Pieces,
    Release,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._restore_fetch import FetchFailed, Order
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _restore_s3
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._s3_client import S3Error
from testbed.aws import AwsServer
from testbed.aws.server import REGION, reset

OLD, ID, LATER = (f"{1795504809 + number}_2026_11_24_18.11.4" for number in (-9, 0, 9))
PIECE = 1 << 20
BUCKET = Bucket("backups", "gitlab.example.com", REGION)
CONTENT = bytes(range(256)) * 4096 * 3 + b"end"  # three whole pieces and a bit
CONFIG = b"configuration"


@pytest.fixture(scope="module")
def _running() -> t.Iterator[AwsServer]:
    with AwsServer() as running:
        yield running


@pytest.fixture
def s3(_running: AwsServer) -> t.Any:
    reset()
    client = _running.client("s3")
    client.create_bucket(Bucket="backups", CreateBucketConfiguration={"LocationConstraint": REGION})
    return client


def pieces(content: bytes) -> Pieces:
    parts = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
    return Pieces(PIECE, tuple(base64.b64encode(hashlib.sha256(part).digest()).decode() for part in parts))


def manifest(set_id: str = ID, **options: t.Any) -> Manifest:
    archives = (
        Archive(
            Kind.APPLICATION, f"{set_id}_gitlab_backup.tar", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), 1, (),
            pieces(CONTENT),
        ),
        Archive(
            Kind.CONFIGURATION, "config.tar", len(CONFIG), hashlib.sha256(CONFIG).hexdigest(), 1, (), pieces(CONFIG),
        ),
    )  # fmt: skip
    return Manifest(set_id, Release("18.11.4"), archives, "host", "x", "y", "0", options=options)


def shelve(s3: t.Any, one: Manifest, *, whole: bool = True, content: bytes = CONTENT) -> None:
    names = {one.application.file: content, one.configuration.file: CONFIG}
    names.update({_backup_set.MANIFEST: _backup_set.dump(one).encode()} if whole else {})
    for name, text in names.items():
        s3.put_object(Bucket="backups", Key=BUCKET.key(one.id, name), Body=text)


def order(s3: t.Any, sets: pathlib.Path, set_id: str = ID) -> Order:
    shelf = _restore_s3.Shelf(s3, BUCKET)
    text, found = shelf.manifest(set_id)
    return Order(str(sets), text, shelf.urls(found))


def quiet(_words: str) -> None:
    """Say nothing."""


def test_which_sets_there_are(s3: t.Any) -> None:
    for one in (manifest(ID), manifest(OLD), manifest(LATER, origin="restore")):
        shelve(s3, one)
    shelve(s3, manifest("1795509999_2026_11_24_18.11.4"), whole=False)
    s3.put_object(Bucket="backups", Key="gitlab.example.com/notes/manifest.json", Body=b"x")
    shelf = _restore_s3.Shelf(s3, BUCKET)
    assert shelf.ids() == [OLD, ID, LATER]
    assert shelf.resolve("latest") == ID
    assert shelf.resolve(OLD) == OLD


def test_an_empty_bucket_and_one_that_is_not_there(s3: t.Any) -> None:
    with pytest.raises(S3Error, match="There is no whole set"):
        _restore_s3.Shelf(s3, BUCKET).resolve("latest")
    with pytest.raises(S3Error, match="Check the bucket's name"):
        _restore_s3.Shelf(s3, dataclasses.replace(BUCKET, bucket="elsewhere")).ids()
    with pytest.raises(S3Error, match="There is no such set there"):
        _restore_s3.Shelf(s3, BUCKET).manifest(ID)


def test_a_copy_that_is_cut_off_is_seen_before_anything_begins(s3: t.Any) -> None:
    shelve(s3, manifest(), content=CONTENT[:-1])
    with pytest.raises(S3Error, match="the copy is damaged"):
        order(s3, pathlib.Path("unused"))


def test_fetched_whole_and_private(s3: t.Any, tmp_path: pathlib.Path) -> None:
    shelve(s3, manifest())
    kept = _restore_fetch.fetch(order(s3, tmp_path / "sets"), quiet)
    folder = tmp_path / "sets" / ID
    assert (kept.condition, kept.path) == ("good", str(folder))
    assert (folder / f"{ID}_gitlab_backup.tar").read_bytes() == CONTENT
    assert sorted(path.name for path in folder.iterdir()) == sorted(manifest().files)
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    assert [path.name for path in (tmp_path / "sets").iterdir()] == [ID]


def test_what_is_there_already_is_not_fetched_again(s3: t.Any, tmp_path: pathlib.Path) -> None:
    shelve(s3, manifest())
    _restore_fetch.fetch(order(s3, tmp_path), quiet)
    nowhere = dataclasses.replace(order(s3, tmp_path), urls={})
    assert _restore_fetch.fetch(nowhere, quiet).condition == "good"


def test_it_goes_on_where_it_was_broken_off(s3: t.Any, tmp_path: pathlib.Path) -> None:
    shelve(s3, manifest())
    wanted = order(s3, tmp_path)
    told = []

    def break_off(words: str) -> None:
        told.append(words)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _restore_fetch.fetch(wanted, break_off)
    assert _backup_store.sets(str(tmp_path)) == []
    told.clear()
    _restore_fetch.fetch(wanted, told.append)
    assert 1 <= len(told) <= 3  # of five ranges
    assert (tmp_path / ID / f"{ID}_gitlab_backup.tar").read_bytes() == CONTENT


def test_a_piece_that_is_not_what_was_sent(s3: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelve(s3, manifest(), content=CONTENT[:-1] + b"X")
    monkeypatch.setattr(_restore_fetch, "TRIES", 1)
    with pytest.raises(FetchFailed, match="another checksum than the manifest says"):
        _restore_fetch.fetch(order(s3, tmp_path), quiet)
    assert _backup_store.sets(str(tmp_path)) == []


def test_an_object_that_is_gone(s3: t.Any, tmp_path: pathlib.Path) -> None:
    shelve(s3, manifest())
    wanted = order(s3, tmp_path)
    s3.delete_object(Bucket="backups", Key=BUCKET.key(ID, "config.tar"))
    with pytest.raises(FetchFailed, match="HTTP 404"):
        _restore_fetch.fetch(wanted, quiet)


def test_too_little_room(s3: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelve(s3, manifest())
    monkeypatch.setattr(_restore_fetch._backup_space, "free", lambda path: 1)
    with pytest.raises(FetchFailed, match="too little room for the set"):
        _restore_fetch.fetch(order(s3, tmp_path), quiet)


@pytest.mark.parametrize(
    ("status", "body", "expired"),
    [
        pytest.param(
            403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", True, id="url"
        ),
        pytest.param(400, "<Error><Code>ExpiredToken</Code></Error>", True, id="session"),
        pytest.param(403, "<Error><Code>AccessDenied</Code></Error>", False, id="denied"),
    ],
)
def test_urls_that_expired_are_told_from_those_that_never_worked(status: int, body: str, expired: bool) -> None:
    with pytest.raises(FetchFailed) as failed:
        _restore_fetch._refused(_restore_fetch.Range("x", 0, 0, 1, None), status, body)
    assert failed.value.expired is expired


def test_left_overs_of_other_sets_are_removed(tmp_path: pathlib.Path) -> None:
    for name in (f"{ID}.fetch", f"{OLD}.fetch", "notes.fetch", OLD):
        (tmp_path / name).mkdir()
    _restore_fetch.forget(str(tmp_path), but=ID)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([f"{ID}.fetch", "notes.fetch", OLD])
