# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timer's way to S3: the aws command, with the same checksums as a copy that the controller signs."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_awscli,
    _backup_pieces,
    _backup_store,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_awscli import CopyFailed
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Bucket, Refused
from testbed.aws import AwsServer
from testbed.aws.server import REGION, reset
from testbed.aws.steering import STEERING
from unit.plugins.plugin_utils import awscli
from unit.plugins.plugin_utils.test_backup_s3 import ID, MIB, HostSide


@pytest.fixture(scope="module")
def _running() -> t.Iterator[AwsServer]:
    with AwsServer() as running:
        yield running


@pytest.fixture
def aws(_running: AwsServer) -> awscli.Aws:
    reset()
    client = _running.client("s3")
    client.create_bucket(Bucket="backups", CreateBucketConfiguration={"LocationConstraint": REGION})
    return awscli.Aws(client)


@pytest.fixture
def bucket() -> Bucket:
    return Bucket("backups", "p", REGION, program="sh")  # some program that is there


@pytest.fixture
def kept(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> _backup_store.Kept:
    host = HostSide(tmp_path)
    files = _backup_pieces.files
    monkeypatch.setattr(_backup_pieces, "files", lambda kept: files(kept, 5 * MIB))
    return _backup_store.find(str(host.sets), ID)


def copy(kept: _backup_store.Kept, bucket: Bucket, aws: awscli.Aws) -> str:
    return _backup_awscli.copy(kept, bucket, aws.run, lambda unused: None)


def test_a_set_is_copied_and_known_to_be_there(
    _running: AwsServer, aws: awscli.Aws, bucket: Bucket, kept: _backup_store.Kept
) -> None:
    assert copy(kept, bucket, aws) == f"s3://backups/p/{ID}"
    for name in (f"{ID}_gitlab_backup.tar", "config.tar", "manifest.json"):
        found = _running.client("s3").get_object(Bucket="backups", Key=f"p/{ID}/{name}")
        assert found["Body"].read() == (pathlib.Path(kept.path) / name).read_bytes()
    assert _backup_store.read_copies(kept.path)[f"s3://backups/p/{ID}"]["state"] == "complete"
    assert aws.calls.count("upload-part") == 5
    copy(kept, bucket, aws)
    assert aws.calls.count("upload-part") == 5
    assert {path.name for path in pathlib.Path(kept.path).iterdir()} == {
        *(kept.manifest.files if kept.manifest else ()),
        "copies.json",
    }


def test_a_copy_that_was_broken_off_goes_on(aws: awscli.Aws, bucket: Bucket, kept: _backup_store.Kept) -> None:
    STEERING.parts = [(400, "BadDigest", "did not match")]
    with pytest.raises(CopyFailed, match=r"upload-part .* failed.*BadDigest"):
        copy(kept, bucket, aws)
    again = dataclasses.replace(kept, copies=_backup_store.read_copies(kept.path))
    assert again.copies[bucket.url(ID)]["state"] == "unfinished"
    copy(again, bucket, aws)
    assert aws.calls.count("create-multipart-upload") == 3


def test_the_program_is_missing(aws: awscli.Aws, bucket: Bucket) -> None:
    gone = dataclasses.replace(bucket, program="aws-that-is-not-there")
    with pytest.raises(Refused, match="Install the package awscli"):
        _backup_awscli.check(gone, aws.run)
    assert aws.calls == []


def test_the_bucket_is_missing(aws: awscli.Aws, bucket: Bucket) -> None:
    with pytest.raises(Refused, match=r"s3://nobodys failed: .*Nothing was changed"):
        _backup_awscli.check(dataclasses.replace(bucket, bucket="nobodys"), aws.run)
    _backup_awscli.check(bucket, aws.run)


def test_a_file_that_is_shorter_than_its_manifest(aws: awscli.Aws, bucket: Bucket, kept: _backup_store.Kept) -> None:
    files = _backup_pieces.files(kept)
    assert files[0].pieces[-1].size < 5 * MIB
    calls = _backup_awscli._Aws(bucket, aws.run)
    piece = dataclasses.replace(files[1].pieces[0], size=99)
    with pytest.raises(CopyFailed, match="shorter than its manifest"):
        calls.send("k", "u", pathlib.Path(kept.path) / "config.tar", piece)
