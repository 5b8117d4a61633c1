# Copyright (c) 2026, Fleetwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a file once, and gives every block to all who want it: checksums, the walk through the tar, a copy.

Runs on a host: standard library of Python 3.9. hashlib and write() let go of Python's lock, so they work in threads of
their own while the next block is read and walked.
"""

from __future__ import annotations

import base64
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import os
import typing as t

from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_set import Pieces
from ansible_collections.fleetwright.gitlab_aws.plugins.module_utils._backup_tar import Contents, Walker

BLOCK_BYTES = 1 << 20
BUFFERS = 6

Take = t.Callable[[memoryview], None]


@dataclasses.dataclass(frozen=True)
class Seen:
    """What one reading of a file found; size in bytes."""

    size: int
    sha256: str
    contents: Contents
    pieces: Pieces | None = None


class PieceSums:
    """Takes the sha256 of pieces of equal size."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size
        self._digest = hashlib.sha256()
        self._sums: list[str] = []
        self._empty = True

    def take(self, view: memoryview) -> None:
        while view:
            step = min(self._left, len(view))
            self._digest.update(view[:step])
            self._left -= step
            self._empty = False
            view = view[step:]
            if not self._left:
                self._close()

    def _close(self) -> None:
        self._sums.append(base64.b64encode(self._digest.digest()).decode())
        self._digest = hashlib.sha256()
        self._left = self._size
        self._empty = True

    def pieces(self) -> Pieces:
        if not self._empty or not self._sums:
            self._close()
        return Pieces(self._size, tuple(self._sums))


def read(
    path: str,
    walker: Walker,
    *,
    piece_size: int | None = None,
    copy_to: str | None = None,
    seen: t.Callable[[int], None] | None = None,
) -> Seen:
    """Read a tar from its first byte to its last, once; seen is told now and then how many bytes went by.

    copy_to writes the same bytes there, complete on disk when this returns. Raises OSError.
    """
    digest = hashlib.sha256()
    sums = PieceSums(piece_size) if piece_size else None
    takers: list[Take] = [digest.update]
    if sums is not None:
        takers.append(sums.take)
    with contextlib.ExitStack() as stack:
        if copy_to is not None:
            takers.append(stack.enter_context(_copy(copy_to)))
        size = _stream(path, takers, walker.feed, seen or (lambda unused: None))
    return Seen(size, digest.hexdigest(), walker.contents(), sums.pieces() if sums else None)


def piece_sums(path: str, piece_size: int) -> Pieces:
    """The pieces of a set that was made without them."""
    sums = PieceSums(piece_size)
    _stream(path, [sums.take], lambda unused: None, lambda unused: None)
    return sums.pieces()


def _stream(path: str, takers: t.Sequence[Take], walk: Take, seen: t.Callable[[int], None]) -> int:
    """Hand every block to the takers, each in a thread of its own, and to walk in this one."""
    buffers = [memoryview(bytearray(BLOCK_BYTES)) for _unused in range(BUFFERS)]
    busy: list[list[concurrent.futures.Future[None]]] = [[] for _unused in buffers]
    size = 0
    with contextlib.ExitStack() as stack:
        threads = [stack.enter_context(concurrent.futures.ThreadPoolExecutor(1)) for _unused in takers]
        file = stack.enter_context(open(path, "rb", buffering=0))  # noqa: PTH123 - paths are text here
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        for number in _forever(BUFFERS):
            for future in busy[number]:
                future.result()
            block = _fill(file, buffers[number])
            if not block:
                break
            busy[number] = [thread.submit(take, block) for thread, take in zip(threads, takers)]
            walk(block)
            size += len(block)
            if size % (256 * BLOCK_BYTES) < BLOCK_BYTES:
                seen(size)
        for future in (future for one in busy for future in one):
            future.result()
    return size


def _forever(count: int) -> t.Iterator[int]:
    while True:
        yield from range(count)


def _fill(file: t.Any, buffer: memoryview) -> memoryview:
    """As much as there is, so that a tar's headers never lie across two blocks."""
    filled = 0
    while filled < len(buffer):
        count = file.readinto(buffer[filled:])
        if not count:
            break
        filled += count
    return buffer[:filled]


@contextlib.contextmanager
def _copy(path: str) -> t.Iterator[Take]:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as out:  # noqa: PTH123

        def take(view: memoryview) -> None:
            while view:
                view = view[out.write(view) :]

        yield take
        os.fsync(out.fileno())
