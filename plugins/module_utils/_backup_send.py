# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sends pieces of files to URLs that somebody else signed: no credential of AWS is needed on this host.

Standard library of Python 3.9. Until it expires, a URL is as good as a credential for its one piece: none is shown.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import http.client
import pathlib
import re
import ssl
import time
import typing as t
import urllib.parse

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_pieces import Piece

BLOCK_BYTES = 1 << 18
TRIES = 5
CONNECTIONS = 4
TIMEOUT = 120.0
_CODE = re.compile(r"<Code>([^<]+)</Code>")
_MESSAGE = re.compile(r"<Message>([^<]+)</Message>")
# What another try can mend, beside broken connections.
_AGAIN = frozenset((408, 429, 500, 502, 503, 504))


class Failure:
    """Why a piece did not arrive."""

    EXPIRED = "expired"  # sign again
    CHECKSUM = "checksum"  # S3 read something else than what the manifest says
    GONE = "gone"  # the upload is not there any more
    OTHER = "other"


@dataclasses.dataclass(frozen=True)
class Order:
    """One piece to send: of which file, and where to; headers are those that were signed with the URL."""

    file: str
    piece: Piece
    url: str = dataclasses.field(repr=False)
    headers: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_json(cls, data: t.Mapping[str, t.Any]) -> Order:
        return cls(data["file"], Piece(**data["piece"]), data["url"], data["headers"])


@dataclasses.dataclass(frozen=True)
class Sent:
    """What came of an order: etag is set when it arrived, else failure and words."""

    file: str
    number: int
    etag: str | None = None
    failure: str | None = None
    words: str = ""


class _Slice:
    """A piece of a file, to be read from its beginning by http.client."""

    def __init__(self, file: t.BinaryIO, piece: Piece) -> None:
        self._file = file
        self._left = piece.size
        file.seek(piece.offset)

    def read(self, count: int = -1) -> bytes:
        block = self._file.read(self._left if count < 0 else min(count, self._left))
        self._left -= len(block)
        return block


def send(
    folder: str,
    orders: t.Sequence[Order],
    *,
    ca_file: str | None = None,
    sleep: t.Callable[[float], None] = time.sleep,
    arrived: t.Callable[[Sent, int], None] = lambda unused, count: None,
) -> list[Sent]:
    """Send every piece, several at once; arrived is told of each and how many are done."""
    context = ssl.create_default_context(cafile=ca_file)
    found = []
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        jobs = [pool.submit(_send, pathlib.Path(folder), order, context, sleep) for order in orders]
        for job in concurrent.futures.as_completed(jobs):
            found.append(job.result())
            arrived(found[-1], len(found))
            if found[-1].failure and found[-1].failure != Failure.EXPIRED:
                for other in jobs:
                    other.cancel()
                break
    found += [job.result() for job in jobs if job.done() and not job.cancelled() and job.result() not in found]
    return sorted(found, key=lambda sent: (sent.file, sent.number))


def _send(folder: pathlib.Path, order: Order, context: ssl.SSLContext, sleep: t.Callable[[float], None]) -> Sent:
    sent = Sent(order.file, order.piece.number, failure=Failure.OTHER)
    for number in range(TRIES):
        if number:
            sleep(2.0 ** (number - 1))
        try:
            sent, again = _once(folder, order, context)
        except (OSError, http.client.HTTPException) as exc:
            host = urllib.parse.urlsplit(order.url).netloc
            words = f"{host}: {exc or type(exc).__name__}"
            sent, again = dataclasses.replace(sent, words=words), True
        if not again:
            break
    return sent


def _once(folder: pathlib.Path, order: Order, context: ssl.SSLContext) -> tuple[Sent, bool]:
    """One try; says whether another one may help."""
    url = urllib.parse.urlsplit(order.url)
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        connection = http.client.HTTPSConnection(url.netloc, timeout=TIMEOUT, context=context, blocksize=BLOCK_BYTES)
    else:
        connection = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT, blocksize=BLOCK_BYTES)
    headers = {"Content-Length": str(order.piece.size), "Content-Type": "application/octet-stream", **order.headers}
    try:
        with (folder / order.file).open("rb") as file:
            connection.request("PUT", f"{url.path}?{url.query}", t.cast(t.Any, _Slice(file, order.piece)), headers)
            answer = connection.getresponse()
            body = answer.read(1 << 16).decode("utf-8", "replace")
    finally:
        connection.close()
    return _understood(order, answer.status, answer.headers.get("ETag"), body)


def _understood(order: Order, status: int, etag: str | None, body: str) -> tuple[Sent, bool]:
    sent = Sent(order.file, order.piece.number)
    if status == 200 and etag:
        return dataclasses.replace(sent, etag=etag), False
    code = "".join(_CODE.findall(body)[:1])
    message = "".join(_MESSAGE.findall(body)[:1])
    words = f"HTTP {status} {code}{': ' if message else ''}{message}".strip()
    failure = Failure.OTHER
    if code in ("ExpiredToken", "RequestExpired") or (status == 403 and "expired" in message.lower()):
        failure = Failure.EXPIRED
    elif code in ("BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"):
        failure = Failure.CHECKSUM
    elif code == "NoSuchUpload":
        failure = Failure.GONE
    again = failure == Failure.OTHER and (status in _AGAIN or code == "RequestTimeout")
    return dataclasses.replace(sent, failure=failure, words=words), again
