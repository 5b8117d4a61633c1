# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches a set to this host by URLs that somebody else signed, in pieces, and goes on where it was ended.

Standard library of Python 3.9. Until they expire, the URLs are as good as a credential for their objects: none is
shown.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import dataclasses
import errno
import hashlib
import http.client
import json
import os
import pathlib
import re
import shutil
import ssl
import time
import typing as t
import urllib.parse

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils import (
    _backup_set,
    _backup_space,
    _backup_store,
    _restore_archive,
)
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_pieces import DEFAULT_SIZE
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Archive, Manifest
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_store import Condition, Kept

ENDING = ".fetch"
PROGRESS = "progress.json"
TRIES = 5
CONNECTIONS = 4
TIMEOUT = 120.0
BLOCK_BYTES = 1 << 20
_AGAIN = frozenset((408, 429, 500, 502, 503, 504))
_CODE = re.compile(r"<Code>([^<]+)</Code>")


class FetchFailed(Exception):
    """The set is not here yet; the text says why. expired says that new URLs would help."""

    def __init__(self, words: str, *, expired: bool = False) -> None:
        self.expired = expired
        super().__init__(words)


@dataclasses.dataclass(frozen=True)
class Range:
    """Bytes of a file to fetch; sha256 is in base64, or None where the manifest has no pieces."""

    file: str
    number: int
    offset: int
    size: int
    sha256: str | None

    @property
    def name(self) -> str:
        return f"{self.file}:{self.number}"


