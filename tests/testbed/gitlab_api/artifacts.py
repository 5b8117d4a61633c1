# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Artifacts of a job: a multipart upload and a plain download (API facts 4.4)."""

from __future__ import annotations

import re
import typing as t

from .errors import ApiError, bad_parameters, message
from .store import Row
from .web import Response

if t.TYPE_CHECKING:
    from .app import Call


def parts(body: bytes, content_type: str) -> dict[str, tuple[str, bytes]]:
    """Return the parts of a multipart body: name -> (filename, content)."""
    boundary = re.search(r'boundary="?([^";]+)"?', content_type)
    if boundary is None:
        return {}
    found: dict[str, tuple[str, bytes]] = {}
    for chunk in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:]:
        head, blank, content = chunk.partition(b"\r\n\r\n")
        name = re.search(rb'[; ]name="([^"]*)"', head)
        if blank and name:
            filename = re.search(rb'filename="([^"]*)"', head)
            found[name[1].decode()] = (filename[1].decode() if filename else "", content)
    return found


def upload(call: Call, job: Row) -> None:
    """Keep the file, and its metadata when there is some."""
    found = parts(call.request.body, call.request.header("content-type"))
    if "file" not in found:
        raise bad_parameters("file is missing")
    fields = {**call.request.query_params, **{name: text.decode() for name, (file, text) in found.items() if not file}}
    kind, form = str(fields.get("artifact_type", "archive")), str(fields.get("artifact_format", "zip"))
    if call.store.one("SELECT job_id FROM artifacts WHERE job_id = ? AND file_type = ?", job["id"], kind):
        raise message(400, "400 Bad request - another artifact of the same type already exists")
    filename, data = found["file"]
    call.store.insert("artifacts", job_id=job["id"], file_type=kind, file_format=form, filename=filename, data=data)
    if "metadata" in found:
        name, data = found["metadata"]
        call.store.insert(
            "artifacts", job_id=job["id"], file_type="metadata", file_format="gzip", filename=name, data=data
        )


def download(call: Call, job: Row) -> Response:
    row = call.store.one("SELECT * FROM artifacts WHERE job_id = ? AND file_type = 'archive'", job["id"])
    if row is None:
        raise ApiError(404, {"message": "404 Not found"})
    return Response(
        200,
        row["data"],
        (
            ("Content-Type", "application/octet-stream"),
            ("Content-Disposition", f'attachment; filename="{row["filename"]}"'),
        ),
    )
