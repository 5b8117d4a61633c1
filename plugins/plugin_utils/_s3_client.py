# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the controller reaches S3, and what its refusals mean."""

from __future__ import annotations

import dataclasses
import typing as t


class S3Error(Exception):
    """A copy could not be made; the text says what was tried, what came back and what to do."""


@dataclasses.dataclass(frozen=True)
class Access:
    """How the controller reaches S3; what is None comes from its environment, as boto3 finds it."""

    region: str | None = None
    endpoint_url: str | None = None
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = dataclasses.field(default=None, repr=False)
    session_token: str | None = dataclasses.field(default=None, repr=False)
    ca_path: str | None = None


def client(access: Access) -> t.Any:
    """A client for S3. Raises S3Error where boto3 is missing or finds no credentials."""
    try:
        import boto3
        import botocore.config
        import botocore.exceptions
    except ImportError:
        raise S3Error("The controller needs boto3 to sign uploads. Install it: pip install boto3.") from None
    style = "path" if access.endpoint_url else "auto"
    config = botocore.config.Config(
        signature_version="s3v4", retries={"mode": "standard", "max_attempts": 5}, s3={"addressing_style": style}
    )
    try:
        session = boto3.session.Session(
            aws_access_key_id=access.access_key,
            aws_secret_access_key=access.secret_key,
            aws_session_token=access.session_token,
            region_name=access.region,
            profile_name=access.profile,
        )
        if session.get_credentials() is None:
            raise S3Error(
                "The controller has no AWS credentials to sign uploads with. Give access_key and secret_key, or a "
                "profile, or run the controller with a role."
            )
        return session.client("s3", endpoint_url=access.endpoint_url, config=config, verify=access.ca_path)
    except (botocore.exceptions.BotoCoreError, ValueError) as exc:
        raise S3Error(f"Could not make a client for S3: {exc}. Check region, profile and endpoint_url.") from None


def remedy(code: str) -> str:
    if code in ("403", "AccessDenied"):
        return (
            "Give the controller's credentials s3:ListBucket, s3:PutObject, s3:GetObject, s3:AbortMultipartUpload and "
            "s3:ListMultipartUploadParts there, and kms:GenerateDataKey and kms:Decrypt on the key."
        )
    if code in ("404", "NoSuchBucket"):
        return "Create the bucket first, or correct its name and region; a backup never creates one."
    if code in ("ExpiredToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"):
        return "Give credentials that are valid now."
    return "The set on the host is good; run this again to go on."
