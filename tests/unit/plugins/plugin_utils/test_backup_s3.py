# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A set goes to S3 by URLs that one process signs and another sends: the program itself, as a host runs it."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_pieces, _backup_send, _backup_set
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_pieces import File
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Bucket, Request
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Archive, Kind, Manifest, Release
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _backup_program, _backup_s3, _s3_client
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._s3_client import Access, S3Error
from testbed.aws import AwsServer
from testbed.aws.server import CREDENTIALS, REGION, reset
from testbed.aws.steering import STEERING

MIB = 1 << 20
ID = "1795504809_2026_11_24_18.11.4"
BUCKET = Bucket("backups", "gitlab.example.com", REGION)
KEYS = {"access_key": CREDENTIALS["aws_access_key_id"], "secret_key": CREDENTIALS["aws_secret_access_key"]}


@pytest.fixture(scope="module")
def _running() -> t.Iterator[AwsServer]:
    with AwsServer() as running:
        yield running


@pytest.fixture
def aws(_running: AwsServer) -> AwsServer:
    reset()
    _running.client("s3").create_bucket(Bucket="backups", CreateBucketConfiguration={"LocationConstraint": REGION})
    return _running


class HostSide:
    """A host with a set; the program works there as a process of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.sets = folder / "sets"
        self.place = self.sets / ID
        self.place.mkdir(parents=True)
        self.program = folder / "backup.pyz"
        self.program.write_bytes(_backup_program.build())
        self.request = Request(sets_path=str(self.sets), state_path=str(folder / "state"))
        self.noted: list[dict[str, str]] = []
        self.sent: list[int] = []
        content = bytes(range(256)) * 4096 * 12 + b"end"  # two whole pieces and a bit
        (self.place / f"{ID}_gitlab_backup.tar").write_bytes(content)
        (self.place / "config.tar").write_bytes(b"configuration")
        archives = (
            Archive(Kind.APPLICATION, f"{ID}_gitlab_backup.tar", len(content), "a" * 64, 1),
            Archive(Kind.CONFIGURATION, "config.tar", 13, "b" * 64, 1),
        )
        manifest = Manifest(ID, Release("18.11.4"), archives, "host", "x", "y", "0")
        (self.place / "manifest.json").write_text(_backup_set.dump(manifest))

    def run(self, command: str, request: dict[str, t.Any]) -> dict[str, t.Any]:
        done = subprocess.run(
            [sys.executable, "-I", self.program, command, "-", "-"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        answer: dict[str, t.Any] = json.loads(done.stdout)
        assert (done.returncode != 0) == bool(answer.get("failed")), done.stderr
        return answer

    def files(self) -> list[File]:
        request = dataclasses.replace(self.request, piece_size=5 * MIB)
        answer = self.run("pieces", {"request": request.as_json(), "id": ID})
        return [_backup_pieces.from_json(file) for file in answer["files"]]

    def send(self, orders: t.Sequence[_backup_send.Order]) -> t.Any:
        request = {"sets_path": str(self.sets), "id": ID, "orders": [dataclasses.asdict(order) for order in orders]}
        self.sent.append(len(orders))
        return self.run("send", request)["sent"]

    def note(self, uploads: t.Mapping[str, str]) -> None:
        self.noted.append(dict(uploads))


@pytest.fixture
def host(tmp_path: pathlib.Path) -> HostSide:
    return HostSide(tmp_path)


def copier(aws: AwsServer, host: HostSide, **access: t.Any) -> _backup_s3.Copier:
    bucket = dataclasses.replace(BUCKET, bucket=access.pop("bucket", BUCKET.bucket))
    given = {"region": REGION, "endpoint_url": aws.url, **KEYS, **access}
    return _backup_s3.Copier(_s3_client.client(Access(**given)), bucket, ID, host, lambda unused: None)


def copied(aws: AwsServer, host: HostSide, uploads: t.Mapping[str, str] | None = None) -> dict[str, str]:
    return copier(aws, host).copy(host.files(), uploads or {})


def test_a_set_is_copied_whole(aws: AwsServer, host: HostSide) -> None:
    checksums = copied(aws, host)
    s3 = aws.client("s3")
    for name in (f"{ID}_gitlab_backup.tar", "config.tar", "manifest.json"):
        found = s3.get_object(Bucket="backups", Key=f"gitlab.example.com/{ID}/{name}")
        assert found["Body"].read() == (host.place / name).read_bytes()
        assert checksums[name]
    assert len(host.noted) == 1
    assert sum(host.sent) == 5
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="backups")
    assert copied(aws, host) == checksums
    assert sum(host.sent) == 5  # what is there is not sent again


def test_the_key_of_kms(aws: AwsServer, host: HostSide) -> None:
    bucket = dataclasses.replace(BUCKET, kms_key_id="alias/backups")
    s3 = _s3_client.client(Access(region=REGION, endpoint_url=aws.url, **KEYS))
    _backup_s3.Copier(s3, bucket, ID, host, lambda unused: None).copy(host.files(), {})
    found = aws.client("s3").head_object(Bucket="backups", Key=f"gitlab.example.com/{ID}/manifest.json")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", "alias/backups")


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param((0, "", ""), id="cut"),
        pytest.param((503, "SlowDown", "Please reduce your request rate."), id="slow-down"),
        pytest.param((400, "RequestTimeout", "Your socket connection was not read from."), id="timeout"),
        pytest.param((403, "AccessDenied", "Request has expired"), id="expired"),
        pytest.param((400, "ExpiredToken", "The provided token has expired."), id="token-expired"),
    ],
)
def test_what_passes_is_tried_again(aws: AwsServer, host: HostSide, fault: tuple[int, str, str]) -> None:
    STEERING.parts = [fault]
    assert set(copied(aws, host)) == {f"{ID}_gitlab_backup.tar", "config.tar", "manifest.json"}
    assert STEERING.parts == []


def test_urls_that_expired_are_signed_again(aws: AwsServer, host: HostSide, monkeypatch: pytest.MonkeyPatch) -> None:
    signed: list[int] = []

    def seconds() -> int:
        signed.append(1)
        return -5 if len(signed) <= 5 else 600

    given = copier(aws, host)
    sign = given._s3.generate_presigned_url
    given._s3.generate_presigned_url = lambda name, Params, ExpiresIn: sign(name, Params=Params, ExpiresIn=seconds())
    given.copy(host.files(), {})
    assert host.sent == [5, 5]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param((403, "AccessDenied", "Access Denied"), "AccessDenied: Access Denied", id="no-permission"),
        pytest.param((400, "BadDigest", "did not match"), "do not use this set", id="checksum"),
    ],
)
def test_what_stays_is_an_error_and_resumed(
    aws: AwsServer, host: HostSide, fault: tuple[int, str, str], words: str
) -> None:
    STEERING.parts = [fault]
    with pytest.raises(S3Error) as failed:
        copied(aws, host)
    assert words in str(failed.value)
    assert "X-Amz-Signature" not in str(failed.value)
    before = sum(host.sent)
    copied(aws, host, host.noted[-1])
    assert len(host.noted) == 1  # the same uploads
    assert 1 <= sum(host.sent) - before < 5


def test_a_file_that_changed_on_the_host_is_refused(aws: AwsServer, host: HostSide) -> None:
    files = host.files()
    with (host.place / f"{ID}_gitlab_backup.tar").open("r+b") as file:
        file.seek(6 * MIB)
        file.write(b"flipped")
    with pytest.raises(S3Error, match=r"piece 2 of .* BadDigest.* make another"):
        copier(aws, host).copy(files, {})


def test_an_upload_that_is_gone_is_begun_anew(aws: AwsServer, host: HostSide) -> None:
    copied(aws, host, {"config.tar": "no-such-upload"})
    assert set(host.noted[0]) == {f"{ID}_gitlab_backup.tar", "config.tar", "manifest.json"}


def test_another_object_of_that_name_is_replaced(aws: AwsServer, host: HostSide) -> None:
    key = f"gitlab.example.com/{ID}/config.tar"
    aws.client("s3").put_object(Bucket="backups", Key=key, Body=b"configuratioN", ChecksumAlgorithm="SHA256")
    copied(aws, host)
    assert aws.client("s3").get_object(Bucket="backups", Key=key)["Body"].read() == b"configuration"


def test_a_bucket_that_is_missing(aws: AwsServer, host: HostSide) -> None:
    with pytest.raises(S3Error, match="Create the bucket first"):
        copier(aws, host, bucket="nobodys").check()
    copier(aws, host).check()


@pytest.mark.parametrize(
    ("access", "words"),
    [
        pytest.param({"access_key": None, "secret_key": None}, "has no AWS credentials", id="none"),
        pytest.param({"access_key": None, "secret_key": None, "profile": "nobodys"}, "nobodys", id="profile"),
        pytest.param({"endpoint_url": "s3.example.com"}, "Invalid endpoint", id="endpoint"),
    ],
)
def test_access_that_can_not_be(
    access: dict[str, t.Any], words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(S3Error, match=words):
        _s3_client.client(Access(**{"region": REGION, **KEYS, **access}))


def test_secrets_are_in_no_text() -> None:
    order = _backup_send.Order("f", _backup_pieces.Piece(1, 0, 1, "x"), "https://h/?X-Amz-Signature=secret")
    assert "secret" not in repr(order)
    assert KEYS["secret_key"] not in repr(Access(**KEYS))
