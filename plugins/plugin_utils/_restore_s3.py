# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets in S3 as the controller sees them: which there are, what they say of themselves, and URLs to fetch them by."""

from __future__ import annotations

import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import _backup_set
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_request import (
    LATEST,
    ORIGIN_RESTORE,
    Bucket,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Manifest, SetError
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils import _s3_client
from ansible_collections.fleetwright.gitlab_aws.plugins.plugin_utils._s3_client import S3Error

URL_SECONDS = 12 * 3600
# One of fifty thousand repositories has some MiB; what is larger is none.
MANIFEST_BYTES = 256 << 20


class Shelf:
    """The sets below one prefix of a bucket."""

    def __init__(self, s3: t.Any, bucket: Bucket) -> None:
        self._s3 = s3
        self._bucket = bucket

    def ids(self) -> list[str]:
        """The ids of whole sets, oldest first: those with a manifest, which is sent last. Raises S3Error."""
        prefix = self._bucket.key("", "")
        prefix = f"{prefix}/" if prefix else ""

        def pages() -> list[str]:
            listing = self._s3.get_paginator("list_objects_v2")
            return [
                one["Key"]
                for page in listing.paginate(Bucket=self._bucket.bucket, Prefix=prefix)
                for one in page.get("Contents", [])
            ]

        keys = self._called("list the sets", "", pages)
        parts = [key[len(prefix) :].split("/") for key in keys]
        found = [
            one[0] for one in parts if len(one) == 2 and one[1] == _backup_set.MANIFEST and _backup_set.is_id(one[0])
        ]
        return sorted(found, key=lambda set_id: (_backup_set.made_at(set_id), set_id))

    def resolve(self, wanted: str) -> str:
        """The id that is meant: "latest" is the newest that was not made before a restore. Raises S3Error."""
        if wanted != LATEST:
            return wanted
        ids = self.ids()
        for set_id in reversed(ids):
            if _origin(self.manifest(set_id)[1]) != ORIGIN_RESTORE:
                return set_id
        raise S3Error(f"There is no whole set in {self._bucket.url('')}; check bucket and prefix.")

    def manifest(self, set_id: str) -> tuple[str, Manifest]:
        """The text of a set's manifest, and what it means. Raises S3Error."""
        key = self._bucket.key(set_id, _backup_set.MANIFEST)

        def read() -> bytes:
            answer = self._s3.get_object(Bucket=self._bucket.bucket, Key=key)
            return t.cast(bytes, answer["Body"].read(MANIFEST_BYTES))

        text = self._called("read the manifest of", key, read).decode("utf-8", "replace")
        try:
            manifest = _backup_set.load(text, f"s3://{self._bucket.bucket}/{key}")
        except SetError as exc:
            raise S3Error(str(exc)) from None
        if manifest.id != set_id:
            raise S3Error(f"s3://{self._bucket.bucket}/{key} is the manifest of {manifest.id}. Use another set.")
        return text, manifest

    def urls(self, manifest: Manifest) -> dict[str, str]:
        """A signed URL for each archive; each was looked at, so that what is missing is said before anything begins.

        Raises S3Error.
        """
        found = {}
        for archive in manifest.archives:
            key = self._bucket.key(manifest.id, archive.file)
            size = self._size(key)
            if size != archive.size:
                raise S3Error(
                    f"s3://{self._bucket.bucket}/{key} has {size} bytes, and {archive.size} were written: the copy is "
                    "damaged. Use another set."
                )
            found[archive.file] = self._s3.generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket.bucket, "Key": key}, ExpiresIn=URL_SECONDS
            )
        return found

    def _size(self, key: str) -> int:
        head = self._called("look at", key, lambda: self._s3.head_object(Bucket=self._bucket.bucket, Key=key))
        return int(head["ContentLength"])

    def _called(self, attempt: str, key: str, call: t.Callable[[], t.Any]) -> t.Any:
        import botocore.exceptions

        target = f"s3://{self._bucket.bucket}/{key}"
        try:
            return call()
        except botocore.exceptions.ClientError as exc:
            code = str(exc.response.get("Error", {}).get("Code", ""))
            raise S3Error(f"Could not {attempt} {target}: {exc}. {_remedy(code)}") from None
        except botocore.exceptions.BotoCoreError as exc:
            raise S3Error(f"Could not {attempt} {target}: {exc}. Check region, endpoint_url and network.") from None


def _origin(manifest: Manifest) -> t.Any:
    return manifest.options.get("origin")


def _remedy(code: str) -> str:
    if code in ("403", "AccessDenied"):
        return "Give the controller's credentials s3:ListBucket and s3:GetObject there, and kms:Decrypt on the key."
    if code in ("404", "NoSuchKey"):
        return "There is no such set there; gitlab_backup_info lists those that are."
    if code == "NoSuchBucket":
        return "Check the bucket's name and region."
    return _s3_client.remedy(code)
