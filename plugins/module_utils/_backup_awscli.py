# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies a set to S3 with the distribution's aws command and the instance's own role: for the timer.

Standard library of Python 3.9. The pieces and checksums are the same as in a copy that the controller signs.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_pieces, _backup_store
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_pieces import File, Piece
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import Bucket, Refused
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_store import Kept
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._host_command import Run

COMMAND_SECONDS = 3600.0
UNFINISHED, COMPLETE = "unfinished", "complete"
# Without it version 2 sends long answers through a pager.
_ENVIRONMENT = {"AWS_PAGER": "", "AWS_CLI_AUTO_PROMPT": "off"}


class CopyFailed(Exception):
    """A copy did not arrive; the set on the host is good, and the text says what to do."""


def check(bucket: Bucket, run: Run) -> None:
    """Raises Refused where the aws command is missing or can't reach the bucket, before anything is begun."""
    if shutil.which(bucket.program) is None:
        raise Refused(
            f"The copy to s3://{bucket.bucket} needs {bucket.program}, which is not installed. Nothing was changed. "
            "Install the package awscli (awscli-2 on Amazon Linux), or name the program."
        )
    try:
        _Aws(bucket, run)("head-bucket")
    except CopyFailed as exc:
        raise Refused(
            f"{exc} Nothing was changed. Check bucket, region and the role of this instance "
            "(s3:ListBucket, s3:PutObject, s3:GetObject, s3:AbortMultipartUpload, s3:ListMultipartUploadParts)."
        ) from None


def copy(kept: Kept, bucket: Bucket, run: Run, say: t.Callable[[str], None]) -> str:
    """Copy a set, or finish a copy that was begun; returns its URL. Raises CopyFailed and OSError."""
    aws = _Aws(bucket, run)
    url = bucket.url(kept.id)
    uploads: dict[str, str] = dict(kept.copies.get(url, {}).get("uploads", {}))
    files = _backup_pieces.files(kept)
    for file in files:
        key = bucket.key(kept.id, file.name)
        if _is_there(aws, key, file):
            continue
        say(f"copying {file.name} to s3://{bucket.bucket}/{key}")
        arrived = aws.parts(key, uploads[file.name]) if file.name in uploads else None
        if arrived is None:
            uploads[file.name] = aws.begin(key)
            note_begun(kept.path, url, uploads)
            arrived = {}
        parts = [
            _sent(aws, pathlib.Path(kept.path), key, uploads[file.name], file.name, one, arrived) for one in file.pieces
        ]
        aws.complete(key, uploads[file.name], parts, pathlib.Path(kept.path) / ".parts")
        if not _is_there(aws, key, file):
            raise CopyFailed(
                f"s3://{bucket.bucket}/{key} is not what was sent: its size or checksum is another. The set on this "
                "host is good. Remove the object and run this again."
            )
    checksums = {file.name: file.checksum for file in files}
    _backup_store.note_copy(kept.path, url, {"state": COMPLETE, "checksums": checksums})
    return url


def note_begun(folder: str, url: str, uploads: t.Mapping[str, str]) -> None:
    """Write down that the set in folder is to be at url, and what was begun of it; later runs see to it."""
    _backup_store.note_copy(folder, url, {"state": UNFINISHED, "uploads": dict(uploads)})


def is_unfinished(kept: Kept, url: str | None) -> bool:
    """Whether the set is to be at url and is not yet; a copy to another place is none of this run's."""
    return url is not None and kept.copies.get(url, {}).get("state") == UNFINISHED


def _is_there(aws: _Aws, key: str, file: File) -> bool:
    found = aws.head(key)
    return found is not None and file.is_there(found.get("ContentLength"), found.get("ChecksumSHA256"))


def _sent(
    aws: _Aws, folder: pathlib.Path, key: str, upload: str, name: str, piece: Piece, arrived: t.Mapping[int, t.Any]
) -> dict[str, t.Any]:
    """Send one piece, unless it is there; returns what completes the upload with it."""
    known = arrived.get(piece.number)
    if known is None or known.get("ChecksumSHA256") != piece.sha256 or known.get("Size") != piece.size:
        etag = aws.send(key, upload, folder / name, piece)
    else:
        etag = known["ETag"]
    return {"PartNumber": piece.number, "ETag": etag, "ChecksumSHA256": piece.sha256}


class _Aws:
    """The calls of `aws s3api` that a copy needs."""

    def __init__(self, bucket: Bucket, run: Run) -> None:
        self._bucket = bucket
        self._run = run

    def __call__(self, operation: str, *arguments: str, missing: bool = False) -> dict[str, t.Any] | None:
        """One call; None where the answer is that something is not there and missing allows it."""
        argv = [self._bucket.program, "s3api", operation, "--output", "json", "--bucket", self._bucket.bucket]
        argv += ["--region", self._bucket.region] if self._bucket.region else []
        argv += ["--endpoint-url", self._bucket.endpoint_url] if self._bucket.endpoint_url else []
        done = self._run([*argv, *arguments], env=_ENVIRONMENT, timeout=COMMAND_SECONDS)
        if done.rc == 0:
            found = json.loads(done.stdout) if done.stdout.strip() else {}
            return found if isinstance(found, dict) else {}
        if missing and any(word in done.stderr for word in ("(404)", "NoSuchUpload", "NoSuchKey")):
            return None
        raise CopyFailed(f"aws s3api {operation} for s3://{self._bucket.bucket} failed: {done.words}.")

    def head(self, key: str) -> dict[str, t.Any] | None:
        return self("head-object", "--key", key, "--checksum-mode", "ENABLED", missing=True)

    def parts(self, key: str, upload: str) -> dict[int, t.Any] | None:
        found = self("list-parts", "--key", key, "--upload-id", upload, missing=True)
        return None if found is None else {one["PartNumber"]: one for one in found.get("Parts") or []}

    def begin(self, key: str) -> str:
        encryption = ["--server-side-encryption", "aws:kms"] if self._bucket.kms_key_id else []
        encryption += ["--ssekms-key-id", self._bucket.kms_key_id] if self._bucket.kms_key_id else []
        found = self("create-multipart-upload", "--key", key, "--checksum-algorithm", "SHA256", *encryption) or {}
        return str(found["UploadId"])

    def send(self, key: str, upload: str, file: pathlib.Path, piece: Piece) -> str:
        """aws reads a piece from a file of its own, so one is written beside the set, and removed again."""
        body = file.with_name(".piece")
        try:
            with file.open("rb") as source, open(_fresh(body), "wb") as target:
                source.seek(piece.offset)
                left = piece.size
                while left:
                    block = source.read(min(left, _backup_pieces.MIB))
                    if not block:
                        raise CopyFailed(f"{file} is shorter than its manifest says. Use another set.")
                    target.write(block)
                    left -= len(block)
            number = str(piece.number)
            where = ("--key", key, "--upload-id", upload, "--part-number", number, "--body", str(body))
            found = self("upload-part", *where, "--checksum-sha256", piece.sha256) or {}
        finally:
            body.unlink(missing_ok=True)
        return str(found["ETag"])

    def complete(self, key: str, upload: str, parts: t.Sequence[t.Mapping[str, t.Any]], scratch: pathlib.Path) -> None:
        """scratch is a file for the list of parts, which can be too long for a command line."""
        _backup_store.write_json(scratch, {"Parts": list(parts)})
        where = ("--key", key, "--upload-id", upload)
        try:
            self("complete-multipart-upload", *where, "--multipart-upload", f"file://{scratch}")
        finally:
            scratch.unlink(missing_ok=True)


def _fresh(path: pathlib.Path) -> int:
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