def ranges(archive: Archive) -> list[Range]:
    """The pieces of an archive as the manifest has them, else of a usual size."""
    size = archive.pieces.size if archive.pieces else DEFAULT_SIZE
    count = max(1, -(-archive.size // size))
    sums = archive.pieces.sha256 if archive.pieces else (None,) * count
    return [
        Range(archive.file, number, number * size, min(size, archive.size - number * size), one)
        for number, one in enumerate(sums)
    ]


@dataclasses.dataclass(frozen=True)
class Order:
    """A set to fetch: the text of its manifest, and where each archive is to be had."""

    sets_path: str
    manifest: str
    urls: t.Mapping[str, str] = dataclasses.field(repr=False)
    ca_file: str | None = None


def fetch(order: Order, say: t.Callable[[str], None], *, check_space: bool = True) -> Kept:
    """Have the set below sets_path, whole; returns it. Raises FetchFailed, SetError and OSError."""
    manifest = _backup_set.load(order.manifest, "the manifest of the copy")
    there = [kept for kept in _backup_store.sets(order.sets_path) if kept.id == manifest.id]
    good = [kept for kept in there if kept.condition == Condition.GOOD and kept.manifest == manifest]
    if good:
        return good[0]
    _backup_store.prepare(order.sets_path)
    folder = pathlib.Path(order.sets_path) / (manifest.id + ENDING)
    folder.mkdir(mode=0o700, exist_ok=True)
    done = _progress(folder)
    if check_space:
        _check_space(manifest, folder, done)
    _fetch_all(order, manifest, folder, done, say)
    for archive in manifest.archives:
        if archive.pieces is None:  # nothing was compared yet
            _restore_archive.verify(
                Kept(manifest.id, Condition.GOOD, str(folder), manifest), archive, folder / archive.file
            )
    (folder / PROGRESS).unlink(missing_ok=True)
    _backup_store.write_text(folder / _backup_set.MANIFEST, order.manifest)
    for kept in there:
        if kept.condition == Condition.DAMAGED:
            _backup_store.remove(kept)
    folder.rename(folder.with_name(manifest.id))
    _backup_store.sync(folder.parent)
    return _backup_store.find(order.sets_path, manifest.id)


def forget(sets_path: str, but: str) -> None:
    """Remove what is left of other sets that were being fetched: nobody asks for them any more."""
    for folder in pathlib.Path(sets_path).glob(f"*{ENDING}"):
        if folder.name != but + ENDING and _backup_set.is_id(folder.name[: -len(ENDING)]):
            shutil.rmtree(folder, ignore_errors=True)


def _progress(folder: pathlib.Path) -> set[str]:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return set(map(str, json.loads((folder / PROGRESS).read_text("utf-8"))))
    return set()


def _check_space(manifest: Manifest, folder: pathlib.Path, done: t.Collection[str]) -> None:
    """Room for what is not here; files that an earlier run laid out have theirs already."""
    left = sum(one.size for archive in manifest.archives for one in ranges(archive) if one.name not in done)
    without = sum(max(0, archive.size - _allocated(folder / archive.file)) for archive in manifest.archives)
    need = _backup_space.Need(str(folder.parent), min(left, without), _backup_space.free(str(folder)))
    if not need.met:
        raise FetchFailed(f"There is too little room for the set {manifest.id}: {need}. Free or add space.")


def _allocated(path: pathlib.Path) -> int:
    """Bytes of the disk that the file has."""
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0


def _fetch_all(
    order: Order, manifest: Manifest, folder: pathlib.Path, done: set[str], say: t.Callable[[str], None]
) -> None:
    todo = [one for archive in manifest.archives for one in ranges(archive) if one.name not in done]
    total, came = sum(one.size for one in todo), 0
    context = ssl.create_default_context(cafile=order.ca_file)
    for archive in manifest.archives:
        _lay_out(folder / archive.file, archive.size)
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        jobs = {pool.submit(_fetch, folder, one, order.urls[one.file], context): one for one in todo}
        try:
            for job in concurrent.futures.as_completed(jobs):
                job.result()
                done.add(jobs[job].name)
                came += jobs[job].size
                _backup_store.write_json(folder / PROGRESS, sorted(done))
                say(f"fetching {manifest.id}: {_backup_space.human(came)} of {_backup_space.human(total)}")
        except BaseException:
            for other in jobs:
                other.cancel()
            raise


def _lay_out(path: pathlib.Path, size: int) -> None:
    """Have the file in its size, so that a disk that is too small is known at once."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        os.ftruncate(handle, size)
        if size:
            os.posix_fallocate(handle, 0, size)
    finally:
        os.close(handle)


def _fetch(folder: pathlib.Path, one: Range, url: str, context: ssl.SSLContext) -> None:
    """Fetch one range, and have it on disk. Raises FetchFailed and OSError."""
    words = ""
    for number in range(TRIES):
        if number:
            time.sleep(2.0 ** (number - 1))
        try:
            words = _once(folder, one, url, context)
        except (OSError, http.client.HTTPException) as exc:
            if isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            words = f"{urllib.parse.urlsplit(url).netloc}: {exc or type(exc).__name__}"
        if not words:
            return
    raise FetchFailed(f"Could not fetch {one.file}, bytes {one.offset} to {one.offset + one.size - 1}: {words}.")


def _once(folder: pathlib.Path, one: Range, url: str, context: ssl.SSLContext) -> str:
    """One try; returns what was wrong where another may help. Raises FetchFailed."""
    connection = _connection(url, context)
    where = urllib.parse.urlsplit(url)
    try:
        connection.request(
            "GET", f"{where.path}?{where.query}", headers={"Range": f"bytes={one.offset}-{one.offset + one.size - 1}"}
        )
        answer = connection.getresponse()
        if answer.status not in (200, 206) or (answer.status == 200 and one.offset):
            return _refused(one, answer.status, answer.read(1 << 16).decode("utf-8", "replace"))
        return _store(folder, one, answer)
    finally:
        connection.close()


def _connection(url: str, context: ssl.SSLContext) -> http.client.HTTPConnection:
    where = urllib.parse.urlsplit(url)
    if where.scheme == "https":
        return http.client.HTTPSConnection(where.netloc, timeout=TIMEOUT, context=context)
    return http.client.HTTPConnection(where.netloc, timeout=TIMEOUT)


def _store(folder: pathlib.Path, one: Range, answer: http.client.HTTPResponse) -> str:
    digest, left = hashlib.sha256(), one.size
    with (folder / one.file).open("r+b", buffering=0) as file:
        file.seek(one.offset)
        while left:
            block = answer.read(min(BLOCK_BYTES, left))
            if not block:
                return f"the answer ended {left} bytes early"
            digest.update(block)
            left -= len(block)
            view = memoryview(block)
            while view:
                view = view[file.write(view) :]
        os.fsync(file.fileno())
    if one.sha256 is not None and base64.b64encode(digest.digest()).decode() != one.sha256:
        return "what came has another checksum than the manifest says; the copy is damaged"
    return ""


def _refused(one: Range, status: int, body: str) -> str:
    code = "".join(_CODE.findall(body)[:1])
    words = f"HTTP {status} {code}".strip()
    if status in _AGAIN:
        return words
    expired = code in ("ExpiredToken", "RequestExpired") or (status == 403 and "expired" in body.lower())
    raise FetchFailed(f"Could not fetch {one.file}: {words}.", expired=expired)
