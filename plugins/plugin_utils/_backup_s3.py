# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies a set from a host to S3: the controller has the credentials and signs, the host has the files and sends."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_send
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_pieces import File, Piece
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Bucket
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _s3_client
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._s3_client import S3Error

# How long a URL is good for, and how much is signed at once, so that it is sent within that time.
URL_SECONDS = 3600
BATCH_BYTES = 8 << 30
BATCH_PIECES = 500
SIGN_AGAIN = 5
CHECKSUM_HEADER = "x-amz-checksum-sha256"

SENT = t.Sequence[t.Mapping[str, t.Any]]


class Sender(t.Protocol):
    """What the host does for a copy."""

    def send(self, orders: t.Sequence[_backup_send.Order]) -> SENT:
        """Send pieces; returns what came of each, as _backup_send.Sent says it."""

    def note(self, uploads: t.Mapping[str, str]) -> None:
        """Write down on the host which uploads were begun."""


class Copier:
    """Copies the files of one set, or goes on with a copy that was begun."""

    def __init__(self, s3: t.Any, bucket: Bucket, set_id: str, sender: Sender, say: t.Callable[[str], None]) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._set_id = set_id
        self._sender = sender
        self._say = say

    def check(self) -> None:
        """Raises S3Error where the bucket is not there or not ours to use; asked before a backup begins."""
        self._call("head_bucket", "look at the bucket")

    def copy(self, files: t.Sequence[File], uploads: t.Mapping[str, str]) -> dict[str, str]:
        """Returns the checksum of each object, by file. uploads are the ids of begun ones. Raises S3Error."""
        open_uploads = dict(uploads)
        missing = [file for file in files if not self._is_there(file)]
        arrived = {file.name: self._arrived(file, open_uploads) for file in missing}
        begun = [file for file in missing if file.name not in open_uploads]
        for file in begun:
            open_uploads[file.name] = self._begin(file)
        if begun:
            self._sender.note(open_uploads)
        wanted = [(file, piece) for file in missing for piece in file.pieces if piece.number not in arrived[file.name]]
        for (name, number), etag in self._send_all(wanted, open_uploads).items():
            arrived[name][number] = etag
        for file in missing:  # the manifest is the last of them
            self._complete(file, open_uploads[file.name], arrived[file.name])
            if not self._is_there(file):
                raise S3Error(
                    f"{self._url(file)} is not what was sent: its size or checksum is another. The set on the host is "
                    "good. Remove the object and run this again."
                )
        return {file.name: file.checksum for file in files}

    def _arrived(self, file: File, uploads: dict[str, str]) -> dict[int, str]:
        """ETags of the pieces that an earlier run brought there; an upload that is gone is forgotten."""
        if file.name not in uploads:
            return {}
        found: dict[int, str] = {}
        marker = 0
        while True:
            page = self._call(
                "list_parts",
                "list what arrived",
                file,
                missing=("NoSuchUpload",),
                UploadId=uploads[file.name],
                PartNumberMarker=marker,
            )
            if page is None:
                del uploads[file.name]
                return {}
            pieces = {piece.number: piece for piece in file.pieces}
            for part in page.get("Parts", []):
                piece = pieces.get(part["PartNumber"])
                if piece and (part["Size"], part.get("ChecksumSHA256")) == (piece.size, piece.sha256):
                    found[piece.number] = part["ETag"]
            if not page.get("IsTruncated"):
                return found
            marker = page["NextPartNumberMarker"]

    def _begin(self, file: File) -> str:
        encryption = {}
        if self._bucket.kms_key_id:
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._bucket.kms_key_id}
        begun = self._call(
            "create_multipart_upload", "begin the upload", file, ChecksumAlgorithm="SHA256", **encryption
        )
        return str(begun["UploadId"])

    def _send_all(
        self, wanted: t.Sequence[tuple[File, Piece]], uploads: t.Mapping[str, str]
    ) -> dict[tuple[str, int], str]:
        etags: dict[tuple[str, int], str] = {}
        left = list(wanted)
        total = sum(piece.size for _file, piece in wanted)
        expired = 0
        while left:
            batch = _batch(left)
            sent = self._sender.send([self._order(file, piece, uploads[file.name]) for file, piece in batch])
            arrived = {(str(one["file"]), int(one["number"])): str(one["etag"]) for one in sent if one.get("etag")}
            expired = 0 if arrived else expired + 1
            self._judge(sent, expired)
            etags.update(arrived)
            left = [(file, piece) for file, piece in left if (file.name, piece.number) not in etags]
            done = total - sum(piece.size for _file, piece in left)
            self._say(f"{done * 100 // max(total, 1)} % of {self._bucket.url(self._set_id)} sent")
        return etags

    def _judge(self, sent: SENT, expired: int) -> None:
        """Expired URLs are signed again; every other failure ends the copy."""
        for one in sent:
            failure = one.get("failure")
            if not failure or (failure == _backup_send.Failure.EXPIRED and expired < SIGN_AGAIN):
                continue
            what = f"Could not send piece {one['number']} of {one['file']} to {self._bucket.url(self._set_id)}"
            remedy = "What arrived stays: run this again to go on from there."
            if failure == _backup_send.Failure.CHECKSUM:
                remedy = (
                    "The file on the host is not any more what its manifest says: do not use this set; make another."
                )
            raise S3Error(f"{what}: {one.get('words')}. {remedy}")
        if not sent or (expired >= SIGN_AGAIN):
            raise S3Error("The host sent nothing. Look at its journal (unit fleetwright-gitlab-backup-now).")

    def _order(self, file: File, piece: Piece, upload: str) -> _backup_send.Order:
        parameters = {
            "Bucket": self._bucket.bucket,
            "Key": self._key(file),
            "UploadId": upload,
            "PartNumber": piece.number,
            "ChecksumSHA256": piece.sha256,
        }
        url = self._s3.generate_presigned_url("upload_part", Params=parameters, ExpiresIn=URL_SECONDS)
        return _backup_send.Order(file.name, piece, url, {CHECKSUM_HEADER: piece.sha256})

    def _complete(self, file: File, upload: str, etags: t.Mapping[int, str]) -> None:
        parts = [
            {"PartNumber": piece.number, "ETag": etags[piece.number], "ChecksumSHA256": piece.sha256}
            for piece in file.pieces
        ]
        self._call(
            "complete_multipart_upload",
            "complete the upload",
            file,
            UploadId=upload,
            MultipartUpload={"Parts": parts},
        )

    def _is_there(self, file: File) -> bool:
        found = self._call(
            "head_object", "look at the object", file, missing=("404", "NoSuchKey"), ChecksumMode="ENABLED"
        )
        return found is not None and file.is_there(found.get("ContentLength"), found.get("ChecksumSHA256"))

    def _key(self, file: File) -> str:
        return self._bucket.key(self._set_id, file.name)

    def _url(self, file: File) -> str:
        return f"s3://{self._bucket.bucket}/{self._key(file)}"

    def _call(
        self, name: str, attempt: str, file: File | None = None, *, missing: t.Collection[str] = (), **more: t.Any
    ) -> t.Any:
        """One call; None where the answer is one of the codes in missing."""
        import botocore.exceptions

        where = {"Key": self._key(file)} if file else {}
        try:
            return getattr(self._s3, name)(Bucket=self._bucket.bucket, **where, **more)
        except botocore.exceptions.ClientError as exc:
            code = str(exc.response.get("Error", {}).get("Code", ""))
            if code in missing:
                return None
            target = self._url(file) if file else f"s3://{self._bucket.bucket}"
            raise S3Error(f"Could not {attempt} {target}: {exc}. {_s3_client.remedy(code)}") from None
        except botocore.exceptions.BotoCoreError as exc:
            raise S3Error(
                f"Could not {attempt} in s3://{self._bucket.bucket}: {exc}. Check region and network."
            ) from None


def _batch(left: t.Sequence[tuple[File, Piece]]) -> list[tuple[File, Piece]]:
    found: list[tuple[File, Piece]] = []
    size = 0
    for file, piece in left[:BATCH_PIECES]:
        size += piece.size
        if found and size > BATCH_BYTES:
            break
        found.append((file, piece))
    return found
