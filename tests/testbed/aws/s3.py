# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moto's S3 lacks of multipart uploads: checksums of parts are not compared and not listed, and signed URLs never
expire. And faults, by the switch `parts`."""

from __future__ import annotations

import base64
import datetime
import hashlib
import io
import re
import typing as t
import urllib.parse

from testbed.aws.steering import STEERING

Json = dict[str, t.Any]
_CHECKSUM = "HTTP_X_AMZ_CHECKSUM_SHA256"
_PART = re.compile(rb"<PartNumber>(\d+)</PartNumber>.*?(?=</Part>)", re.DOTALL)
_BAD_DIGEST = (400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")
_EXPIRED = (403, "AccessDenied", "Request has expired")
_checksums: dict[tuple[str, str], str] = {}  # by upload and part


def is_about_parts(environ: Json) -> bool:
    """Whether a part is uploaded, or the parts of an upload are listed."""
    query = _query(environ)
    method = environ.get("REQUEST_METHOD")
    return "uploadId" in query and (method == "GET" or (method == "PUT" and "partNumber" in query))


def answer(application: t.Any, environ: Json, start_response: t.Any) -> t.Iterable[bytes]:
    """moto's answer, or what AWS would say in its place."""
    if environ["REQUEST_METHOD"] == "GET":
        return _listed(application, environ, start_response)
    refusal = _refusal(environ, _query(environ))
    if refusal is None:
        return t.cast("t.Iterable[bytes]", application(environ, start_response))
    status, code, message = refusal
    if status == 0:
        environ["werkzeug.socket"].shutdown(2)
        return []
    start_response(f"{status} {code}", [("Content-Type", "application/xml"), ("Connection", "close")])
    return [f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()]


def _refusal(environ: Json, query: t.Mapping[str, str]) -> tuple[int, str, str] | None:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    if STEERING.parts:
        return STEERING.parts.pop(0)
    if _expired(query):
        return _EXPIRED
    wanted = environ.get(_CHECKSUM)
    if wanted:
        if wanted != base64.b64encode(hashlib.sha256(body).digest()).decode():
            return _BAD_DIGEST
        _checksums[query["uploadId"], query["partNumber"]] = wanted
    return None


def _expired(query: t.Mapping[str, str]) -> bool:
    if "X-Amz-Expires" not in query:
        return False
    utc = datetime.timezone.utc
    signed = datetime.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=utc)
    return signed + datetime.timedelta(seconds=int(query["X-Amz-Expires"])) < datetime.datetime.now(utc)


def _listed(application: t.Any, environ: Json, start_response: t.Any) -> t.Iterable[bytes]:
    """The list of parts, each with the checksum that it came with."""
    kept: list[t.Any] = []
    body = b"".join(application(environ, lambda status, headers, *unused: kept.extend([status, headers])))
    upload = _query(environ)["uploadId"]

    def with_checksum(found: re.Match[bytes]) -> bytes:
        checksum = _checksums.get((upload, found.group(1).decode()))
        return found.group(0) + (f"<ChecksumSHA256>{checksum}</ChecksumSHA256>".encode() if checksum else b"")

    body = _PART.sub(with_checksum, body)
    headers = [(name, value) for name, value in kept[1] if name.lower() != "content-length"]
    start_response(kept[0], [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _query(environ: Json) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(str(environ.get("QUERY_STRING", ""))))
